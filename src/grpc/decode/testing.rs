//! What the tests of this folder share: violations as lines of text.
//!
//! Not here: anything outside tests.

use super::super::status::Failure;
use crate::field::Violation;

/// The violations of a refusal, a line each.
pub(super) fn violations(failure: impl Into<Failure>) -> Vec<String> {
    match failure.into() {
        Failure::InvalidField(violations) => violations.iter().map(Violation::to_string).collect(),
        other => vec![other.to_string()],
    }
}
