//! What a small journal comes to, and that sums are what they must be however they are told apart.

use super::joined::Joined;
use super::reading::Reading;
use super::sample::{FIRST, added, asked, at, journal, tried, wanted};
use super::units::Units;
use super::{Dimension, Row, Spent, Wanted, spend};
use crate::account::Accounts;
use crate::budget::{Limit, Refill, Window, Zone};
use crate::decision::Cell;
use crate::store::journal::{Durability, Journal, Settings};
use crate::store::sample::name;
use crate::store::{Disk, FileDisk, Record};
use crate::unit::NanoUsd;
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

mod saved;

const ALL: [Dimension; 5] = [
    Dimension::Team,
    Dimension::Key,
    Dimension::Task,
    Dimension::Arm,
    Dimension::Day,
];

fn spent(records: &[Record], wanted: &Wanted) -> Spent {
    let mut reading = Reading::new(wanted);
    records.iter().for_each(|record| reading.take(record));
    reading.spent(records.len() as u64, 0).unwrap()
}

/// Compares with a golden file, or writes it.
fn golden(file: &str, found: &str) {
    let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BELLWETHER_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{file} says otherwise; found:\n{found}");
}

fn row<'a>(spent: &'a Spent, of: &[(Dimension, &str)]) -> &'a Row {
    let is = |row: &&Row| of.iter().all(|(d, words)| row.labels.words(*d) == *words);
    spent.rows.iter().find(is).unwrap()
}

/// By hand, from `sample::journal`:
/// coding large: request 1; attempts 1 and the second of 2: 1,000 + 500 tokens in, of which 200 of 1,000 told cached,
/// 100 + 50 out, 3,000,000 + 2,000,000 nano-dollars, 2,000,000 counted.
/// coding small: requests 2 and 3, of which 3 was narrowed; attempts the first of 2, which failed and does not say what
/// it cost, and 3: 400 in, 100 cached, 40 out, 400,000 nano-dollars.
/// support small: request 4, whose attempt does not say what it cost. support large: the attempt without a decision.
/// All: 4 requests, 6 attempts, 2,300 in, 300 of 1,700 cached, 230 out, 6,400,000 nano-dollars, of which 2,000,000.
#[test]
fn a_small_journal_comes_to_what_it_does_by_hand() {
    let spent = spent(&journal(), &wanted(&[Dimension::Team, Dimension::Arm]));
    let total = &spent.total;
    assert_eq!((total.requests, total.attempts), (4, 6));
    assert_eq!((total.input_tokens, total.output_tokens), (2_300, 230));
    assert_eq!(total.cached_share(), Some(300.0 / 1_700.0));
    assert_eq!(
        (total.spent_nano_usd, total.estimated_nano_usd),
        (6_400_000, 2_000_000)
    );
    assert_eq!((total.failed_attempts, total.attempts_without_cost), (1, 1));
    assert_eq!(total.failed_attempts_without_cost, 1);
    assert_eq!((total.held_out_requests, total.narrowed_requests), (1, 1));
    assert_eq!(spent.attempts_without_decision, 1);
    golden("spend.txt", &spent.to_string());
    golden("spend.json", &serde_json::to_string_pretty(&spent).unwrap());
}

#[test]
fn an_attempt_counts_on_its_own_day_and_days_are_those_of_the_zone() {
    let by = [Dimension::Key, Dimension::Day];
    let mut wanted = wanted(&by);
    let of = |spent: &Spent, day: &str| {
        let row = row(spent, &[(Dimension::Key, "dev"), (Dimension::Day, day)]);
        (row.sums.requests, row.sums.attempts)
    };
    // Asked at 23:30 in UTC, answered at 00:10.
    let utc = spent(&journal(), &wanted);
    assert_eq!(
        (of(&utc, "2026-05-01"), of(&utc, "2026-05-02")),
        ((1, 0), (0, 1))
    );
    // It was half past one in Berlin.
    wanted.zone = Zone::named("Europe/Berlin").unwrap();
    let berlin = spent(&journal(), &wanted);
    assert_eq!(of(&berlin, "2026-05-02"), (1, 1));
    (wanted.from, wanted.to) = (Some(FIRST + 1), Some(FIRST + 1));
    let second = spent(&journal(), &wanted);
    assert_eq!(second.total.spent_nano_usd, 1_400_000);
    assert_eq!(of(&second, "2026-05-02"), (1, 1));
}

#[test]
fn only_the_team_that_is_asked_for_is_told_of() {
    let mut wanted = wanted(&ALL);
    wanted.team = Some(name("support"));
    let spent = spent(&journal(), &wanted);
    assert_eq!(spent.total.spent_nano_usd, 1_000_000);
    assert!(!serde_json::to_string(&spent).unwrap().contains("coding"));
}

#[test]
fn an_attempt_long_after_its_decision_counts_for_team_arm_and_day() {
    let wanted = wanted(&ALL);
    let mut reading = Reading::holding(&wanted, Joined::holding(2), Units::default);
    let key = ["t", "k", "fix"];
    (1..=3).for_each(|number| reading.take(&asked(number, key, (0, Cell::Router), at(0, 1))));
    for number in [1, 3] {
        let attempt = tried(number, ["t", "small"], [1, 0, 1], Some(5), at(0, 2));
        reading.take(&attempt.record());
    }
    let spent = reading.spent(5, 0).unwrap();
    assert_eq!(
        (spent.attempts_without_decision, spent.total.spent_nano_usd),
        (1, 10)
    );
    let unknown = row(&spent, &[(Dimension::Key, "(unknown)")]);
    assert_eq!((unknown.sums.spent_nano_usd, unknown.sums.requests), (5, 0));
}

#[test]
fn a_damaged_journal_is_told_with_its_file_and_a_torn_tail_is_where_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        durability: Durability::Group,
        segment_bytes: 4096,
        group_window: Duration::from_secs(1),
    };
    let disk: Arc<dyn Disk> = Arc::new(FileDisk::open(dir.path()).unwrap());
    let (journal, _) = Journal::open(disk, settings, at(0, 0), &mut |_, _| {}).unwrap();
    for number in 0..20 {
        let key = ["t", "k", "fix"];
        let record = asked(number, key, (0, Cell::Router), at(0, 1));
        journal.append(&record).unwrap();
    }
    drop(journal);
    let read = || spend(dir.path(), &wanted(&[]));
    let whole = read().unwrap();
    assert_eq!((whole.total.requests, whole.records), (20, 20));
    let files = std::fs::read_dir(dir.path()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut segments: Vec<String> = names.filter(|n| n.starts_with("journal-")).collect();
    segments.sort();
    let spoil = |name: &str, at: usize| {
        let mut bytes = std::fs::read(dir.path().join(name)).unwrap();
        bytes[at] ^= 1;
        std::fs::write(dir.path().join(name), bytes).unwrap();
    };
    spoil(segments.last().unwrap(), 100);
    assert!(read().unwrap().records < 20);
    spoil(&segments[0], 100);
    let error = read().unwrap_err().to_string();
    assert!(error.contains(&segments[0]), "{error}");
}

#[test]
fn a_name_cannot_turn_the_direction_of_a_table() {
    let turning = ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
    for c in turning {
        let task = format!("fix{c}xif");
        let record = asked(1, ["t", "k", &task], (0, Cell::Router), at(0, 1));
        let told = spent(&[record], &wanted(&[Dimension::Task])).to_string();
        assert!(
            !told.contains(c) && told.contains("fix\u{fffd}xif"),
            "{told:?}"
        );
    }
    // What only looks like them stays.
    let record = asked(
        1,
        ["t", "k", "fix\u{2065}é\u{202f}"],
        (0, Cell::Router),
        at(0, 1),
    );
    let told = spent(&[record], &wanted(&[Dimension::Task])).to_string();
    assert!(told.contains("fix\u{2065}é\u{202f}"), "{told:?}");
}

#[test]
fn too_many_groups_are_refused_by_name() {
    let wanted = wanted(&[Dimension::Task]);
    let mut reading = Reading::new(&wanted);
    for number in 0..=super::MOST_GROUPS as u64 {
        let task = format!("task {number}");
        reading.take(&asked(
            number,
            ["t", "k", &task],
            (0, Cell::Router),
            at(0, 1),
        ));
    }
    let error = reading.spent(1, 0).unwrap_err().to_string();
    let said = "by task there are more than 100000 groups: leave one out, or ask for fewer days or one team";
    assert_eq!(error, said);
}

fn step() -> impl Strategy<Value = (usize, usize, usize, u32, i64, i64, bool)> {
    (
        0..3_usize,
        0..3_usize,
        0..3_usize,
        0..2_u32,
        0..900_i64,
        0..5_000_i64,
        any::<bool>(),
    )
}

/// A journal in order of time, whose attempts all say what they cost.
fn made(steps: Vec<(usize, usize, usize, u32, i64, i64, bool)>) -> Vec<Record> {
    let mut minute = 0;
    let mut records = Vec::new();
    for (number, (team, key, task, arm, later, cost, held_out)) in (0..).zip(steps) {
        let team = ["a", "b", "c"][team];
        let labels = [team, ["k", "l", "m"][key], ["", "fix", "plan"][task]];
        let cell = if held_out {
            Cell::Holdout
        } else {
            Cell::Router
        };
        records.push(asked(number, labels, (arm, cell), at(0, minute)));
        minute += later;
        let arm = ["small", "large"][arm as usize];
        let tokens = [cost % 97, cost % 31, cost % 13];
        let attempt = tried(number, [team, arm], tokens, Some(cost), at(0, minute));
        records.push(attempt.record());
    }
    records
}

proptest! {
    #[test]
    fn the_rows_of_any_grouping_add_up_to_one_total(
        steps in prop::collection::vec(step(), 1..60), chosen in 0..32_usize, zone in 0..3_usize,
    ) {
        let records = made(steps);
        let zone = Zone::named(["UTC", "Europe/Berlin", "Pacific/Apia"][zone]).unwrap();
        let by = ALL.into_iter().enumerate().filter(|(bit, _)| chosen >> bit & 1 == 1);
        let by: Vec<Dimension> = by.map(|(_, dimension)| dimension).collect();
        let whole = spent(&records, &Wanted { zone, ..wanted(&[]) });
        let parts = spent(&records, &Wanted { zone, ..wanted(&by) });
        prop_assert_eq!(whole.rows.len(), 1);
        prop_assert_eq!(parts.total, whole.total);
        prop_assert_eq!(added(parts.rows.iter().map(|row| &row.sums)), whole.total);
        let days: i64 = parts.days.iter().map(|day| day.spent_nano_usd).sum();
        prop_assert_eq!(days, whole.total.spent_nano_usd);
        let labels: std::collections::BTreeSet<_> = parts.rows.iter().map(|row| &row.labels).collect();
        prop_assert_eq!(labels.len(), parts.rows.len());
    }

    #[test]
    fn what_a_day_cost_a_team_is_what_its_account_has_spent(
        steps in prop::collection::vec(step(), 1..60), zone in 0..3_usize,
    ) {
        let records = made(steps);
        let zone = Zone::named(["UTC", "Europe/Berlin", "America/Lima"][zone]).unwrap();
        let last = records.last().unwrap().time();
        let day = zone.day_of(last);
        let limit = Limit { usd: NanoUsd::new(i64::MAX), refill: Refill::Calendar(Window::Day) };
        let mut budgets: crate::account::Budgets = [(name("a"), limit)].into();
        for terms in budgets.teams.values_mut() {
            terms.zone = zone;
        }
        let accounts = Accounts::new(budgets).unwrap();
        records.iter().for_each(|record| accounts.restore(record));
        let balance = accounts.balance(&name("a"), last).unwrap();
        let asked = Wanted { zone, from: Some(day), to: Some(day), team: Some(name("a")), by: ALL.to_vec() };
        prop_assert_eq!(spent(&records, &asked).total.spent_nano_usd, balance.spent.get());
    }
}
