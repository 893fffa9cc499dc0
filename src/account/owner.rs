//! Whose money it is, and on what terms.
//!
//! Not here: the terms themselves (`budget::Terms`), the accounts ([`super::Accounts`]).

use crate::budget::{Limit, Terms};
use crate::id::Name;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Who has an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Owner {
    /// All teams together.
    Organisation,
    /// A team, by its name.
    Team(Name),
    /// A team's key, by its name.
    Key(Name, Name),
}

impl Owner {
    /// The words for who it may be.
    pub const KINDS: [&'static str; 3] = ["key", "team", "organisation"];

    /// Which of them it is.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Key(..) => "key",
            Self::Team(_) => "team",
            Self::Organisation => "organisation",
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organisation => f.write_str("the organisation"),
            Self::Team(name) => name.fmt(f),
            Self::Key(_, name) => write!(f, "key {name}"),
        }
    }
}

/// The terms of all accounts: of a request that has several, every one must pay for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Budgets {
    /// Of all teams together. `None`: there is no limit.
    pub organisation: Option<Terms>,
    /// By team.
    pub teams: BTreeMap<Name, Terms>,
    /// By the name of a key, with the team whose key it is.
    pub keys: BTreeMap<Name, (Name, Terms)>,
}

/// Hard limits of teams, in UTC, and nothing else.
impl<I: IntoIterator<Item = (Name, Limit)>> From<I> for Budgets {
    fn from(limits: I) -> Self {
        let limits = limits.into_iter();
        Self {
            teams: limits.map(|(team, limit)| (team, limit.into())).collect(),
            ..Self::default()
        }
    }
}

impl Budgets {
    /// Each owner with its terms: the organisation, the teams, the keys, which is the order accounts are opened in.
    pub(super) fn each(self) -> impl Iterator<Item = (Owner, Terms)> {
        let organisation = self.organisation.map(|terms| (Owner::Organisation, terms));
        let teams = self
            .teams
            .into_iter()
            .map(|(n, terms)| (Owner::Team(n), terms));
        let keys = self
            .keys
            .into_iter()
            .map(|(n, (team, terms))| (Owner::Key(team, n), terms));
        organisation.into_iter().chain(teams).chain(keys)
    }
}
