//! The same answers from the same records, in whatever order and however old.

use super::*;
use crate::decision::{Decision, Origin};
use crate::id::{DecisionId, Name};
use crate::signal::Subject;
use crate::store::journal::Position;
use crate::store::record::{Control, Record};
use crate::store::sample::{attempt, decision, feedback, id, name, record, request, tick, time};
use proptest::strategy::Strategy as _;
use std::time::Duration;

fn position(sequence: u64) -> Position {
    Position {
        sequence,
        offset: 32,
    }
}

/// An index of these records, numbered from 1 in this order but taken in in the given one.
fn index_in(settings: Settings, records: &[Record], order: &[usize]) -> Index {
    let mut index = Index::new(settings);
    for &at in order {
        index.apply(position(at as u64 + 1), &records[at]);
    }
    index
}

fn index_of(records: &[Record]) -> Index {
    let order: Vec<usize> = (0..records.len()).collect();
    index_in(Settings::default(), records, &order)
}

fn of_task(number: u64, task: Option<&str>, origin: Origin, chosen: u32) -> Decision {
    let mut decision = decision(number);
    decision.episode = Some(name("e1"));
    decision.task = task.map(name);
    decision.origin = origin;
    decision.drawn.chosen = chosen;
    decision
}

fn closed(seconds: i64) -> Record {
    Record::EpisodeClosed {
        team: name("t"),
        episode: name("e1"),
        time: time(seconds),
        request: Some(request("close", 5)),
    }
}

fn listed(index: &Index, team: &str, before: Option<u64>) -> Vec<DecisionId> {
    index.newest(&name(team), before).map(|l| l.id).collect()
}

#[test]
fn a_team_lists_its_own_decisions_newest_first_from_a_cursor() {
    let mut other = decision(9);
    other.team = name("other");
    let mut records: Vec<Record> = (1..=4).map(|n| record(decision(n))).collect();
    records.insert(2, record(other));
    let index = index_of(&records);
    assert_eq!(listed(&index, "t", None), [id(4), id(3), id(2), id(1)]);
    // Sequences 1, 2, 4, 5 are this team's: before 4 there are the first two.
    assert_eq!(listed(&index, "t", Some(4)), [id(2), id(1)]);
    assert_eq!(listed(&index, "other", None), [id(9)]);
    assert_eq!(listed(&index, "nobody", None), []);
}

#[test]
fn records_about_a_decision_are_found_in_journal_order() {
    let mut first = decision(1);
    first.episode = Some(name("e1"));
    let index = index_of(&[
        record(first),
        attempt(1, 2),
        Record::Feedback(feedback(Subject::Decision(id(1)), 3, 7)),
        Record::Feedback(feedback(Subject::Episode(name("e1")), 4, 8)),
        attempt(1, 5),
        attempt(2, 5),
    ]);
    let about: Vec<u64> = index
        .records_about(id(1))
        .iter()
        .map(|p| p.sequence)
        .collect();
    assert_eq!(about, [2, 3, 4, 5]);
    assert!(index.repeats_decision_feedback(id(1), 7));
    assert!(!index.repeats_decision_feedback(id(1), 8));
    assert!(index.repeats_episode_feedback(&name("t"), &name("e1"), 8));
    assert!(!index.repeats_episode_feedback(&name("other"), &name("e1"), 8));
}

#[test]
fn feedback_before_its_decision_waits_for_it() {
    let early = Record::Feedback(feedback(Subject::Decision(id(1)), 1, 7));
    let mut index = index_of(&[early]);
    assert_eq!(index.decision(id(1)).unwrap().decision, None);
    assert_eq!(listed(&index, "t", None), []);
    let mut late = decision(1);
    late.team = name("owner");
    index.apply(position(2), &record(late));
    let found = index.decision(id(1)).unwrap();
    assert_eq!(
        (found.team, found.decision),
        (&name("owner"), Some(position(2)))
    );
    assert_eq!(index.records_about(id(1)), [position(1)]);
}

#[test]
fn a_task_of_an_episode_has_one_draw_until_it_is_redrawn() {
    let check = |records: &[Decision], task: Option<&str>, expected: Option<(&str, u64)>| {
        let records: Vec<Record> = records.iter().cloned().map(record).collect();
        let index = index_of(&records);
        let task = task.map(name);
        let draw = index.draw(&name("t"), &name("e1"), task.as_ref());
        let found = draw.map(|d| (d.arm.as_str(), d.decision));
        assert_eq!(found, expected.map(|(arm, number)| (arm, id(number))));
    };
    let first = of_task(1, Some("plan"), Origin::Drawn, 1);
    let second = of_task(2, Some("plan"), Origin::Drawn, 0);
    let inherited = of_task(3, Some("plan"), Origin::Inherited(id(1)), 0);
    let redrawn = of_task(4, Some("plan"), Origin::Redrawn(id(1)), 0);
    let unnamed = of_task(5, None, Origin::Drawn, 0);
    let pinned = of_task(6, Some("plan"), Origin::Pinned, 0);
    let plan = Some("plan");
    check(&[], plan, None);
    check(std::slice::from_ref(&pinned), plan, None);
    check(&[pinned, first.clone()], plan, Some(("large", 1)));
    check(&[first.clone(), second], plan, Some(("large", 1)));
    check(
        &[first.clone(), inherited.clone()],
        plan,
        Some(("large", 1)),
    );
    check(
        &[first.clone(), redrawn, inherited],
        plan,
        Some(("small", 4)),
    );
    check(&[first, unnamed], None, Some(("small", 5)));
}

#[test]
fn an_episode_is_closed_where_it_was_first_closed() {
    let first = of_task(1, None, Origin::Drawn, 0);
    let index = index_of(&[record(first), closed(2), closed(3)]);
    let episode = index.episode(&name("t"), &name("e1")).unwrap();
    assert_eq!(episode.closed, Some(position(2)));
    assert_eq!(episode.decisions, [(position(1), id(1))]);
}

#[test]
fn the_newest_control_holds() {
    let control = |pinned: Option<&str>| Record::Control {
        team: name("t"),
        control: Control {
            pinned: pinned.map(name),
            frozen: true,
        },
        time: time(1),
    };
    let records = [control(Some("small")), control(None)];
    for order in [[0, 1], [1, 0]] {
        let index = index_in(Settings::default(), &records, &order);
        let expected = Control {
            pinned: None,
            frozen: true,
        };
        assert_eq!(index.control(&name("t")), expected);
    }
    assert_eq!(index_of(&[]).control(&name("t")), Control::default());
}

#[test]
fn a_request_id_is_known_within_its_team_for_its_window() {
    let mut first = decision(1);
    first.request = Some(request("r", 5));
    let known = |index: &Index, team: &str| index.request(&name(team), &name("r"));
    let mut index = index_of(&[record(first)]);
    let expected = Known {
        body_hash: 5,
        position: position(1),
    };
    assert_eq!(known(&index, "t"), Some(expected));
    assert_eq!(known(&index, "other"), None);
    let day = 24 * 60 * 60;
    index.apply(
        position(2),
        &Record::Tick {
            time: time(1 + day),
        },
    );
    assert_eq!(known(&index, "t"), Some(expected));
    index.apply(
        position(3),
        &Record::Tick {
            time: time(2 + day),
        },
    );
    assert_eq!(known(&index, "t"), None);
}

#[test]
fn every_kind_of_record_brings_its_request_id() {
    let mut fed = feedback(Subject::Decision(id(1)), 3, 7);
    fed.request_id = Some(name("feedback"));
    let index = index_of(&[Record::Feedback(fed), closed(4)]);
    let hash = |id: &str| {
        index
            .request(&name("t"), &name(id))
            .map(|known| known.body_hash)
    };
    assert_eq!(
        (hash("feedback"), hash("close"), hash("r")),
        (Some(7), Some(5), None)
    );
}

#[test]
fn the_oldest_go_first_at_every_bound() {
    let check = |settings: Settings, records: &[Record], expected: &[u64]| {
        let order: Vec<usize> = (0..records.len()).collect();
        let index = index_in(settings, records, &order);
        let expected: Vec<DecisionId> = expected.iter().rev().map(|n| id(*n)).collect();
        assert_eq!(listed(&index, "t", None), expected);
        assert_eq!(index.sizes().0, expected.len());
    };
    let usual = Settings::default();
    let records: Vec<Record> = (1..=10).map(|n| record(decision(n))).collect();
    check(usual.clone(), &records, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let few = Settings {
        decisions: 3,
        ..usual.clone()
    };
    check(few, &records, &[8, 9, 10]);
    let short = Settings {
        window: Duration::from_secs(4),
        ..usual.clone()
    };
    check(short, &records, &[6, 7, 8, 9, 10]);
    // Two records about each decision; at most five in all.
    let busy: Vec<Record> = (1..=4)
        .flat_map(|n| [record(decision(n)), attempt(n, 1), attempt(n, 1)])
        .collect();
    check(
        Settings {
            records: 5,
            ..usual
        },
        &busy,
        &[3, 4],
    );
}

#[test]
fn an_episode_stays_as_long_as_one_of_its_decisions() {
    let settings = Settings {
        decisions: 2,
        ..Settings::default()
    };
    let fed = |n| Record::Feedback(feedback(Subject::Episode(name("e1")), n, 1));
    let mut records = vec![
        record(of_task(1, None, Origin::Drawn, 0)),
        fed(2),
        record(of_task(3, None, Origin::Inherited(id(1)), 0)),
    ];
    records.extend((4..6).map(|n| record(decision(n))));
    let has = |upto: usize| {
        let order: Vec<usize> = (0..upto).collect();
        let index = index_in(settings.clone(), &records, &order);
        index.draw(&name("t"), &name("e1"), None).is_some()
    };
    assert_eq!([has(3), has(4), has(5)], [true, true, false]);
}

#[test]
fn an_episode_without_decisions_goes_with_its_age() {
    let fed = feedback(Subject::Episode(name("e1")), 0, 1);
    let mut index = index_of(&[Record::Feedback(fed)]);
    let known = |index: &Index| index.episode(&name("t"), &name("e1")).is_some();
    assert!(known(&index));
    index.apply(
        position(2),
        &Record::Tick {
            time: time(8 * 24 * 3600),
        },
    );
    assert!(!known(&index));
}

#[test]
fn nothing_is_left_behind_when_everything_is_old() {
    let mut first = of_task(1, Some("plan"), Origin::Drawn, 0);
    first.request = Some(request("r", 1));
    let fed = feedback(Subject::Decision(id(2)), 2, 1);
    let mut index = index_of(&[
        record(first),
        Record::Feedback(fed),
        attempt(1, 3),
        closed(4),
    ]);
    index.apply(
        position(5),
        &Record::Tick {
            time: time(30 * 24 * 3600),
        },
    );
    assert_eq!(index.sizes(), (0, 0));
    assert!(index.is_empty(), "{index:?}");
}

/// What the index says of the names that these tests use.
fn answers(index: &Index) -> impl PartialEq + std::fmt::Debug + use<> {
    let (team, episode) = (name("t"), name("e1"));
    let about: Vec<Vec<Position>> = (1..=4).map(|n| index.records_about(id(n))).collect();
    let tasks: [Option<Name>; 2] = [None, Some(name("plan"))];
    let draws = tasks.map(|task| index.draw(&team, &episode, task.as_ref()).cloned());
    let requests = ["r", "close"].map(|id| index.request(&team, &name(id)));
    let closed = index
        .episode(&team, &episode)
        .map(|e| (e.closed, e.decisions.clone()));
    (listed(index, "t", None), about, draws, requests, closed)
}

proptest::proptest! {
    #[test]
    fn the_order_in_which_appenders_reach_the_index_does_not_matter(
        order in proptest::strategy::Just((0..9).collect::<Vec<usize>>()).prop_shuffle()
    ) {
        let mut first = of_task(1, Some("plan"), Origin::Drawn, 0);
        first.request = Some(request("r", 1));
        let mut second = of_task(2, Some("plan"), Origin::Drawn, 1);
        second.request = Some(request("r", 1));
        let records = [
            record(first),
            record(second),
            attempt(1, 3),
            record(of_task(3, Some("plan"), Origin::Redrawn(id(1)), 1)),
            Record::Feedback(feedback(Subject::Decision(id(3)), 4, 1)),
            Record::Feedback(feedback(Subject::Episode(name("e1")), 5, 1)),
            closed(6),
            closed(7),
            tick(8),
        ];
        let shuffled = index_in(Settings::default(), &records, &order);
        proptest::prop_assert_eq!(answers(&shuffled), answers(&index_of(&records)));
    }
}
