//! Route: chooses.
