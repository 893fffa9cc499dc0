//! The path of a field from the body, written only if something is wrong there.
//!
//! Invariants: building one allocates nothing; `Display` gives `messages[3].content`.
//!
//! Not here: what the field holds. (The gRPC door has one of its own: the doors do not know each other.)

use std::fmt;

/// A step into the body, and the way to it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'a> {
    /// The body itself.
    Root,
    /// A field.
    Field(&'a Path<'a>, &'static str),
    /// An entry of a list.
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    pub(super) fn field(&self, name: &'static str) -> Path<'_> {
        Path::Field(self, name)
    }

    pub(super) fn index(&self, index: usize) -> Path<'_> {
        Path::Index(self, index)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Path::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
