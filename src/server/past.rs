//! What the journal's records add up to, beside what the store's index and the learner make of them: what
//! teams have spent and hold, the versions there are, the newest budgets and baselines.
//!
//! It follows the journal from the first record on ([`Digest`]), and is written down with the store's index, so
//! that a start goes on from there. The accounts that requests use are others, made from these once the store is
//! open: they change before a record is in the journal.
//!
//! Invariants: gone on with at any place it is what all records make of it, but for the shares of warmth, which
//! are read from the warmth that serves: the lessons of calls under way at that moment are lost by a start,
//! none is learned twice. What was written under another layout, or under a limit that filled again in another
//! way, is refused: then all records are read, which is exact and slow. Another amount of a limit is not another
//! limit: nothing here depends on it.
//!
//! Not here: what follows for the journal (`state`), the sessions of warmth (`rewarm`).
//!
//! What is written is copied while appenders wait, and encoded while none does (`store::Copied`).
//!
//! Units: bytes. Some 60 a version, 100 a team, and an account's holds (`account::Kept`). A record took 54 ns to
//! take in, one that holds money 0.8 us.

use super::error::Error;
use crate::account::{Accounts, Budgets, Kept, Unfit, Written};
use crate::budget::Budget;
use crate::config;
use crate::decision::Origin;
use crate::id::Name;
use crate::signal::Guard;
use crate::store::{Copied, Digest, Record, VersionKind};
use crate::unit::Timestamp;
use crate::warmth::{Share, Warmth};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use xxhash_rust::xxh3::xxh3_64;

/// The first byte of what is written. To be raised with any change of what follows it or of what a record does.
const LAYOUT: u8 = 3;

/// Every so many records the holds that are over are let go of in all accounts, those of silent teams too. By
/// the place in the journal, so that it does not matter where a start went on.
const SWEEP: u64 = 1_024;

/// A team's baseline, and the signals in which the router may not be worse.
pub(super) type Compared = (Option<Name>, Vec<Guard>);

/// What is known of the journal's records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Known {
    /// The hash of each version's text ([`text_hash`]).
    pub(super) versions: BTreeMap<(VersionKind, Name, u32), u64>,
    /// The newest budget of each team.
    pub(super) budgets: BTreeMap<Name, Option<Budget>>,
    /// The newest baseline of each team.
    pub(super) baselines: BTreeMap<Name, Compared>,
    /// When the newest record was made.
    newest: Timestamp,
    /// How many records there were.
    taken: u64,
}

/// What the records add up to.
#[derive(Debug)]
struct Past {
    budgets: Budgets,
    known: Known,
    accounts: Accounts,
    warmth: Arc<Warmth>,
    /// While the store opens: warmth hears of the records from here.
    opening: bool,
    /// Records shown while the store opened, after the place that it went on from, if it did.
    shown: u64,
    restored: bool,
}

/// The past as it was, to be encoded.
#[derive(Debug, Serialize)]
struct Was(Known, Written, Vec<Share>);

/// The past, shared with the store, which shows it the records.
#[derive(Debug, Clone)]
pub(super) struct Shared(Arc<Mutex<Past>>);

/// Why what was written cannot be gone on with.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error("another build wrote it")]
    Layout,
    #[error("it does not decode")]
    Undecodable,
    #[error(transparent)]
    Account(#[from] Unfit),
    #[error("a share of tokens found is not between 0 and 1")]
    Share,
}

/// What a version's text is known by.
pub(super) fn text_hash(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

impl Shared {
    /// Nothing has happened yet. Until the store is open, `warmth` hears of what did.
    pub(super) fn new(params: &config::Params, warmth: Arc<Warmth>) -> Result<Self, Error> {
        Ok(Self::of(params.budgets(), warmth)?)
    }

    fn of(budgets: impl Into<Budgets>, warmth: Arc<Warmth>) -> Result<Self, crate::budget::Error> {
        let budgets = budgets.into();
        let past = Past {
            accounts: Accounts::new(budgets.clone())?,
            budgets,
            known: Known::default(),
            warmth,
            opening: true,
            shown: 0,
            restored: false,
        };
        Ok(Self(Arc::new(Mutex::new(past))))
    }

    /// The store is open, its newest record is `newest`: what comes from here on tells warmth by itself. Returns
    /// the last record that was not shown, 0 if all were.
    pub(super) fn opened(&self, newest: u64) -> u64 {
        let mut past = self.past();
        past.opening = false;
        match past.restored {
            true => newest.saturating_sub(past.shown),
            false => 0,
        }
    }

    /// What is known, as it stands. Never hold on to the past itself while appending: the store shows it each record.
    pub(super) fn known(&self) -> Known {
        self.past().known.clone()
    }

    /// Accounts for requests to use: they go on by themselves.
    pub(super) fn accounts(&self) -> Accounts {
        self.past().accounts.copied()
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        // Nothing here panics half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Digest for Shared {
    fn restore(&mut self, bytes: &[u8]) -> bool {
        let restored = self.past().restore(bytes);
        if let Err(reason) = &restored {
            tracing::info!(%reason, "what was kept of the past does not serve: every record is read");
        }
        restored.is_ok()
    }

    fn take(&mut self, record: &Record) {
        self.past().take(record);
    }

    fn copied(&self) -> Box<dyn Copied> {
        Box::new(self.past().was())
    }
}

impl Copied for Was {
    fn bytes(&self) -> Vec<u8> {
        // Growing a Vec is the only step that could fail, and it aborts instead; nothing does not restore.
        postcard::to_extend(self, vec![LAYOUT]).unwrap_or_default()
    }
}

impl Past {
    fn restore(&mut self, bytes: &[u8]) -> Result<(), Unread> {
        let [LAYOUT, body @ ..] = bytes else {
            return Err(Unread::Layout);
        };
        let read = postcard::take_from_bytes::<(Known, Kept, Vec<Share>)>(body);
        let Ok(((known, kept, shares), [])) = read else {
            return Err(Unread::Undecodable);
        };
        let accounts = Accounts::reopened(self.budgets.clone(), kept)?;
        if !self.warmth.resume(shares, known.newest) {
            return Err(Unread::Share);
        }
        (self.known, self.accounts, self.restored) = (known, accounts, true);
        Ok(())
    }

    fn take(&mut self, record: &Record) {
        self.accounts.restore(record);
        self.known.take(record);
        if self.known.taken.is_multiple_of(SWEEP) {
            self.accounts.let_go(record.time());
        }
        if self.opening {
            self.shown += 1;
            self.warmth.note(record);
        }
    }

    fn was(&self) -> Was {
        let written = self.accounts.written();
        Was(self.known.clone(), written, self.warmth.shares())
    }
}

impl Known {
    fn take(&mut self, record: &Record) {
        self.taken += 1;
        self.newest = self.newest.max(record.time());
        match record {
            Record::Version {
                kind,
                team,
                version,
                text,
                ..
            } => {
                let key = (*kind, team.clone(), *version);
                self.versions.insert(key, text_hash(text));
            }
            Record::Budget { team, budget, .. } => {
                self.budgets.insert(team.clone(), *budget);
            }
            Record::Baseline {
                team, arm, guards, ..
            } => {
                let compared = (arm.clone(), guards.clone());
                self.baselines.insert(team.clone(), compared);
            }
            // Journals from before baselines were in them know theirs by what they took.
            Record::Decision(decision) if decision.origin == Origin::Baseline => {
                let arm = decision.drawn.arm();
                let before = self.baselines.get(&decision.team);
                if before.is_none_or(|(a, _)| a.as_ref() != arm) {
                    let compared = (arm.cloned(), Vec::new());
                    self.baselines.insert(decision.team.clone(), compared);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Limit, Refill, Window};
    use crate::decision::Allowance;
    use crate::store::sample::{attempt, decision, id, name, record, time};
    use crate::unit::NanoUsd;

    fn limit(usd: i64, window: Window) -> Vec<(Name, Limit)> {
        let limit = Limit {
            usd: NanoUsd::new(usd),
            refill: Refill::Calendar(window),
        };
        vec![(name("t"), limit)]
    }

    fn past(limits: Vec<(Name, Limit)>) -> Shared {
        Shared::of(limits, Arc::default()).unwrap()
    }

    impl Shared {
        fn bytes(&self) -> Vec<u8> {
            self.copied().bytes()
        }
    }

    /// Holds, costs, versions, budgets, baselines, a session; more records than one sweep.
    fn records() -> Vec<Record> {
        let mut records = Vec::new();
        for number in 0..700_u64 {
            let mut decision = decision(number);
            decision.time = time(60 * number.cast_signed());
            decision.session = Some(name("s"));
            decision.allowance = Some(Allowance {
                price: 0.0,
                held: NanoUsd::new(2_000),
                withheld: Vec::new(),
                asks: false,
            });
            if number == 90 {
                decision.origin = Origin::Baseline;
            }
            records.push(record(decision));
            if number % 3 != 0 {
                records.push(attempt(number, 60 * number.cast_signed() + 5));
            }
            if number % 100 == 50 {
                records.push(Record::Version {
                    kind: VersionKind::Scorecard,
                    team: name("t"),
                    version: number as u32,
                    text: format!("card {number}"),
                    time: time(0),
                });
                let budget = Budget {
                    request_usd: Some(number as f64),
                    limit: None,
                };
                records.push(Record::Budget {
                    team: name("t"),
                    budget: Some(budget),
                    time: time(0),
                });
            }
            if number == 400 {
                records.push(Record::Baseline {
                    team: name("t"),
                    arm: Some(name("small")),
                    guards: Vec::new(),
                    time: time(0),
                });
            }
        }
        records
    }

    fn shown(past: &mut Shared, records: &[Record]) {
        records.iter().for_each(|record| past.take(record));
    }

    /// Written at record `cut` and gone on with under these limits, it is what all records make of it.
    fn check(cut: usize, limits: &[(Name, Limit)]) {
        let records = records();
        let mut whole = past(limits.to_vec());
        shown(&mut whole, &records);
        let mut before = past(limit(1_000_000, Window::Month));
        shown(&mut before, &records[..cut]);
        let mut gone_on = past(limits.to_vec());
        assert!(gone_on.restore(&before.bytes()));
        shown(&mut gone_on, &records[cut..]);
        assert_eq!(gone_on.known(), whole.known());
        let balance = |past: &Shared| {
            let later = [0, 59, 61, 24 * 60 * 40].map(|minutes| 60 * (700 + minutes));
            later.map(|at| past.accounts().balance(&name("t"), time(at)))
        };
        assert_eq!(balance(&gone_on), balance(&whole));
        assert_eq!(gone_on.bytes(), whole.bytes());
        let newest = records.len() as u64;
        assert_eq!(
            (gone_on.opened(newest), whole.opened(newest)),
            (cut as u64, 0)
        );
    }

    #[test]
    fn gone_on_with_at_any_place_it_is_what_all_records_make_of_it() {
        let length = records().len();
        assert!(length > SWEEP as usize);
        for cut in [0, 1, 77, 500, 1_000, length - 1, length] {
            check(cut, &limit(1_000_000, Window::Month));
        }
    }

    #[test]
    fn a_limit_that_was_raised_or_lowered_is_gone_on_with() {
        check(700, &limit(5_000, Window::Month));
        check(700, &limit(5_000_000, Window::Month));
        check(700, &[]);
    }

    #[test]
    fn another_window_another_layout_and_damage_are_read_anew() {
        let records = records();
        let mut before = past(limit(1_000_000, Window::Month));
        shown(&mut before, &records);
        let bytes = before.bytes();
        let refused = |limits: Vec<(Name, Limit)>, bytes: &[u8]| {
            let mut anew = past(limits.clone());
            assert!(!anew.restore(bytes));
            shown(&mut anew, &records);
            let mut whole = past(limits);
            shown(&mut whole, &records);
            assert_eq!(anew.bytes(), whole.bytes(), "as if nothing had been read");
            assert_eq!(anew.opened(records.len() as u64), 0);
        };
        refused(limit(1_000_000, Window::Day), &bytes);
        refused(
            [
                limit(9, Window::Month),
                vec![(name("new"), limit(9, Window::Day)[0].1)],
            ]
            .concat(),
            &bytes,
        );
        let month = || limit(1_000_000, Window::Month);
        refused(month(), &[]);
        refused(month(), &bytes[..bytes.len() - 1]);
        refused(month(), &[&bytes[..], &[0]].concat());
        refused(month(), &[&[LAYOUT + 1][..], &bytes[1..]].concat());
    }

    #[test]
    fn what_a_silent_team_holds_is_not_written_down_for_ever() {
        let length = |held: Option<i64>, ticks: u64| {
            let mut past = past(limit(1_000_000, Window::Month));
            let mut first = decision(1);
            first.allowance = held.map(|held| Allowance {
                price: 0.0,
                held: NanoUsd::new(held),
                withheld: Vec::new(),
                asks: false,
            });
            past.take(&record(first));
            for second in 0..ticks {
                let time = time(4_000 + second.cast_signed());
                past.take(&Record::Tick { time });
            }
            past.bytes().len()
        };
        assert!(length(Some(2_000), 1) > length(None, 1));
        assert_eq!(length(Some(2_000), SWEEP), length(None, SWEEP));
    }

    #[test]
    fn the_accounts_that_requests_use_go_their_own_way() {
        let past = past(limit(1_000, Window::Month));
        let accounts = past.accounts();
        let team = name("t");
        let held = accounts
            .purse(&team, &name("k"), time(0))
            .unwrap()
            .hold(id(1), NanoUsd::new(900));
        assert!(held.is_ok());
        let theirs = past.accounts().balance(&team, time(0));
        assert_eq!(theirs.map(|b| b.held), Some(NanoUsd::ZERO));
    }

    #[test]
    fn warmth_hears_of_records_while_the_store_opens_and_not_after() {
        let warmth = Arc::new(Warmth::default());
        let mut past = Shared::of(Budgets::default(), Arc::clone(&warmth)).unwrap();
        let session = |number: u64, session: &str| {
            let mut decision = decision(number);
            decision.session = Some(name(session));
            record(decision)
        };
        past.take(&session(1, "before"));
        assert_eq!(past.opened(1), 0);
        past.take(&session(2, "after"));
        let warm = |session| {
            warmth
                .of(&name("t"), &name(session), time(3))
                .tokens(&name("e"), 100)
        };
        assert_eq!((warm("before"), warm("after")), (100, 0));
    }
}
