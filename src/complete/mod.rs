//! Complete: tries.
