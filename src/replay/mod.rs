//! Replay: judges.
