//! Access: a key to a team and what it may do.
