//! Composition: the only file that knows every concrete type.
