//! The same answers from memory and from files, before and after a restart, however old.

use super::*;
use crate::decision::{Decision, Origin};
use crate::signal::Subject;
use crate::store::engine::Settings;
use crate::store::record::Control;
use crate::store::sample::{attempt, decision, feedback, id, name, record, request, time};
use crate::store::simulated::SimulatedDisk;
use crate::store::{index, journal};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// Keys in memory only, and in files of so few records that they are merged.
const FILES: [usize; 3] = [usize::MAX, 3, 1];

fn open(disk: &SimulatedDisk, index: index::Settings) -> Store {
    let settings = Settings {
        index,
        journal: journal::Settings {
            segment_bytes: 1 << 16,
            group_window: Duration::ZERO,
            ..journal::Settings::default()
        },
    };
    let (store, _) = Store::open(Arc::new(disk.clone()), settings, time(0)).unwrap();
    store
}

/// A store of these records, whose index was closed with all files written and opened again.
fn store_in(settings: &index::Settings, records: &[Record]) -> Store {
    let disk = SimulatedDisk::new();
    let store = open(&disk, settings.clone());
    for record in records {
        store.append(record).unwrap();
    }
    drop(store);
    open(&disk, settings.clone())
}

fn files_of(run_records: usize) -> index::Settings {
    index::Settings {
        run_records,
        ..index::Settings::default()
    }
}

/// Asks a store of these records, wherever their keys are.
fn check(records: &[Record], ask: impl Fn(&Store)) {
    for run_records in FILES {
        ask(&store_in(&files_of(run_records), records));
    }
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

fn listed(store: &Store, team: &str, before: Option<u64>) -> Vec<DecisionId> {
    let team = name(team);
    let places = store.newest(&team, before, usize::MAX).unwrap();
    let found = places
        .iter()
        .map(|at| store.decision_at(*at, &team).unwrap());
    found.flatten().map(|found| found.id).collect()
}

fn sequence_of(position: Option<Position>) -> Option<u64> {
    position.map(|position| position.sequence)
}

#[test]
fn a_team_lists_its_own_decisions_newest_first_from_a_cursor() {
    let mut other = decision(9);
    other.team = name("other");
    let mut records: Vec<Record> = (1..=4).map(|n| record(decision(n))).collect();
    records.insert(2, record(other));
    check(&records, |store| {
        assert_eq!(listed(store, "t", None), [id(4), id(3), id(2), id(1)]);
        // Sequences 1, 2, 4, 5 are this team's: before 4 there are the first two.
        assert_eq!(listed(store, "t", Some(4)), [id(2), id(1)]);
        assert_eq!(listed(store, "other", None), [id(9)]);
        assert_eq!(listed(store, "nobody", None), []);
        assert_eq!(store.newest(&name("t"), None, 3).unwrap().len(), 3);
    });
}

#[test]
fn records_about_a_decision_are_found_in_journal_order() {
    let mut first = decision(1);
    first.episode = Some(name("e1"));
    let said = |subject, at, hash| Record::Feedback(feedback(subject, at, hash));
    let records = [
        record(first),
        attempt(1, 2),
        said(Subject::Decision(id(1)), 3, 7),
        said(Subject::Episode(name("e1")), 4, 8),
        attempt(1, 5),
        attempt(2, 5),
    ];
    check(&records, |store| {
        let found = store.find(id(1)).unwrap().unwrap();
        let about = store.about(&found.decision).unwrap();
        let about: Vec<u64> = about.iter().map(|p| p.sequence).collect();
        assert_eq!(about, [2, 3, 4, 5]);
        let said: Vec<u64> = found.feedback.iter().map(|f| f.body_hash).collect();
        assert_eq!((found.attempts.len(), said), (2, vec![7, 8]));
        let repeats = |subject, hash| store.repeats(&feedback(subject, 9, hash)).unwrap();
        assert!(repeats(Subject::Decision(id(1)), 7));
        assert!(!repeats(Subject::Decision(id(1)), 8));
        assert!(repeats(Subject::Episode(name("e1")), 8));
        let mut other = feedback(Subject::Episode(name("e1")), 9, 8);
        other.team = name("other");
        assert!(!store.repeats(&other).unwrap());
    });
}

#[test]
fn feedback_before_its_decision_waits_for_it() {
    let early = Record::Feedback(feedback(Subject::Decision(id(1)), 1, 7));
    check(std::slice::from_ref(&early), |store| {
        assert_eq!(store.decision(id(1)).unwrap(), None);
        assert_eq!(listed(store, "t", None), []);
    });
    check(&[early.clone(), record(decision(1))], |store| {
        assert_eq!(store.find(id(1)).unwrap().unwrap().feedback.len(), 1);
    });
    let mut owned = decision(1);
    owned.team = name("owner");
    check(&[early, record(owned)], |store| {
        let (position, found) = store.decision(id(1)).unwrap().unwrap();
        assert_eq!((found.team, position.sequence), (name("owner"), 2));
        // What another team said is not the owner's.
        assert_eq!(store.find(id(1)).unwrap().unwrap().feedback, []);
    });
}

#[test]
fn a_task_of_an_episode_has_one_draw_until_it_is_redrawn() {
    let check = |records: &[Decision], task: Option<&str>, expected: Option<(&str, u64)>| {
        let records: Vec<Record> = records.iter().cloned().map(record).collect();
        check(&records, |store| {
            let task = task.map(name);
            let draw = store.draw(&name("t"), &name("e1"), task.as_ref()).unwrap();
            let found = draw.map(|d| (d.arm.as_str().to_owned(), d.decision));
            let expected = expected.map(|(arm, number)| (arm.to_owned(), id(number)));
            assert_eq!(found, expected);
        });
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
        &[first.clone(), redrawn, inherited.clone()],
        plan,
        Some(("small", 4)),
    );
    check(&[first, unnamed], None, Some(("small", 5)));
    // The draw itself is not there any more.
    check(&[inherited], plan, Some(("small", 1)));
}

#[test]
fn an_episode_is_closed_where_it_was_first_closed() {
    let first = of_task(1, None, Origin::Drawn, 0);
    check(&[record(first), closed(2), closed(3)], |store| {
        let episode = store.episode(&name("t"), &name("e1")).unwrap().unwrap();
        assert_eq!(sequence_of(episode.closed), Some(2));
        assert_eq!(episode.decisions, 1);
        assert_eq!(store.episode(&name("other"), &name("e1")).unwrap(), None);
    });
    // Feedback alone makes no episode.
    let fed = Record::Feedback(feedback(Subject::Episode(name("e1")), 0, 1));
    check(&[fed], |store| {
        assert_eq!(store.episode(&name("t"), &name("e1")).unwrap(), None);
    });
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
    check(&[control(Some("small")), control(None)], |store| {
        let expected = Control {
            pinned: None,
            frozen: true,
        };
        assert_eq!(store.control(&name("t")), expected);
        assert_eq!(store.control(&name("other")), Control::default());
    });
}

#[test]
fn a_request_id_is_known_within_its_team_for_its_window() {
    const DAY: i64 = 24 * 60 * 60;
    let mut first = decision(1);
    first.request = Some(request("r", 5));
    let known = |store: &Store, team: &str| {
        let asked = store.request(&name(team), &name("r")).unwrap();
        asked.map(|asked| (asked.body_hash, asked.position.sequence))
    };
    let later = |seconds| Record::Tick {
        time: time(seconds),
    };
    check(&[record(first.clone()), later(1 + DAY)], |store| {
        assert_eq!(known(store, "t"), Some((5, 1)));
        assert_eq!(known(store, "other"), None);
    });
    check(&[record(first.clone()), later(2 + DAY)], |store| {
        assert_eq!(known(store, "t"), None);
    });
    // It may then be used again, with another body.
    let mut again = decision(2);
    again.time = time(2 + DAY);
    again.request = Some(request("r", 6));
    check(&[record(first), record(again)], |store| {
        assert_eq!(known(store, "t"), Some((6, 2)));
    });
}

#[test]
fn every_kind_of_record_brings_its_request_id() {
    let mut fed = feedback(Subject::Decision(id(1)), 3, 7);
    fed.request_id = Some(name("feedback"));
    check(&[Record::Feedback(fed), closed(4)], |store| {
        let hash = |id: &str| {
            let asked = store.request(&name("t"), &name(id)).unwrap();
            asked.map(|asked| asked.body_hash)
        };
        assert_eq!(
            (hash("feedback"), hash("close"), hash("r")),
            (Some(7), Some(5), None)
        );
    });
}

#[test]
fn the_oldest_go_first_at_every_bound() {
    let check = |settings: index::Settings, expected: &[u64]| {
        let records: Vec<Record> = (1..=10).map(|n| record(decision(n))).collect();
        let store = store_in(&settings, &records);
        let expected: Vec<DecisionId> = expected.iter().rev().map(|n| id(*n)).collect();
        assert_eq!(listed(&store, "t", None), expected);
        for number in 1..=10 {
            let found = store.find(id(number)).unwrap().is_some();
            assert_eq!(found, expected.contains(&id(number)), "{number}");
        }
    };
    check(files_of(1), &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let few = index::Settings {
        decisions: 3,
        ..files_of(1)
    };
    check(few, &[8, 9, 10]);
    for run_records in FILES {
        let short = index::Settings {
            window: Duration::from_secs(4),
            ..files_of(run_records)
        };
        check(short, &[6, 7, 8, 9, 10]);
    }
}

#[test]
fn an_episode_stays_as_long_as_one_of_its_decisions() {
    let settings = index::Settings {
        decisions: 2,
        ..files_of(1)
    };
    let fed = |n| Record::Feedback(feedback(Subject::Episode(name("e1")), n, 1));
    let mut records = vec![
        record(of_task(1, None, Origin::Drawn, 0)),
        fed(2),
        record(of_task(3, None, Origin::Inherited(id(1)), 0)),
    ];
    records.extend((4..6).map(|n| record(decision(n))));
    let has = |upto: usize| {
        let store = store_in(&settings, &records[..upto]);
        let draw = store.draw(&name("t"), &name("e1"), None).unwrap();
        draw.is_some()
    };
    assert_eq!([has(3), has(4), has(5)], [true, true, false]);
}

/// What a store says of the names that these tests use.
fn answers(store: &Store) -> impl PartialEq + std::fmt::Debug + use<> {
    let (team, episode) = (name("t"), name("e1"));
    let found: Vec<_> = (1..=6).map(|n| store.find(id(n)).unwrap()).collect();
    let tasks: [Option<Name>; 2] = [None, Some(name("plan"))];
    let draws = tasks.map(|task| store.draw(&team, &episode, task.as_ref()).unwrap());
    let requests = ["r", "close"].map(|id| store.request(&team, &name(id)).unwrap());
    let known = store.episode(&team, &episode).unwrap();
    (listed(store, "t", None), found, draws, requests, known)
}

/// A record of one of the kinds that are looked up.
fn any_record() -> impl Strategy<Value = Record> {
    let task = prop_oneof![Just(None), Just(Some("plan"))];
    let number = 1..6_u64;
    (0..8_u32, number, task).prop_map(|(kind, number, task)| {
        let of_task = |origin| of_task(number, task, origin, (number % 2) as u32);
        let said = |subject| Record::Feedback(feedback(subject, number.cast_signed(), number % 3));
        match kind {
            0 => record(of_task(Origin::Drawn)),
            1 => record(of_task(Origin::Inherited(id(1)))),
            2 => record(of_task(Origin::Redrawn(id(1)))),
            3 => {
                let mut decision = decision(number);
                decision.request = Some(request("r", number));
                record(decision)
            }
            4 => attempt(number, number.cast_signed()),
            5 => said(Subject::Decision(id(number))),
            6 => said(Subject::Episode(name("e1"))),
            _ => closed(number.cast_signed()),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn answers_do_not_depend_on_what_is_in_memory_and_what_in_which_file(
        records in prop::collection::vec(any_record(), 0..60),
        run_records in 1..9_usize,
        restart in 0..60_usize,
    ) {
        let in_memory = store_in(&files_of(usize::MAX), &records);
        let disk = SimulatedDisk::new();
        let (before, after) = records.split_at(restart.min(records.len()));
        let store = open(&disk, files_of(run_records));
        for record in before {
            store.append(record).unwrap();
        }
        drop(store);
        let store = open(&disk, files_of(run_records));
        for record in after {
            store.append(record).unwrap();
        }
        prop_assert_eq!(answers(&store), answers(&in_memory));
        drop(store);
        disk.crash();
        let store = open(&disk, files_of(run_records));
        prop_assert_eq!(answers(&store), answers(&in_memory));
    }
}
