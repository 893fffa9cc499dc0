//! Why a key is not made or changed.
//!
//! Not here: why a call is not let in (`access::Error`).

use crate::field::Violation;
use crate::id::Name;
use crate::store::keyed;

/// What a key with a budget is told.
pub(super) const HAS_BUDGET: &str = "make a key or give one a new text, for it has a budget of its own and a key that is \
                                     made has none: allowed with a key without `budget` under [[keys]]";

/// What a key with limits is told.
pub(super) const HAS_LIMITS: &str = "make a key or give one a new text, for it has limits of its own and a key that is \
                                     made has none: allowed with a key without `limits` under [[keys]]";

/// Why a key is not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The caller's own key was revoked or ended meanwhile.
    #[error("the calling key is not good any more")]
    CallerGone,
    /// Fields that break their rules.
    #[error("{}", Violation::in_one_line(.0))]
    Fields(Vec<Violation>),
    /// A right that the caller has not.
    #[error("this key may not {action}")]
    Beyond {
        /// What it may not, and what is allowed.
        action: String,
    },
    /// The name has, or had, another key.
    #[error("key {name} of this team exists, or existed: allowed a name that was never used")]
    Exists {
        /// The name.
        name: Name,
    },
    /// No such key of the team.
    #[error("no such key of this team: allowed a name that ListKeys tells")]
    NotFound {
        /// The name.
        name: Name,
    },
    /// It stands in the configuration.
    #[error("key {name} stands in the configuration: change it there, under [[keys]]")]
    Configured {
        /// The name.
        name: Name,
    },
    /// It was revoked, or has ended.
    #[error("key {name} was revoked or has expired: allowed to make a new one")]
    Ended {
        /// The name.
        name: Name,
    },
    /// Everyone is let in anyway.
    #[error(
        "the server is open: a key would keep nobody out; take `open` out of its configuration first"
    )]
    Open,
    /// The team has as many keys as are kept.
    #[error(
        "the team has {limit} keys, those that were revoked among them: allowed at most {limit}"
    )]
    Full {
        /// How many that is.
        limit: usize,
    },
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] keyed::Error),
    /// The audit log cannot be told: nothing is done that is not in it.
    #[error("the audit log: {0}")]
    Audit(#[from] crate::store::Error),
    /// The operating system has no chance to give.
    #[error("no random bytes: {0}")]
    Random(String),
    /// Something that cannot be, was.
    #[error("internal: {0}")]
    Bug(&'static str),
}
