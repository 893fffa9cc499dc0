//! Off-policy evaluation: what a log says of another policy.
