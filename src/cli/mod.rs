//! The commands: each turns arguments into one call of the library and writes what came of it.

pub(crate) mod args;
pub(crate) mod out;
pub(crate) mod serve;
