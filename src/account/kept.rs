//! Accounts written down and read again, so that a start need not read the whole journal for them.
//!
//! Invariants: accounts that are written, read and then shown the rest of a journal stand, to the bit, as those
//! that were shown all of it; what is read and cannot be is refused, and then no account is made. How much a
//! limit is may change between the two, since [`Accounts::restore`] never asks it; how it fills again may not.
//!
//! Not here: where they are written (`store`), beside what (`server`).
//!
//! Units: bytes. An account is some 40, and at most 45 for each hold: at worst those of an hour
//! ([`super::HELD_FOR`]) of a team that routes and never tells what became of it, as long as its limit lets it:
//! 160 KB for one call a second. 100,000 holds are 3.6 MB: 5 to 9 ms to copy, while appenders wait, and 36 ms to
//! encode, while none does (a test build, five runs).

use super::purse::{Keys, Payers};
use super::single::{Account, Hold, Whose};
use super::{Accounts, Budgets, Owner, locked};
use crate::budget::{Ledger, Reservation, Terms};
use crate::id::DecisionId;
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Accounts as they stood, to be written, as [`Kept`] reads them.
#[derive(Debug, Serialize)]
pub struct Written(Vec<One>, Keys);

/// One account.
type One = (Owner, Ledger, Vec<Held>);

/// A hold, as it is written: its amount is in the ledger.
type Held = (DecisionId, Reservation, Timestamp, Whose);

/// Accounts as they were read: [`Accounts::reopened`] checks them.
#[derive(Debug, Deserialize)]
pub struct Kept(Vec<One>, Keys);

/// Why accounts that were read cannot be gone on with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It was not kept: its limit is new.
    #[error("{owner} had no limit before")]
    New {
        /// Whose.
        owner: Owner,
    },
    /// What it has spent depends on that.
    #[error("the limit of {owner} filled again in another way before")]
    Refill {
        /// Whose.
        owner: Owner,
    },
    /// Its parts contradict each other.
    #[error("the account of {owner} is not whole")]
    Broken {
        /// Whose.
        owner: Owner,
    },
}

impl Accounts {
    /// The accounts of these limits, gone on with. Those that have none any more are dropped.
    pub fn reopened(budgets: impl Into<Budgets>, kept: Kept) -> Result<Self, Unfit> {
        let Kept(kept, payers) = kept;
        let kept = kept.into_iter();
        let mut kept: BTreeMap<_, _> = kept.map(|(o, ledger, held)| (o, (ledger, held))).collect();
        let mut accounts = Self {
            payers: Payers::new(payers),
            ..Self::default()
        };
        for (owner, terms) in budgets.into().each() {
            let Some((ledger, held)) = kept.remove(&owner) else {
                return Err(Unfit::New { owner });
            };
            if (ledger.refill(), ledger.zone()) != (terms.limit.refill, terms.zone) {
                return Err(Unfit::Refill { owner });
            }
            match whole(ledger, held, terms) {
                Some(account) => accounts.put(owner, account),
                None => return Err(Unfit::Broken { owner }),
            }
        }
        accounts.forget_payers();
        Ok(accounts)
    }

    /// Of keys that have no account any more.
    fn forget_payers(&self) {
        self.payers
            .lock()
            .retain(|_, (key, _)| self.keys.contains_key(key));
    }

    /// A copy that can be written down later, while these go on.
    pub fn written(&self) -> Written {
        let each = self.each().map(|(owner, account)| {
            let account = locked(account);
            let held = account.held.iter();
            let held = held.map(|(id, h)| (*id, h.reservation, h.until, h.whose));
            (owner, account.ledger.clone(), held.collect())
        });
        Written(each.collect(), self.payers.lock().clone())
    }

    /// Accounts that stand as these do, and from here on go their own way.
    pub fn copied(&self) -> Self {
        let mut copied = Self {
            payers: Payers::new(self.payers.lock().clone()),
            ..Self::default()
        };
        for (owner, account) in self.each() {
            let account = locked(account).clone();
            copied.put(owner, account);
        }
        copied
    }
}

/// The account, if each hold is one of the ledger's and the ledger holds nothing else.
fn whole(ledger: Ledger, held: Vec<Held>, terms: Terms) -> Option<Account> {
    let mut account = Account::of(terms, ledger);
    account.ledger.change_limit(terms.limit.usd).ok()?;
    let (mut sum, mut reservations) = (0_i64, BTreeSet::new());
    for (decision, reservation, until, whose) in held {
        let amount = account.ledger.held(reservation)?;
        sum = sum.checked_add(amount.get())?;
        let hold = Hold {
            reservation,
            amount,
            until,
            whose,
        };
        let twice = account.held.insert(decision, hold).is_some();
        if twice || !reservations.insert(reservation) {
            return None;
        }
        account.ends.insert((until, decision));
    }
    let whole = account.ledger.is_whole() && account.ledger.reserved().get() == sum;
    whole.then_some(account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Balance;
    use crate::budget::{Limit, Refill, Window};
    use crate::decision::Allowance;
    use crate::id::Name;
    use crate::store::Record;
    use crate::store::sample::{attempt, decision, id, name};
    use crate::unit::NanoUsd;
    use proptest::prelude::*;

    const HOUR: i64 = 3_600_000_000;

    fn usd(nano: i64) -> NanoUsd {
        NanoUsd::new(nano)
    }

    /// Two teams: one whose limit is for a day, one whose limit fills by the second.
    fn limits(limit: i64) -> [(Name, Limit); 2] {
        let refills = [Refill::Calendar(Window::Day), Refill::PerSecond(usd(1))];
        let [day, drip] = refills.map(|refill| Limit {
            usd: usd(limit),
            refill,
        });
        [(name("day"), day), (name("drip"), drip)]
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(id(0).minted().micros() + micros)
    }

    fn held(team: &str, number: u64, granted: i64, time: i64) -> Record {
        let mut decision = decision(number);
        (decision.team, decision.time) = (name(team), at(time));
        decision.allowance = Some(Allowance {
            price: 0.0,
            held: usd(granted),
            withheld: Vec::new(),
            asks: number.is_multiple_of(3),
        });
        Record::Decision(Box::new(decision))
    }

    fn tried(team: &str, number: u64, cost: Option<i64>, fails: bool, time: i64) -> Record {
        let Record::Attempt { mut attempt, .. } = attempt(number, 0) else {
            unreachable!("an attempt");
        };
        (attempt.cost, attempt.ended) = (cost.map(usd), at(time));
        attempt.error = fails.then(|| name("refused"));
        attempt.reported = number.is_multiple_of(2);
        let team = name(team);
        Record::Attempt { team, attempt }
    }

    fn bytes(accounts: &Accounts) -> Vec<u8> {
        postcard::to_allocvec(&accounts.written()).unwrap()
    }

    fn read(limit: i64, bytes: &[u8]) -> Result<Accounts, Unfit> {
        Accounts::reopened(limits(limit), postcard::from_bytes(bytes).unwrap())
    }

    fn shown(accounts: &Accounts, records: &[Record]) {
        for (number, record) in records.iter().enumerate() {
            accounts.restore(record);
            if number % 7 == 6 {
                accounts.let_go(record.time());
            }
        }
    }

    /// Where both teams stand at several times.
    fn stand(accounts: &Accounts, last: i64) -> Vec<Option<Balance>> {
        let accounts = accounts.copied();
        let times = [0, HOUR / 2, HOUR, 30 * HOUR].map(|later| at(last + later));
        let each = |time| ["day", "drip"].map(|team| accounts.balance(&name(team), time));
        times.into_iter().flat_map(each).collect()
    }

    /// Accounts written after `cut` records, and gone on with under a limit of `then`, are those of all records
    /// under that limit.
    fn check(records: &[Record], cut: usize, then: i64) {
        let last = records
            .last()
            .map_or(0, |r| r.time().micros() - at(0).micros());
        // The sweep goes by the place in the journal: a whole number of its steps.
        let (before, after) = records.split_at(cut / 7 * 7);
        let whole = Accounts::new(limits(then)).unwrap();
        shown(&whole, records);
        let first = Accounts::new(limits(1_000)).unwrap();
        shown(&first, before);
        let second = read(then, &bytes(&first)).unwrap();
        shown(&second, after);
        assert_eq!(stand(&second, last), stand(&whole, last));
        assert_eq!(bytes(&second), bytes(&whole));
    }

    fn step() -> impl Strategy<Value = (bool, u64, i64, bool, Option<i64>, i64)> {
        let cost = proptest::option::weighted(0.8, -5_i64..400);
        // Time goes backwards too, as records of calls at once may.
        let later = prop_oneof![6 => -1_000_000..HOUR / 8, 1 => HOUR..12 * HOUR];
        (
            any::<bool>(),
            0..12_u64,
            -5_i64..300,
            any::<bool>(),
            cost,
            later,
        )
    }

    proptest! {
        #[test]
        fn accounts_read_at_any_place_and_shown_the_rest_are_those_of_all_records(
            steps in proptest::collection::vec(step(), 0..90),
            cut in 0_usize..90,
            then in prop_oneof![Just(1_000_i64), 0..5_000_i64],
        ) {
            let mut time = 0;
            let mut records = Vec::new();
            for (index, (drips, back, granted, fails, cost, later)) in (12..).zip(steps) {
                time += later;
                let team = if drips { "drip" } else { "day" };
                records.push(match granted % 3 {
                    0 => tried(team, index - back, cost, fails, time),
                    _ => held(team, index, granted, time),
                });
            }
            check(&records, cut.min(records.len()), then);
        }
    }

    #[test]
    fn what_is_held_and_spent_stays_when_a_limit_is_raised_or_lowered() {
        let records = [
            held("day", 1, 70, 0),
            tried("day", 1, Some(40), false, 1),
            held("day", 2, 60, 2),
        ];
        for then in [20, 5_000] {
            check(&records, 2, then);
        }
    }

    #[test]
    fn a_hold_takes_45_bytes_at_most() {
        let accounts = Accounts::new(limits(i64::MAX)).unwrap();
        let nothing = bytes(&accounts).len();
        for number in 0..3_600_u64 {
            accounts.restore(&held("day", number, 20_000_000, number as i64 * 1_000_000));
        }
        assert!(bytes(&accounts).len() - nothing < 3_600 * 45);
    }

    #[test]
    fn another_way_to_fill_again_and_a_limit_that_was_not_there_are_refused() {
        let kept = bytes(&Accounts::new(limits(9)).unwrap());
        let reopened = |limits: Vec<(Name, Limit)>| {
            let kept = postcard::from_bytes(&kept).unwrap();
            Accounts::reopened(limits, kept).map(drop)
        };
        let [day, (drip, mut other)] = limits(9);
        other.refill = Refill::Calendar(Window::Day);
        let owner = Owner::Team(drip.clone());
        let unfit = Unfit::Refill { owner };
        assert_eq!(reopened(vec![day.clone(), (drip, other)]), Err(unfit));
        let team = name("new");
        let owner = Owner::Team(team.clone());
        let unfit = Unfit::New { owner };
        assert_eq!(reopened(vec![(team, day.1)]), Err(unfit));
        assert_eq!(reopened(vec![day]), Ok(()), "one that is gone is dropped");
    }

    #[test]
    fn an_account_whose_holds_are_not_its_ledgers_is_refused() {
        let accounts = Accounts::new(limits(100)).unwrap();
        accounts.restore(&held("day", 1, 70, 0));
        accounts.restore(&held("day", 2, 20, 0));
        let refused = |change: fn(&mut Vec<Held>)| {
            let mut kept: Kept = postcard::from_bytes(&bytes(&accounts)).unwrap();
            change(&mut kept.0[0].2);
            let owner = Owner::Team(name("day"));
            assert_eq!(
                Accounts::reopened(limits(100), kept).map(drop),
                Err(Unfit::Broken { owner })
            );
        };
        refused(|held| held.truncate(1));
        refused(|held| held.push(held[0]));
        refused(|held| held[1].0 = held[0].0);
        refused(|held| held[1].1 = held[0].1);
        assert!(read(100, &bytes(&accounts)).is_ok());
    }
}
