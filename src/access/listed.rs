//! What is told of a key: everything but its text.
//!
//! Not here: who may hear it (`book`).

use super::Grant;
use super::made::Made;
use crate::id::Name;
use crate::unit::Timestamp;
use std::sync::Arc;

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What it grants.
    pub grant: Arc<Grant>,
    /// What became of it since it was made. `None`: it stands in the configuration.
    pub life: Option<Life>,
}

/// What became of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// The public part of its text.
    pub prefix: String,
    /// The key that made it.
    pub creator: Name,
    /// When it was made.
    pub created: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// The public part of the text before, and until when that is good; `None` where it is not any more.
    pub before: Option<(String, Timestamp)>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyPage {
    /// By name.
    pub keys: Vec<Listed>,
    /// The name after which the next page begins. `None`: this was the last.
    pub next: Option<Name>,
}

impl Listed {
    /// What is told at `now`.
    pub(super) fn of(made: &Made, now: Timestamp) -> Self {
        let before = made.before.as_ref().filter(|(_, until)| now < *until);
        let life = Life {
            prefix: made.text.prefix.clone(),
            creator: made.creator.clone(),
            created: made.created,
            revoked: made.revoked,
            before: before.map(|(text, until)| (text.prefix.clone(), *until)),
        };
        Self {
            grant: Arc::clone(&made.grant),
            life: Some(life),
        }
    }
}
