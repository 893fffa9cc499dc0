//! Which arms may take a request, and why others may not.
