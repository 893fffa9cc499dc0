//! Outcome tables and exported traffic.
