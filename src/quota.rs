//! Quotas: how many requests and tokens, and how many calls at once, a key, a team and the organisation may have.
//!
//! Every owner of a call must agree: it is let in by all of them or counted by none. A request that is let in draws
//! one from each rate of requests (GCRA, by the crate `governor`). Its tokens are *held* as they are expected (input,
//! and the mean output of the owner's last calls, at most what the caller accepts), and what it really used is drawn
//! when it has ended: GCRA can give nothing back, so nothing is drawn before it is known. Who lets it in looks at
//! what is left, less what is held. A call takes its place among the parallel ones until its answer has ended,
//! however that is: read to the end, failed, or left ([`Pass`]).
//!
//! Invariants: within any time `t`, at most `burst + rate * t` requests of an owner are let in, and no caller within
//! its rate is refused, however many come at once. Of tokens the same holds but for what calls use beyond what was
//! expected of them, which is drawn all the same, so that later calls wait for it: the excess is at most that of the
//! calls under way, which the limit of parallel calls bounds. A call that is expected to use more than a whole burst
//! is let in when the burst is whole and nothing else is held.
//!
//! Limited are the calls that are decided: Route, Complete, its streams, embeddings; a repeat of a request id, too. A
//! call draws its request before anything is looked for in its words, so that one that is refused for them has drawn it.
//! Not limited: feedback, reports of attempts, reading, administration. What a Route's caller then uses is not known:
//! what is expected is drawn. Keys that were made while serving have their team's limits alone, so that a
//! key with limits of its own makes none (`access`).
//!
//! In memory alone: a restart fills every burst. One meter for each owner that has had a limit; a change of a rate
//! keeps how long an owner waits for its burst, and how many it owes beyond one. A call that came in before its owner had a limit is not counted.
//!
//! Not here: where limits are written (`config`), money (`account`), what a provider limits (`standing`).

mod meters;
mod pass;
mod rate;
mod refusal;

pub use meters::{Expected, Meters};
pub use pass::{Pass, Standing, Told};
pub use rate::{Per, Rate};
pub use refusal::{Allowed, Limited, Refusal, Refused};

use crate::account::Owner;
use crate::id::Name;
use std::collections::BTreeMap;

/// What one owner may have. `None`: any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quota {
    /// Requests.
    pub requests: Option<Rate>,
    /// Tokens, of input and output together.
    pub tokens: Option<Rate>,
    /// Calls at once.
    pub parallel: Option<u32>,
}

/// The quotas of all owners.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quotas {
    /// Of all teams together.
    pub organisation: Option<Quota>,
    /// By team.
    pub teams: BTreeMap<Name, Quota>,
    /// By the name of a key, with the team whose key it is.
    pub keys: BTreeMap<Name, (Name, Quota)>,
}

impl Quotas {
    /// Those that a team's call with a key is under, the narrowest first.
    fn of(&self, team: &Name, key: &Name) -> impl Iterator<Item = (Owner, Quota)> {
        let own = self.keys.get(key).filter(|(of, _)| of == team);
        let own = own.map(|(_, quota)| (Owner::Key(team.clone(), key.clone()), *quota));
        let its = self.teams.get(team);
        let its = its.map(|quota| (Owner::Team(team.clone()), *quota));
        let all = self.organisation.map(|quota| (Owner::Organisation, quota));
        own.into_iter().chain(its).chain(all)
    }
}
