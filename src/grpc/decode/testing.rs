//! What the tests of this folder share: violations as lines of text.
//!
//! Not here: anything outside tests.

use super::super::status::Failure;

/// The violations of a refusal, each `field: problem`.
pub(super) fn violations(failure: Failure) -> Vec<String> {
    match failure {
        Failure::InvalidField(violations) => violations
            .iter()
            .map(|v| format!("{}: {}", v.field, v.problem))
            .collect(),
        other => vec![other.to_string()],
    }
}
