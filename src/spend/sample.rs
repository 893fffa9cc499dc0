//! Records for the tests of what was spent.

use super::reading::Reading;
use super::{Dimension, Spent, Sums, Wanted};
use crate::budget::Zone;
use crate::decision::{Allowance, Attempt, Cell, Usage, Withheld};
use crate::store::Record;
use crate::store::sample::{attempt, decision, id, name};
use crate::unit::{NanoUsd, Timestamp};

/// 2026-05-01.
pub(crate) const FIRST: i64 = 20_574;

const MINUTE: i64 = 60_000_000;

/// A minute of a day that many after the first.
pub(crate) fn at(day: i64, minute: i64) -> Timestamp {
    Timestamp::from_micros((FIRST + day) * 24 * 60 * MINUTE + minute * MINUTE)
}

/// All days and teams, in UTC.
pub(crate) fn wanted(by: &[Dimension]) -> Wanted {
    Wanted {
        from: None,
        to: None,
        zone: Zone::UTC,
        team: None,
        by: by.to_vec(),
    }
}

/// Decision `number` of a team's key, between arms `small` (0) and `large` (1).
pub(crate) fn asked(
    number: u64,
    [team, key, task]: [&str; 3],
    (chosen, cell): (u32, Cell),
    time: Timestamp,
) -> Record {
    let mut decision = decision(number);
    (decision.team, decision.key) = (name(team), name(key));
    decision.task = (!task.is_empty()).then(|| name(task));
    decision.drawn.chosen = chosen;
    (decision.cell, decision.time) = (cell, time);
    Record::Decision(Box::new(decision))
}

/// An attempt of decision `number`: tokens are input, cached (below 0: not told) and output.
pub(crate) fn tried(
    number: u64,
    [team, arm]: [&str; 2],
    [input, cached, output]: [i64; 3],
    cost: Option<i64>,
    time: Timestamp,
) -> Attempted {
    let Record::Attempt { mut attempt, .. } = attempt(number, 0) else {
        unreachable!("an attempt");
    };
    attempt.decision = id(number);
    (attempt.arm, attempt.ended) = (name(arm), time);
    attempt.cost = cost.map(NanoUsd::new);
    attempt.reported = false;
    attempt.usage = Usage {
        input: u32::try_from(input).ok(),
        cached_input: u32::try_from(cached).ok(),
        output: u32::try_from(output).ok(),
        ..Usage::default()
    };
    Attempted(team.to_owned(), attempt)
}

/// One that can still be changed.
pub(crate) struct Attempted(String, pub(crate) Attempt);

impl Attempted {
    pub(crate) fn record(self) -> Record {
        let Self(team, attempt) = self;
        let team = name(&team);
        Record::Attempt { team, attempt }
    }
}

pub(crate) fn baseline(team: &str, arm: Option<&str>, time: Timestamp) -> Record {
    Record::Baseline {
        team: name(team),
        arm: arm.map(name),
        guards: Vec::new(),
        time,
    }
}

/// A journal of two days, whose sums are worked out in `tests`.
pub(crate) fn journal() -> Vec<Record> {
    let fix = ["coding", "ci", "fix"];
    let answer = ["support", "desk", "answer"];
    let (router, held_out) = (Cell::Router, Cell::Holdout);
    let large = ["coding", "large"];
    let mut failed = tried(2, ["coding", "small"], [-1, -1, -1], None, at(0, 700));
    failed.1.error = Some(name("server_error"));
    let mut counted = tried(2, large, [500, -1, 50], Some(2_000_000), at(0, 701));
    counted.1.usage.estimated = true;
    let mut narrowed = asked(3, ["coding", "dev", ""], (0, router), at(0, 23 * 60 + 30));
    if let Record::Decision(decision) = &mut narrowed {
        decision.allowance = Some(Allowance {
            price: 0.0,
            held: NanoUsd::ZERO,
            withheld: vec![Withheld {
                arm: name("large"),
                utility: 0.5,
                utility_sd: 0.1,
                cost_usd: 0.1,
            }],
            asks: false,
        });
    }
    let small = ["coding", "small"];
    vec![
        baseline("coding", Some("large"), at(0, 0)),
        asked(1, fix, (1, held_out), at(0, 600)),
        tried(1, large, [1000, 200, 100], Some(3_000_000), at(0, 601)).record(),
        asked(2, fix, (0, router), at(0, 699)),
        failed.record(),
        counted.record(),
        narrowed,
        tried(3, small, [400, 100, 40], Some(400_000), at(1, 10)).record(),
        asked(4, answer, (0, router), at(1, 20)),
        tried(4, ["support", "small"], [300, 0, 30], None, at(1, 21)).record(),
        // Its decision is not there.
        tried(
            99,
            ["support", "large"],
            [100, -1, 10],
            Some(1_000_000),
            at(1, 22),
        )
        .record(),
    ]
}

/// All rows' sums.
pub(crate) fn added<'a>(rows: impl IntoIterator<Item = &'a Sums>) -> Sums {
    let mut all = Sums::default();
    rows.into_iter().for_each(|sums| all.add(sums));
    all
}

/// Three days of a team with a baseline that costs twice as much, and enough episodes on either side.
pub(crate) fn shown() -> Spent {
    let mut records = vec![baseline("coding", Some("large"), at(0, 0))];
    for number in 0..1_500_u64 {
        let day = i64::try_from(number / 500).unwrap_or(0);
        let held_out = number % 3 == 0;
        let (arm, cell, cost) = match held_out {
            true => ("large", Cell::Holdout, 2_000_000),
            false => ("small", Cell::Router, 1_000_000),
        };
        let key = ["coding", "ci", "fix"];
        records.push(asked(number, key, (u32::from(held_out), cell), at(day, 60)));
        let cost = cost + i64::try_from(number * 7_919 % 500_000).unwrap_or(0);
        let attempt = tried(
            number,
            ["coding", arm],
            [900, 300, 100],
            Some(cost),
            at(day, 61),
        );
        records.push(attempt.record());
    }
    let wanted = wanted(&[Dimension::Team, Dimension::Arm]);
    let mut reading = Reading::new(&wanted);
    records.iter().for_each(|record| reading.take(record));
    reading.spent(records.len() as u64, 0).unwrap()
}
