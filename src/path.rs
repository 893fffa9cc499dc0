//! The path of a field from its request, written only if something is wrong there.
//!
//! Invariants: building one allocates nothing; `Display` gives `context.tags[3].key`.
//!
//! Not here: what the field holds (the doors: `grpc`, `http`, which do not know each other).

use std::fmt;

/// A step into a message, and the way to it.
#[derive(Debug, Clone, Copy)]
pub enum Path<'a> {
    /// The request itself.
    Root,
    /// A field of a message.
    Field(&'a Path<'a>, &'static str),
    /// An entry of a list.
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    /// The field `name` in here.
    pub fn field(&self, name: &'static str) -> Path<'_> {
        Path::Field(self, name)
    }

    /// The entry `index` in here.
    pub fn index(&self, index: usize) -> Path<'_> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_the_field_is_written() {
        let root = Path::Root;
        assert_eq!(root.field("task").to_string(), "task");
        let context = root.field("context");
        let tags = context.field("tags");
        assert_eq!(
            tags.index(3).field("key").to_string(),
            "context.tags[3].key"
        );
    }
}
