//! Holds of ours and of callers: who may end them, and what becomes of those that nobody ends.

use crate::account::{Accounts, Budgets, Kept};
use crate::budget::{Limit, Refill, Terms, Window};
use crate::decision::{Allowance, Attempt, Decision};
use crate::id::Name;
use crate::store::Record;
use crate::store::sample::{attempt, decision, id, name};
use crate::unit::{NanoUsd, Timestamp};

const HOUR: i64 = 3_600_000_000;

/// What is held for each decision.
const HELD: i64 = 20;

fn usd(nano: i64) -> NanoUsd {
    NanoUsd::new(nano)
}

fn budgets() -> Budgets {
    let limit = Terms::from(Limit {
        usd: usd(100),
        refill: Refill::Calendar(Window::Month),
    });
    Budgets {
        organisation: None,
        teams: [(name("t"), limit)].into(),
        keys: [(name("k"), (name("t"), limit))].into(),
    }
}

fn hours(later: i64) -> Timestamp {
    Timestamp::from_micros(id(1).minted().micros() + later * HOUR)
}

fn decided(number: u64, asks: bool) -> Decision {
    let mut decision = decision(number);
    (decision.team, decision.key, decision.time) = (name("t"), name("k"), hours(0));
    decision.allowance = Some(Allowance {
        price: 0.0,
        held: usd(HELD),
        withheld: Vec::new(),
        asks,
    });
    decision
}

fn ended(number: u64, cost: Option<i64>, error: Option<&str>, reported: bool) -> Attempt {
    let Record::Attempt { mut attempt, .. } = attempt(number, 0) else {
        unreachable!("an attempt");
    };
    (attempt.cost, attempt.ended) = (cost.map(usd), hours(0));
    (attempt.error, attempt.reported) = (error.map(name), reported);
    attempt
}

/// Accounts that served so many requests, and those of a journal that tells of them.
fn both(asked: u64, asks: bool) -> [Accounts; 2] {
    let [live, again] = [(), ()].map(|()| Accounts::new(budgets()).unwrap());
    for number in 0..asked {
        let decision = decided(number, asks);
        let purse = live.purse(&decision.team, &decision.key, hours(0)).unwrap();
        purse.asking(asks).hold(decision.id, usd(HELD)).unwrap();
        again.restore(&Record::Decision(Box::new(decision)));
    }
    [live, again]
}

fn told(accounts: &[Accounts; 2], attempt: &Attempt) {
    let team: Name = name("t");
    accounts[0].settle(&team, attempt);
    let attempt = attempt.clone();
    accounts[1].restore(&Record::Attempt { team, attempt });
}

/// Spent and held of team and key, alike in both, and in what was written of them and read again.
fn check(accounts: &[Accounts; 2], later: i64, expected: [i64; 2]) {
    let read = accounts.each_ref().map(|accounts| {
        let bytes = postcard::to_allocvec(&accounts.written()).unwrap();
        let kept: Kept = postcard::from_bytes(&bytes).unwrap();
        Accounts::reopened(budgets(), kept).unwrap()
    });
    for accounts in accounts.iter().chain(&read) {
        let team = accounts.balance(&name("t"), hours(later));
        let key = accounts.key_balance(&name("t"), &name("k"), hours(later));
        for balance in [team.unwrap(), key.unwrap()] {
            let found = [balance.spent, balance.held].map(NanoUsd::get);
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn a_report_of_an_attempt_of_ours_that_is_under_way_is_charged_and_frees_nothing() {
    let accounts = both(1, true);
    for _ in 0..3 {
        told(&accounts, &ended(0, Some(0), None, true));
    }
    told(&accounts, &ended(0, None, Some("refused"), true));
    check(&accounts, 0, [0, HELD]);
    told(&accounts, &ended(0, Some(3), None, true));
    check(&accounts, 0, [3, HELD]);
    told(&accounts, &ended(0, Some(7), None, false));
    check(&accounts, 0, [10, 0]);
}

#[test]
fn a_report_of_an_attempt_that_the_caller_makes_ends_what_is_held() {
    let accounts = both(1, false);
    told(&accounts, &ended(0, Some(3), None, true));
    check(&accounts, 0, [3, 0]);
}

#[test]
fn what_was_under_way_when_a_server_was_killed_is_spent_an_hour_later() {
    let accounts = both(5, true);
    check(&accounts, 0, [0, 100]);
    check(&accounts, 2, [100, 0]);
    let [_, again] = &accounts;
    let mut purse = again.purse(&name("t"), &name("k"), hours(2)).unwrap();
    assert!(purse.hold(id(9), usd(1)).is_err());
}

#[test]
fn what_callers_never_told_of_is_free_an_hour_later() {
    check(&both(5, false), 2, [0, 0]);
}

#[test]
fn what_failed_at_a_cost_that_is_not_known_is_free_an_hour_later() {
    let accounts = both(1, true);
    told(&accounts, &ended(0, None, Some("unreachable"), false));
    check(&accounts, 0, [0, HELD]);
    check(&accounts, 2, [0, 0]);
}

#[test]
fn what_was_lost_is_spent_before_its_decision_is_tried_again() {
    let [_, accounts] = both(1, true);
    let decision = decided(0, true);
    accounts.lost(&decision, hours(0));
    // Once: nothing is held any more.
    accounts.lost(&decision, hours(0));
    let balance = accounts.balance(&name("t"), hours(0)).unwrap();
    assert_eq!((balance.spent, balance.held), (usd(HELD), usd(0)));
}

#[test]
fn whose_money_it_is_is_known_until_our_own_attempt_has_ended_it() {
    let accounts = both(3, true);
    let known = |expected: usize| {
        for accounts in &accounts {
            assert_eq!(accounts.payers.lock().len(), expected);
        }
    };
    known(3);
    told(&accounts, &ended(0, Some(1), None, true));
    told(&accounts, &ended(0, Some(1), Some("refused"), false));
    known(3);
    told(&accounts, &ended(0, Some(1), None, false));
    known(2);
    let abandoned = Attempt::ABANDONED;
    told(&accounts, &ended(1, Some(1), Some(abandoned), false));
    known(1);
    for accounts in &accounts {
        accounts.cancel(&name("t"), id(2), hours(0));
    }
    known(0);
}

#[test]
fn what_is_kept_of_a_key_does_not_grow_with_what_it_has_settled() {
    let accounts = Accounts::new(budgets()).unwrap();
    let size = || postcard::to_allocvec(&accounts.written()).unwrap().len();
    let mut sizes = Vec::new();
    for number in 0..2_000_u64 {
        let purse = accounts.purse(&name("t"), &name("k"), hours(0)).unwrap();
        purse.asking(true).hold(id(number), usd(HELD)).unwrap();
        accounts.settle(&name("t"), &ended(number, Some(0), None, false));
        sizes.push(size());
    }
    // But for a few digits of the number of the next reservation.
    assert!(sizes[1_999] <= sizes[0] + 4, "{sizes:?}");
}

#[test]
fn a_decision_that_holds_nothing_is_charged_to_its_key_after_a_restart() {
    let accounts = Accounts::new(budgets()).unwrap();
    let mut decision = decided(0, true);
    decision.allowance.as_mut().unwrap().held = usd(0);
    accounts.restore(&Record::Decision(Box::new(decision)));
    let attempt = ended(0, Some(5), None, false);
    let team = name("t");
    accounts.restore(&Record::Attempt { team, attempt });
    let key = accounts.key_balance(&name("t"), &name("k"), hours(0));
    assert_eq!(key.unwrap().spent, usd(5));
}
