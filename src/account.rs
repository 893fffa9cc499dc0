//! Accounts: the hard limits of teams, keys and the organisation, kept by every decision and every attempt.
//!
//! A decision holds what it may cost before it is in the journal ([`Purse::hold`]), in every account that pays for
//! it; the first attempt for it settles that at what it cost ([`Accounts::settle`]), later ones are charged. Where we
//! ask the endpoint ourselves only our own attempt settles: what a caller reports of it is charged, and what is held
//! stays held. What nobody settles within [`HELD_FOR`] is over: a `Route` whose caller never told is let go; what we
//! asked ourselves and have no record of was under way when a server was killed, and counts as spent (`single`). What
//! is held is free at once where the caller went before it heard of the decision (`route::unheard`).
//!
//! Invariants: what an owner has spent and holds never exceeds its limit, however many requests come at once,
//! but by what attempts cost beyond their hold (a caller's own figures, a second attempt), which is
//! counted; a purse is one request's alone while it is open. The journal is the truth:
//! [`Accounts::restore`] over its records gives the accounts of before a restart
//! (but for `overrun`: what a second try held is not in the journal, so that its cost counts as overrun there),
//! and so does going on from accounts that were written down ([`Kept`]). An attempt does not say which key it is
//! for: that is known until our own attempt has ended it, a cancel, or the hour, so that what is told later is not
//! counted of a key.
//!
//! What the journal does not say, and a restart forgets: that a hold was cancelled (one of ours for which nothing was
//! tried counts as spent an hour later), that a second try was under way, and that a decision of `Route` was tried by
//! us under its request id.
//!
//! A request that what is left does not pay for may wait for what is held to come free ([`Waiting`]). An account of
//! the organisation is open to one request at a time, whatever its team.
//!
//! Not here: what a request costs at worst (`eligibility`), which arm it buys (`route`), pacing (`learn`).

mod again;
mod kept;
mod owner;
mod purse;
mod refusal;
mod single;
mod waiting;

pub use again::Unpaid;
pub use kept::{Kept, Unfit, Written};
pub use owner::{Budgets, Owner};
pub use purse::Purse;
pub use refusal::Refusal;
pub use waiting::{PATIENCE, Waiting};

use crate::budget;
use crate::decision::{Attempt, Decision};
use crate::id::{DecisionId, Name};
use crate::store::Record;
use crate::unit::{NanoUsd, Timestamp};
use purse::Payers;
use refusal::Refusals;
use single::{Account, Whose};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use waiting::{Queue, Room};

/// How long money is held for a decision that nobody tells an attempt of.
pub const HELD_FOR: Duration = Duration::from_secs(3600);

/// The accounts of all that have a hard limit.
#[derive(Debug, Default)]
pub struct Accounts {
    organisation: Option<Mutex<Account>>,
    teams: BTreeMap<Name, Mutex<Account>>,
    /// By the key's name, which the configuration gives once, with the team whose key it is: another team may make one of
    /// the same name.
    keys: BTreeMap<Name, (Name, Mutex<Account>)>,
    payers: Payers,
    queue: Queue,
    refusals: Refusals,
    /// How often spending passed a soft budget.
    passed: AtomicU64,
}

/// Where an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Most that is spent and held together.
    pub limit: NanoUsd,
    /// Spent in this window.
    pub spent: NanoUsd,
    /// Held for requests under way.
    pub held: NanoUsd,
    /// Spent above what had been held, since the journal began.
    pub overrun: NanoUsd,
    /// When the window ends. `None`: it fills steadily.
    pub resets: Option<Timestamp>,
}

impl Accounts {
    /// Accounts that nothing has been spent from. [`Accounts::restore`] each record of the journal next.
    pub fn new(budgets: impl Into<Budgets>) -> Result<Self, budget::Error> {
        let mut accounts = Self::default();
        for (owner, terms) in budgets.into().each() {
            accounts.put(owner, Account::new(terms)?);
        }
        Ok(accounts)
    }

    fn put(&mut self, owner: Owner, account: Account) {
        let account = Mutex::new(account);
        match owner {
            Owner::Organisation => self.organisation = Some(account),
            Owner::Team(team) => drop(self.teams.insert(team, account)),
            Owner::Key(team, key) => drop(self.keys.insert(key, (team, account))),
        }
    }

    /// All of them.
    fn each(&self) -> impl Iterator<Item = (Owner, &Mutex<Account>)> {
        let organisation = self.organisation.iter().map(|a| (Owner::Organisation, a));
        let teams = self.teams.iter().map(|(n, a)| (Owner::Team(n.clone()), a));
        let keys = self.keys.iter();
        let keys = keys.map(|(n, (team, a))| (Owner::Key(team.clone(), n.clone()), a));
        organisation.chain(teams).chain(keys)
    }

    /// Those that pay for a team's request with a key, opened in the one order that all keep to.
    fn open(&self, team: &Name, key: Option<&Name>) -> Vec<(Owner, MutexGuard<'_, Account>)> {
        let key = key.and_then(|key| Some((key, self.of_key(team, key)?)));
        let own = |(key, account): (&Name, _)| (Owner::Key(team.clone(), key.clone()), account);
        let its_team = self.teams.get_key_value(team);
        let its = |(name, account): (&Name, _)| (Owner::Team(name.clone()), account);
        let organisation = self.organisation.as_ref();
        let all = organisation.map(|account| (Owner::Organisation, account));
        let open = [all, its_team.map(its), key.map(own)].into_iter().flatten();
        open.map(|(owner, account)| (owner, locked(account)))
            .collect()
    }

    /// The account of a team's key.
    fn of_key(&self, team: &Name, key: &Name) -> Option<&Mutex<Account>> {
        let (of, account) = self.keys.get(key)?;
        (of == team).then_some(account)
    }

    /// What a record of the journal did to its accounts, done again.
    pub fn restore(&self, record: &Record) {
        match record {
            Record::Decision(decision) => self.held_before(decision),
            Record::Attempt { team, attempt } => {
                // A cost that cannot be was told of when it came.
                let _ = self.count(team, attempt, &mut Vec::new());
            }
            _ => {}
        }
    }

    /// Lets go, in every account, of what nobody has settled for [`HELD_FOR`].
    pub fn let_go(&self, now: Timestamp) {
        for (_, account) in self.each() {
            locked(account).let_go(now);
        }
        self.payers.forget_ended(now);
    }

    fn held_before(&self, decision: &Decision) {
        let Some(allowance) = &decision.allowance else {
            return;
        };
        let (key, now) = (&decision.key, decision.time);
        // Of one that was held nothing, too: what it costs is its key's.
        if self.of_key(&decision.team, key).is_some() {
            self.payers.note(decision.id, key.clone(), now);
        }
        let (granted, whose) = (allowance.held, Whose::of(allowance.asks));
        if granted.get() <= 0 {
            return;
        }
        for (_, mut account) in self.open(&decision.team, Some(key)) {
            account.let_go(now);
            // A negative sum was never granted.
            if let Ok(reservation) = account.ledger.hold(granted, now) {
                account.note(decision.id, (reservation, granted, whose), now);
            }
        }
    }

    /// Opens what pays for one request of a team with a key; `None` where nothing has a hard limit.
    pub fn purse(&self, team: &Name, key: &Name, now: Timestamp) -> Option<Purse<'_>> {
        let mut open = self.open(team, Some(key));
        for (_, account) in &mut open {
            account.let_go(now);
            let limit = account.terms.limit_at(now);
            // Terms are checked when they are read: it is no negative one.
            let _ = account.ledger.change_limit(limit);
        }
        let pays = self.of_key(team, key).is_some();
        let payers = pays.then(|| (&self.payers, key.clone()));
        (!open.is_empty()).then_some(Purse {
            open,
            payers,
            now,
            whose: Whose::Callers,
        })
    }

    /// An attempt has ended: the first for a decision ends what was held for it, but for one that a caller reports
    /// where we ask ourselves: that is charged, and leaves what is held. One of unknown cost is
    /// taken to have cost what was held; one that failed at an unknown cost leaves it to the next, or to the
    /// hour.
    pub fn settle(&self, team: &Name, attempt: &Attempt) {
        let mut passed = Vec::new();
        if let Err(error) = self.count(team, attempt, &mut passed) {
            tracing::error!(%team, decision = %attempt.decision, %error, "a cost was not counted");
        }
        for (owner, spent) in passed {
            self.passed.fetch_add(1, Ordering::Relaxed);
            let spent_usd = spent.as_usd();
            tracing::warn!(%owner, spent_usd, "spending has passed the soft budget of this window");
        }
        self.wake(attempt.ended);
    }

    /// How often spending passed a soft budget since the start.
    pub fn soft_budgets_passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    /// Tells of each soft budget that it passes, with what is spent.
    fn count(
        &self,
        team: &Name,
        attempt: &Attempt,
        passed: &mut Vec<(Owner, NanoUsd)>,
    ) -> Result<(), budget::Error> {
        let key = self.payers.of(attempt.decision);
        let mut counted = Ok(());
        for (owner, mut account) in self.open(team, key.as_ref()) {
            account.let_go(attempt.ended);
            // The window that the cost falls into.
            account.ledger.left(attempt.ended);
            let before = account.ledger.spent();
            counted = counted.and(account.count(attempt));
            let spent = account.ledger.spent();
            let soft = account.terms.soft;
            if soft.is_some_and(|soft| before < soft && soft <= spent) {
                passed.push((owner, spent));
            }
        }
        // What failed may be followed by another try of the same key.
        let failed = |error: &Name| error.as_str() != Attempt::ABANDONED;
        if !attempt.reported && !attempt.error.as_ref().is_some_and(failed) {
            self.payers.forget(attempt.decision);
        }
        counted
    }

    /// What was held for a decision that did not come about is free again.
    pub fn cancel(&self, team: &Name, decision: DecisionId, now: Timestamp) {
        let key = self.payers.of(decision);
        for (_, mut account) in self.open(team, key.as_ref()) {
            account.release(decision, now);
        }
        self.payers.forget(decision);
        self.wake(now);
    }

    /// What is held for a decision; `None` where nothing is.
    pub fn held(&self, decision: &Decision) -> Option<NanoUsd> {
        let open = self.open(&decision.team, Some(&decision.key));
        let held = open.iter().filter_map(|(_, a)| a.held.get(&decision.id));
        held.map(|hold| hold.amount).min()
    }

    /// What a team's request with a key finds.
    fn room(&self, team: &Name, key: &Name, now: Timestamp) -> Room {
        let Some(mut purse) = self.purse(team, key, now) else {
            let all = NanoUsd::new(i64::MAX);
            return Room {
                left: all,
                possible: all,
            };
        };
        let left = purse.left();
        let possible = purse.open.iter().map(|(_, account)| {
            let ledger = &account.ledger;
            ledger.limit().get().saturating_sub(ledger.spent().get())
        });
        Room {
            left,
            possible: NanoUsd::new(possible.min().unwrap_or(0)),
        }
    }

    /// Where a team's account stands; `None` where it has no hard limit.
    pub fn balance(&self, team: &Name, now: Timestamp) -> Option<Balance> {
        let account = self.teams.get(team)?;
        Some(locked(account).balance(now))
    }

    /// Where the account of a team's key stands; `None` where it has no hard limit.
    pub fn key_balance(&self, team: &Name, key: &Name, now: Timestamp) -> Option<Balance> {
        let account = self.of_key(team, key)?;
        Some(locked(account).balance(now))
    }
}

fn locked(account: &Mutex<Account>) -> MutexGuard<'_, Account> {
    // Nothing here panics half-way through a change.
    account.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Limit, Refill, Window};
    use crate::decision::Allowance;
    use crate::store::sample::{attempt, decision, id, name};

    const HOUR: i64 = 3_600_000_000;

    fn usd(nano: i64) -> NanoUsd {
        NanoUsd::new(nano)
    }

    fn accounts(limit: i64) -> Accounts {
        let limit = Limit {
            usd: usd(limit),
            refill: Refill::Calendar(Window::Day),
        };
        Accounts::new([(name("t"), limit)]).unwrap()
    }

    /// When the samples' ids were minted, and so many hours later.
    fn hours(later: i64) -> Timestamp {
        Timestamp::from_micros(id(1).minted().micros() + later * HOUR)
    }

    fn hold(accounts: &Accounts, number: u64, worst: i64) -> bool {
        let team = name("t");
        let mut purse = accounts.purse(&team, &name("k"), hours(0)).unwrap();
        purse.hold(id(number), usd(worst)).is_ok()
    }

    fn settle(accounts: &Accounts, number: u64, cost: Option<i64>) {
        let Record::Attempt { team, mut attempt } = attempt(number, 0) else {
            unreachable!("an attempt");
        };
        attempt.cost = cost.map(usd);
        attempt.ended = hours(0);
        accounts.settle(&team, &attempt);
    }

    impl Accounts {
        /// So much was spent that nobody had held.
        pub(super) fn charged(&self, team: &Name, amount: i64, now: Timestamp) {
            let mut account = locked(&self.teams[team]);
            account.ledger.charge(usd(amount), now).unwrap();
        }
    }

    /// Spent, held and overrun.
    fn check(accounts: &Accounts, later: i64, expected: [i64; 3]) {
        let balance = accounts.balance(&name("t"), hours(later)).unwrap();
        let found = [balance.spent, balance.held, balance.overrun].map(NanoUsd::get);
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_held_is_settled_once_and_more_is_charged() {
        let accounts = accounts(100);
        assert!(hold(&accounts, 1, 70) && !hold(&accounts, 2, 31));
        settle(&accounts, 1, Some(20));
        check(&accounts, 0, [20, 0, 0]);
        settle(&accounts, 1, Some(5));
        check(&accounts, 0, [25, 0, 5]);
        assert!(hold(&accounts, 2, 75));
    }

    #[test]
    fn an_attempt_of_unknown_cost_counts_as_the_worst_case() {
        let accounts = accounts(100);
        assert!(hold(&accounts, 1, 70));
        settle(&accounts, 1, None);
        check(&accounts, 0, [70, 0, 0]);
    }

    #[test]
    fn what_nobody_settles_is_free_after_an_hour() {
        let accounts = accounts(100);
        assert!(hold(&accounts, 1, 70));
        check(&accounts, 1, [0, 70, 0]);
        check(&accounts, 2, [0, 0, 0]);
        // It came after all: the money is gone.
        settle(&accounts, 1, Some(60));
        check(&accounts, 2, [60, 0, 60]);
    }

    #[test]
    fn a_failure_of_unknown_cost_leaves_the_hold_to_the_next_attempt() {
        let accounts = accounts(100);
        assert!(hold(&accounts, 1, 70));
        let Record::Attempt { team, mut attempt } = attempt(1, 0) else {
            unreachable!("an attempt");
        };
        (attempt.cost, attempt.error) = (None, Some(name("refused")));
        attempt.ended = hours(0);
        accounts.settle(&team, &attempt);
        check(&accounts, 0, [0, 70, 0]);
        settle(&accounts, 1, Some(20));
        check(&accounts, 0, [20, 0, 0]);
    }

    #[test]
    fn a_cost_that_cannot_be_leaves_nothing_held() {
        let accounts = accounts(100);
        assert!(hold(&accounts, 1, 70));
        settle(&accounts, 1, Some(-1));
        check(&accounts, 0, [0, 0, 0]);
    }

    #[test]
    fn a_decision_that_is_tried_late_is_held_again_if_there_is_money() {
        let accounts = accounts(100);
        let mut decision = decision(1);
        decision.allowance = Some(Allowance {
            price: 0.0,
            held: usd(70),
            withheld: Vec::new(),
            asks: false,
        });
        let again = |later: i64| accounts.hold_again(&decision, hours(later)).is_ok();
        assert!(again(0) && again(0));
        check(&accounts, 0, [0, 70, 0]);
        check(&accounts, 2, [0, 0, 0]);
        // Once held again it stays held for as long as any.
        assert!(again(2));
        check(&accounts, 3, [0, 70, 0]);
        check(&accounts, 4, [0, 0, 0]);
        let team = name("t");
        let mut purse = accounts.purse(&team, &name("k"), hours(4)).unwrap();
        purse.hold(id(2), usd(40)).unwrap();
        drop(purse);
        assert!(!again(4));
    }

    #[test]
    fn a_decision_that_was_not_kept_costs_nothing() {
        let accounts = accounts(100);
        assert!(hold(&accounts, 1, 70));
        accounts.cancel(&name("t"), id(1), hours(0));
        check(&accounts, 0, [0, 0, 0]);
    }

    #[test]
    fn a_team_without_a_limit_has_no_purse() {
        let accounts = accounts(100);
        assert!(
            accounts
                .purse(&name("other"), &name("k"), hours(0))
                .is_none()
        );
        assert!(accounts.balance(&name("other"), hours(0)).is_none());
    }

    #[test]
    fn the_journal_gives_back_what_was_spent_and_held() {
        let held = |number: u64, later: i64| {
            let mut decision = decision(number);
            decision.time = hours(later);
            decision.allowance = Some(Allowance {
                price: 0.0,
                held: usd(40),
                withheld: Vec::new(),
                asks: false,
            });
            Record::Decision(Box::new(decision))
        };
        let spent = |number: u64, later: i64| {
            let Record::Attempt { team, mut attempt } = attempt(number, 0) else {
                unreachable!("an attempt");
            };
            attempt.cost = Some(usd(30));
            attempt.ended = hours(later);
            Record::Attempt { team, attempt }
        };
        let accounts = accounts(100);
        // Yesterday's money is not today's; what was granted is held though the limit is lower now.
        let records = [
            held(1, -30),
            spent(1, -30),
            held(2, 0),
            spent(2, 0),
            held(3, 0),
            held(4, 0),
        ];
        records.iter().for_each(|record| accounts.restore(record));
        check(&accounts, 0, [30, 80, 0]);
        assert!(!hold(&accounts, 5, 1));
        settle(&accounts, 3, Some(10));
        check(&accounts, 0, [40, 40, 0]);
    }

    #[test]
    fn requests_at_once_never_hold_more_than_the_limit() {
        let accounts = accounts(1000);
        let granted: i64 = std::thread::scope(|scope| {
            let accounts = &accounts;
            let callers: Vec<_> = (0..8_u64)
                .map(|caller| {
                    scope.spawn(move || {
                        (0..100_u64)
                            .filter(|call| hold(accounts, caller * 100 + call, 7))
                            .count()
                    })
                })
                .collect();
            let granted = callers.into_iter().map(|caller| caller.join().unwrap());
            granted.sum::<usize>() as i64
        });
        assert_eq!(granted, 1000 / 7);
        check(&accounts, 0, [0, granted * 7, 0]);
    }
}
