//! The details of what a limit refuses: a rate, a loop, a key's number and state.
//!
//! Not here: codes and reasons (`status`).

use super::status::quota;
use crate::access::KeyError;
use crate::loops::Looping;
use crate::quota::Refused;
use tonic_types::{ErrorDetails, PreconditionViolation};

/// Whose limit is reached, and when to come again.
pub(super) fn reached(details: &mut ErrorDetails, refused: &Refused) {
    let owner = refused.owner.to_string();
    quota(
        details,
        &owner,
        refused.limited.as_str(),
        Some(refused.wait),
    );
}

/// The rule that an episode broke. No RetryInfo: the same call would be refused again.
pub(super) fn looping(details: &mut ErrorDetails, looping: &Looping) {
    let rule = looping.finding.rule.as_str().to_ascii_uppercase();
    let (episode, why) = (looping.episode.to_string(), looping.finding.to_string());
    let broken = PreconditionViolation::new(rule, episode, why);
    details.set_precondition_failure(vec![broken]);
}

/// The key that is not made or changed, or that there are too many.
pub(super) fn of_key(details: &mut ErrorDetails, error: &KeyError) {
    match error {
        KeyError::NotFound { name }
        | KeyError::Exists { name }
        | KeyError::Configured { name }
        | KeyError::Ended { name } => {
            details.set_resource_info("key", name.as_str(), "", "not changed");
        }
        KeyError::Full { .. } => quota(details, "keys", "too many", None),
        _ => {}
    }
}
