//! Features: a request to a context vector.
