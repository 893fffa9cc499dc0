//! Several accounts for one request: all of them pay, or none.

use crate::account::{Accounts, Balance, Budgets, Owner};
use crate::budget::{Limit, Raise, Refill, Terms, Window, Zone};
use crate::decision::{Allowance, Attempt};
use crate::store::Record;
use crate::store::sample::{attempt, decision, id, name};
use crate::unit::{NanoUsd, Timestamp};
use proptest::prelude::*;

const HOUR: i64 = 3_600_000_000;

fn usd(nano: i64) -> NanoUsd {
    NanoUsd::new(nano)
}

fn terms(limit: i64) -> Terms {
    Terms::from(Limit {
        usd: usd(limit),
        refill: Refill::Calendar(Window::Month),
    })
}

/// Limits of all teams together, of team t and of key k.
fn budgets([organisation, team, key]: [i64; 3]) -> Budgets {
    Budgets {
        organisation: Some(terms(organisation)),
        teams: [(name("t"), terms(team))].into(),
        keys: [(name("k"), (name("t"), terms(key)))].into(),
    }
}

fn accounts(limits: [i64; 3]) -> Accounts {
    Accounts::new(budgets(limits)).unwrap()
}

/// When the samples' ids were minted, and so many hours later.
fn hours(later: i64) -> Timestamp {
    Timestamp::from_micros(id(1).minted().micros() + later * HOUR)
}

/// Holds for a request of a team with a key; whose account refuses.
fn hold(accounts: &Accounts, number: u64, (team, key): (&str, &str), amount: i64) -> Option<Owner> {
    let (team, key) = (name(team), name(key));
    let mut purse = accounts.purse(&team, &key, hours(0)).unwrap();
    let refused = purse.hold(id(number), usd(amount)).is_err();
    refused.then(|| purse.narrowest(false).unwrap())
}

fn ended(number: u64, cost: i64, later: i64) -> Attempt {
    let Record::Attempt { mut attempt, .. } = attempt(number, 0) else {
        unreachable!("an attempt");
    };
    (attempt.cost, attempt.ended) = (Some(usd(cost)), hours(later));
    attempt
}

/// Spent and held, of the organisation, team t and key k.
fn check(accounts: &Accounts, later: i64, expected: [[i64; 2]; 3]) {
    let organisation = accounts.organisation.as_ref().map(|account| {
        let mut account = super::super::locked(account);
        account.balance(hours(later))
    });
    let found = [
        organisation,
        accounts.balance(&name("t"), hours(later)),
        accounts.key_balance(&name("t"), &name("k"), hours(later)),
    ];
    let stands = |balance: Option<Balance>| {
        let balance = balance.unwrap();
        [balance.spent.get(), balance.held.get()]
    };
    assert_eq!(found.map(stands), expected);
}

#[test]
fn all_accounts_hold_and_settle_or_none_does() {
    let accounts = accounts([100, 80, 60]);
    assert_eq!(hold(&accounts, 1, ("t", "k"), 50), None);
    check(&accounts, 0, [[0, 50], [0, 50], [0, 50]]);
    let key = Owner::Key(name("t"), name("k"));
    assert_eq!(hold(&accounts, 2, ("t", "k"), 11), Some(key));
    let team = Owner::Team(name("t"));
    assert_eq!(hold(&accounts, 3, ("t", "other"), 31), Some(team));
    assert_eq!(hold(&accounts, 4, ("other", "other"), 45), None);
    assert_eq!(
        hold(&accounts, 5, ("t", "other"), 6),
        Some(Owner::Organisation)
    );
    check(&accounts, 0, [[0, 95], [0, 50], [0, 50]]);
    accounts.settle(&name("t"), &ended(1, 20, 0));
    check(&accounts, 0, [[20, 45], [20, 0], [20, 0]]);
    accounts.cancel(&name("other"), id(4), hours(0));
    check(&accounts, 0, [[20, 0], [20, 0], [20, 0]]);
}

#[test]
fn a_second_attempt_is_charged_to_all_and_one_after_the_hour_not_to_the_key() {
    let accounts = accounts([100, 100, 100]);
    assert_eq!(hold(&accounts, 1, ("t", "k"), 50), None);
    accounts.settle(&name("t"), &ended(1, 20, 0));
    accounts.settle(&name("t"), &ended(1, 5, 0));
    check(&accounts, 0, [[25, 0], [25, 0], [25, 0]]);
    // Another hold after the hour forgets whose it was.
    let later = hours(2);
    let mut purse = accounts.purse(&name("t"), &name("k"), later).unwrap();
    purse.hold(id(2), usd(10)).unwrap();
    drop(purse);
    accounts.settle(&name("t"), &ended(1, 7, 2));
    check(&accounts, 2, [[32, 10], [32, 10], [25, 10]]);
}

#[test]
fn a_raise_ends_by_itself() {
    let until = hours(1);
    let mut budgets = budgets([1_000, 1_000, 60]);
    let raised = Terms {
        raise: Some(Raise { by: usd(40), until }),
        ..terms(60)
    };
    budgets.keys.insert(name("k"), (name("t"), raised));
    let accounts = Accounts::new(budgets).unwrap();
    let left = |later| {
        let mut purse = accounts
            .purse(&name("t"), &name("k"), hours(later))
            .unwrap();
        purse.left().get()
    };
    assert_eq!((left(0), left(1)), (100, 60));
    assert_eq!(hold(&accounts, 1, ("t", "k"), 90), None);
    assert_eq!(left(1), 0);
    check(&accounts, 0, [[0, 90], [0, 90], [0, 90]]);
}

#[test]
fn a_soft_budget_is_told_of_once_in_its_window() {
    let mut budgets = budgets([1_000, 1_000, 1_000]);
    let soft = Terms {
        soft: Some(usd(50)),
        ..terms(1_000)
    };
    budgets.teams.insert(name("t"), soft);
    let accounts = Accounts::new(budgets).unwrap();
    let passed = |cost, later| {
        accounts.settle(&name("t"), &ended(9, cost, later));
        accounts.soft_budgets_passed()
    };
    assert_eq!([passed(49, 0), passed(1, 0), passed(100, 0)], [0, 1, 1]);
    // The next month.
    assert_eq!([passed(49, 480), passed(60, 480)], [1, 2]);
}

#[test]
fn the_least_that_a_decision_may_cost_is_of_all_accounts() {
    let mut budgets = budgets([1_000, 1_000, 1_000]);
    for (terms, most) in [
        (budgets.teams.get_mut("t").unwrap(), 30),
        (&mut budgets.keys.get_mut("k").unwrap().1, 20),
    ] {
        terms.decision = Some(usd(most));
    }
    let accounts = Accounts::new(budgets).unwrap();
    let (team, key) = (name("t"), name("k"));
    let mut purse = accounts.purse(&team, &key, hours(0)).unwrap();
    assert_eq!(purse.most(), Some(usd(20)));
    assert_eq!(purse.narrowest(true), Some(Owner::Key(name("t"), key)));
}

#[test]
fn the_window_of_a_zone_is_the_ledgers() {
    let tokyo = Zone::named("Asia/Tokyo").unwrap();
    let mut budgets = budgets([1_000, 1_000, 1_000]);
    let terms = Terms {
        zone: tokyo,
        ..terms(1_000)
    };
    budgets.keys.insert(name("k"), (name("t"), terms));
    let accounts = Accounts::new(budgets).unwrap();
    let ends = |balance: Option<Balance>| balance.unwrap().resets.unwrap();
    let own = ends(accounts.key_balance(&name("t"), &name("k"), hours(0)));
    assert_eq!(own, Window::Month.around_in(tokyo, hours(0)).1);
    assert_ne!(own, ends(accounts.balance(&name("t"), hours(0))));
}

#[test]
fn when_the_organisation_has_it_again_is_not_told() {
    let drips = |limit| Limit {
        usd: usd(limit),
        refill: Refill::PerSecond(usd(1)),
    };
    let refill = |organisation, team| {
        let budgets = Budgets {
            organisation: Some(drips(organisation).into()),
            teams: [(name("t"), drips(team).into())].into(),
            ..Budgets::default()
        };
        let accounts = Accounts::new(budgets).unwrap();
        assert_eq!(hold(&accounts, 1, ("t", "k"), 50), None);
        accounts.settle(&name("t"), &ended(1, 50, 0));
        let mut purse = accounts.purse(&name("t"), &name("k"), hours(0)).unwrap();
        purse.refill(usd(60)).map(|wait| wait.as_secs())
    };
    assert_eq!(refill(100, 1_000), None);
    assert_eq!(refill(1_000, 100), Some(10));
    assert_eq!(refill(100, 100), None);
}

fn held(number: u64, (team, key): (&str, &str), granted: i64, later: i64) -> Record {
    let mut decision = decision(number);
    (decision.team, decision.key) = (name(team), name(key));
    decision.time = hours(later);
    decision.allowance = Some(Allowance {
        price: 0.0,
        held: usd(granted),
        withheld: Vec::new(),
        asks: false,
    });
    Record::Decision(Box::new(decision))
}

fn written(accounts: &Accounts) -> Vec<u8> {
    postcard::to_allocvec(&accounts.written()).unwrap()
}

proptest! {
    #[test]
    fn accounts_of_keys_and_of_all_are_gone_on_with_to_the_bit(
        steps in proptest::collection::vec((any::<bool>(), 0..9_u64, 0_i64..90, 0_i64..3), 1..60),
        cut in 0_usize..60,
    ) {
        let mut later = 0;
        let mut records = Vec::new();
        for (is_held, number, amount, hours) in steps {
            later += hours;
            let (team, key) = [("t", "k"), ("t", "other"), ("other", "k")][number as usize % 3];
            records.push(match is_held {
                true => held(number, (team, key), amount, later),
                false => Record::Attempt { team: name(team), attempt: ended(number, amount, later) },
            });
        }
        let limits = [100, 80, 60];
        let whole = accounts(limits);
        records.iter().for_each(|record| whole.restore(record));
        let (before, after) = records.split_at(cut.min(records.len()));
        let first = accounts(limits);
        before.iter().for_each(|record| first.restore(record));
        let kept = postcard::from_bytes(&written(&first)).unwrap();
        let second = Accounts::reopened(budgets(limits), kept).unwrap();
        after.iter().for_each(|record| second.restore(record));
        prop_assert_eq!(written(&second), written(&whole));
        prop_assert_eq!(written(&whole.copied()), written(&whole));
    }
}

#[test]
fn at_once_no_account_holds_more_than_its_limit() {
    let accounts = accounts([1_000, 700, 300]);
    let callers = [("t", "k"), ("t", "other"), ("other", "k"), ("u", "v")];
    let granted = std::thread::scope(|scope| {
        let threads = (0..).zip(callers).map(|(caller, own)| {
            let accounts = &accounts;
            scope.spawn(move || {
                let calls = (0..100_u64).map(|call| hold(accounts, caller * 100 + call, own, 7));
                calls.filter(Option::is_none).count() as i64 * 7
            })
        });
        let threads: Vec<_> = threads.collect();
        let granted = threads.into_iter().map(|thread| thread.join().unwrap());
        granted.collect::<Vec<i64>>()
    });
    let [key, others, ..] = granted[..] else {
        panic!("four callers");
    };
    // Each account holds what was granted from it, and no more than it has; all together have no more.
    let all = granted.iter().sum();
    check(&accounts, 0, [[0, all], [0, key + others], [0, key]]);
    assert!(all <= 1_000 && key + others <= 700 && key <= 300);
    let owner = hold(&accounts, 1_000, ("u", "v"), 7);
    assert_eq!(owner, Some(Owner::Organisation));
}

#[test]
fn a_key_of_the_same_name_of_another_team_has_no_part_in_the_account() {
    let accounts = accounts([1_000, 100, 30]);
    let (other, key) = (name("other"), name("k"));
    assert_eq!(accounts.key_balance(&other, &key, hours(0)), None);
    assert_eq!(hold(&accounts, 1, ("other", "k"), 500), None);
    assert_eq!(hold(&accounts, 2, ("t", "k"), 30), None);
}
