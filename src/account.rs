//! Accounts: each team's hard limit, kept by every decision and every attempt.
//!
//! A decision holds its worst case before it is in the journal ([`Purse::hold`]); the first attempt for it
//! settles that at what it cost ([`Accounts::settle`]), later ones are charged. What nobody settles within
//! [`HELD_FOR`] is let go: a `Route` whose caller never told; at once, where the caller went before it heard
//! of the decision (`route::unheard`).
//!
//! Invariants: what a team has spent and holds never exceeds its limit, however many requests come at once,
//! but by what attempts cost beyond their worst case (a caller's own figures, a second attempt), which is
//! counted (a report that a caller makes of an attempt of ours that is still under way ends its hold too: what
//! that attempt costs is then charged); a purse is one request's alone while it is open. The journal is the truth:
//! [`Accounts::restore`] over its records gives the accounts of before a restart
//! (but for `overrun`: what a second try held is not in the journal, so that its cost counts as overrun there),
//! and so does going on from accounts that were written down ([`Kept`]).
//!
//! A request that what is left does not pay for may wait for what is held to come free ([`Waiting`]).
//!
//! Not here: what a request costs at worst (`eligibility`), which arm it buys (`route`), pacing (`learn`).

mod kept;
mod waiting;

pub use kept::{Kept, Unfit, Written};
pub use waiting::{PATIENCE, Waiting};

use crate::budget::{self, Bounds, Ledger, Limit, Refill, Refused, Reservation};
use crate::decision::{Attempt, Decision};
use crate::id::{DecisionId, Name};
use crate::store::Record;
use crate::unit::{NanoUsd, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use waiting::{Queue, Room};

/// How long money is held for a decision that nobody tells an attempt of.
pub const HELD_FOR: Duration = Duration::from_secs(3600);

/// The accounts of all teams that have a hard limit.
#[derive(Debug, Default)]
pub struct Accounts {
    teams: BTreeMap<Name, Mutex<Account>>,
    queue: Queue,
}

#[derive(Debug, Clone)]
struct Account {
    ledger: Ledger,
    held: BTreeMap<DecisionId, Hold>,
    /// When each of them is let go, the next first.
    ends: BTreeSet<(Timestamp, DecisionId)>,
}

/// What is held for one decision.
#[derive(Debug, Clone, Copy)]
struct Hold {
    reservation: Reservation,
    amount: NanoUsd,
    until: Timestamp,
}

/// A team's account, open to one request.
#[derive(Debug)]
pub struct Purse<'a> {
    team: &'a Name,
    account: MutexGuard<'a, Account>,
    now: Timestamp,
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
    pub fn new(limits: impl IntoIterator<Item = (Name, Limit)>) -> Result<Self, budget::Error> {
        // Before every record: time only goes forward in a ledger.
        let start = Timestamp::from_micros(0);
        let open = |(team, Limit { usd, refill }): (Name, Limit)| {
            let account = Account::new(Ledger::new(usd, refill, start)?);
            Ok((team, Mutex::new(account)))
        };
        let teams = limits.into_iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self {
            teams,
            queue: Queue::default(),
        })
    }

    /// What a record of the journal did to its team's account, done again.
    pub fn restore(&self, record: &Record) {
        match record {
            Record::Decision(decision) => self.held_before(decision),
            Record::Attempt { team, attempt } => {
                // A cost that cannot be was told of when it came.
                let _ = self.count(team, attempt);
            }
            _ => {}
        }
    }

    /// Lets go, in every account, of what nobody has settled for [`HELD_FOR`].
    pub fn let_go(&self, now: Timestamp) {
        for account in self.teams.values() {
            locked(account).let_go(now);
        }
    }

    fn held_before(&self, decision: &Decision) {
        let granted = decision.allowance.as_ref().map(|allowance| allowance.held);
        let granted = granted.filter(|held| held.get() > 0);
        if let (Some(granted), Some(mut account)) = (granted, self.account(&decision.team)) {
            account.let_go(decision.time);
            // A negative sum was never granted.
            if let Ok(reservation) = account.ledger.hold(granted, decision.time) {
                account.note(decision.id, (reservation, granted), decision.time);
            }
        }
    }

    /// Opens a team's account for one request; `None` where it has no hard limit.
    pub fn purse<'a>(&'a self, team: &'a Name, now: Timestamp) -> Option<Purse<'a>> {
        let mut account = self.account(team)?;
        account.let_go(now);
        Some(Purse { team, account, now })
    }

    /// An attempt has ended: the first for a decision ends what was held for it. One of unknown cost is
    /// taken to have cost what was held; one that failed at an unknown cost leaves it to the next, or to the
    /// hour.
    pub fn settle(&self, team: &Name, attempt: &Attempt) {
        if let Err(error) = self.count(team, attempt) {
            tracing::error!(%team, decision = %attempt.decision, %error, "a cost was not counted");
        }
        self.wake(attempt.ended);
    }

    fn count(&self, team: &Name, attempt: &Attempt) -> Result<(), budget::Error> {
        let Some(mut account) = self.account(team) else {
            return Ok(());
        };
        let account = &mut *account;
        account.let_go(attempt.ended);
        if attempt.cost.is_none() && attempt.error.is_some() {
            return Ok(());
        }
        match account.take(attempt.decision) {
            Some(hold) => {
                let cost = attempt.cost.unwrap_or(hold.amount);
                let settled = account.ledger.settle(hold.reservation, cost, attempt.ended);
                if settled.is_err() {
                    // Or it would be held for ever. It is open: it stood in `held`.
                    let _ = account.ledger.release(hold.reservation, attempt.ended);
                }
                settled.map(drop)
            }
            None => {
                let cost = attempt.cost.unwrap_or(NanoUsd::ZERO);
                account.ledger.charge(cost, attempt.ended)
            }
        }
    }

    /// Holds again for a decision that was made before and never tried: its hold may have been let go since.
    pub fn hold_again(
        &self,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<(), Box<(Refused, Option<Duration>)>> {
        let granted = decision.allowance.as_ref().map(|allowance| allowance.held);
        let (Some(granted), Some(mut purse)) = (granted, self.purse(&decision.team, now)) else {
            return Ok(());
        };
        if purse.account.held.contains_key(&decision.id) {
            return Ok(());
        }
        let held = purse.hold(decision.id, granted);
        held.map_err(|refused| Box::new((refused, purse.refill(granted))))
    }

    /// Holds enough for another try of a decision; whether it could. What is held for it already counts. Bounds
    /// that cannot be said cannot be held.
    pub fn hold_for(&self, decision: &Decision, bounds: Option<Bounds>, now: Timestamp) -> bool {
        let Some(mut purse) = self.purse(&decision.team, now) else {
            return true;
        };
        let Some(bounds) = bounds else {
            return false;
        };
        let held = purse.account.held.get(&decision.id).map(|h| h.amount);
        if held.is_some_and(|held| held >= bounds.worst) {
            return true;
        }
        if held.is_some() {
            purse.account.release(decision.id, now);
        }
        let amount = bounds.held(purse.left());
        if amount.is_some_and(|amount| purse.hold(decision.id, amount).is_ok()) {
            return true;
        }
        if let Some(before) = held
            && let Err(error) = purse.hold(decision.id, before)
        {
            tracing::error!(%error, "what had been held could not be held again");
        }
        false
    }

    /// What was held for a decision that did not come about is free again.
    pub fn cancel(&self, team: &Name, decision: DecisionId, now: Timestamp) {
        if let Some(mut account) = self.account(team) {
            account.release(decision, now);
        }
        self.wake(now);
    }

    /// What is held for a decision; `None` where nothing is.
    pub fn held(&self, decision: &Decision) -> Option<NanoUsd> {
        let account = self.account(&decision.team)?;
        Some(account.held.get(&decision.id)?.amount)
    }

    /// What a team's request finds.
    fn room(&self, team: &Name, now: Timestamp) -> Room {
        let Some(mut purse) = self.purse(team, now) else {
            let all = NanoUsd::new(i64::MAX);
            return Room {
                left: all,
                possible: all,
            };
        };
        let left = purse.left();
        let ledger = &purse.account.ledger;
        let possible = ledger.limit().get().saturating_sub(ledger.spent().get());
        Room {
            left,
            possible: NanoUsd::new(possible),
        }
    }

    /// Where a team's account stands; `None` where it has no hard limit.
    pub fn balance(&self, team: &Name, now: Timestamp) -> Option<Balance> {
        let mut purse = self.purse(team, now)?;
        // Brings the window up to now.
        purse.left();
        let ledger = &purse.account.ledger;
        Some(Balance {
            limit: ledger.limit(),
            spent: ledger.spent(),
            held: ledger.reserved(),
            overrun: ledger.overrun(),
            resets: match ledger.refill() {
                Refill::Calendar(window) => Some(window.around(now).1),
                Refill::PerSecond(_) => None,
            },
        })
    }

    fn account(&self, team: &Name) -> Option<MutexGuard<'_, Account>> {
        self.teams.get(team).map(locked)
    }
}

fn locked(account: &Mutex<Account>) -> MutexGuard<'_, Account> {
    // Nothing here panics half-way through a change.
    account.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Account {
    fn new(ledger: Ledger) -> Self {
        Self {
            ledger,
            held: BTreeMap::new(),
            ends: BTreeSet::new(),
        }
    }

    /// Lets go of what nobody has settled for [`HELD_FOR`].
    fn let_go(&mut self, now: Timestamp) {
        while let Some(&(until, decision)) = self.ends.first()
            && until < now
        {
            self.release(decision, now);
        }
    }

    fn release(&mut self, decision: DecisionId, now: Timestamp) {
        if let Some(hold) = self.take(decision) {
            // It was open: it stood in `held`.
            let _ = self.ledger.release(hold.reservation, now);
        }
    }

    fn note(
        &mut self,
        decision: DecisionId,
        (reservation, amount): (Reservation, NanoUsd),
        now: Timestamp,
    ) {
        let until = now.after(HELD_FOR);
        let hold = Hold {
            reservation,
            amount,
            until,
        };
        self.held.insert(decision, hold);
        self.ends.insert((until, decision));
    }

    fn take(&mut self, decision: DecisionId) -> Option<Hold> {
        let hold = self.held.remove(&decision)?;
        self.ends.remove(&(hold.until, decision));
        Some(hold)
    }
}

impl Purse<'_> {
    /// Whose it is.
    pub fn team(&self) -> &Name {
        self.team
    }

    /// What may still be held.
    pub fn left(&mut self) -> NanoUsd {
        self.account.ledger.left(self.now)
    }

    /// How long until so much fits, if nothing else is spent or settled; `None` where that is never, or
    /// not known.
    pub fn refill(&mut self, asked: NanoUsd) -> Option<Duration> {
        let again = self.account.ledger.again(asked, self.now)?;
        let micros = again.micros().saturating_sub(self.now.micros());
        u64::try_from(micros).ok().map(Duration::from_micros)
    }

    /// Holds the worst case of a decision.
    pub fn hold(&mut self, decision: DecisionId, worst_case: NanoUsd) -> Result<(), Refused> {
        let account = &mut *self.account;
        let reservation = account.ledger.reserve(worst_case, self.now)?;
        account.note(decision, (reservation, worst_case), self.now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Window;
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
        let mut purse = accounts.purse(&team, hours(0)).unwrap();
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
            let mut account = self.account(team).unwrap();
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
        let mut purse = accounts.purse(&team, hours(4)).unwrap();
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
        assert!(accounts.purse(&name("other"), hours(0)).is_none());
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
