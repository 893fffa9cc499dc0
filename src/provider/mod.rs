//! Providers: one wire dialect a file.
