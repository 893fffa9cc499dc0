//! The store as a whole: found again, claimed once, after a restart too.

use super::*;
use crate::decision::Origin;
use crate::id::Name;
use crate::signal::Subject;
use crate::store::sample::{
    answer, attempt, decision, feedback, id, name, record, request, tick, time,
};
use crate::store::simulated::SimulatedDisk;
use futures_util::FutureExt;
use std::sync::Arc;
use std::time::Duration;

fn open(disk: &SimulatedDisk) -> Store {
    let journal = journal::Settings {
        durability: Durability::Sync,
        segment_bytes: 4096,
        group_window: Duration::from_millis(5),
    };
    let settings = Settings {
        journal,
        ..Settings::default()
    };
    let (store, _) = Store::open(Arc::new(disk.clone()), settings, time(0)).unwrap();
    store
}

fn asked(number: u64, request_id: &str, body_hash: u64) -> Record {
    let mut decision = decision(number);
    decision.request = Some(request(request_id, body_hash));
    record(decision)
}

fn team() -> Name {
    name("t")
}

#[tokio::test]
async fn a_decision_is_found_with_all_that_followed_before_and_after_a_restart() {
    let disk = SimulatedDisk::new();
    let store = open(&disk);
    let mut first = decision(1);
    first.episode = Some(name("e1"));
    let theirs = feedback(Subject::Decision(id(1)), 2, 1);
    let mut foreign = feedback(Subject::Decision(id(1)), 2, 2);
    foreign.team = name("foreign");
    let of_episode = feedback(Subject::Episode(name("e1")), 4, 3);
    for record in [
        record(first.clone()),
        Record::Feedback(theirs.clone()),
        Record::Feedback(foreign),
        answer(1, 3),
        attempt(1, 3),
        Record::Feedback(of_episode.clone()),
        record(decision(2)),
    ] {
        store.commit(&record).await.unwrap();
    }
    let check = |store: &Store| {
        let found = store.find(id(1)).unwrap().unwrap();
        assert_eq!(*found.decision, first);
        assert_eq!(found.feedback, [theirs.clone(), of_episode.clone()]);
        assert_eq!(found.attempts.len(), 1);
        assert_eq!(found.answer.unwrap().finish_reason, name("stop"));
        assert_eq!(store.find(id(3)).unwrap(), None);
    };
    check(&store);
    store.close().unwrap();
    disk.crash();
    check(&open(&disk));
}

#[tokio::test]
async fn a_repeat_waits_for_the_first_call_and_gets_its_record() {
    let disk = SimulatedDisk::new();
    let store = open(&disk);
    let (team, r) = (team(), name("r"));
    let Claim::New(turn) = store.claim(&team, &r, 5).await.unwrap() else {
        panic!("the first is new");
    };
    let repeat = store.claim(&team, &r, 5);
    tokio::pin!(repeat);
    assert!(repeat.as_mut().now_or_never().is_none());
    let position = store.commit(&asked(1, "r", 5)).await.unwrap();
    assert!(
        repeat.as_mut().now_or_never().is_none(),
        "the turn still holds"
    );
    drop(turn);
    match repeat.await.unwrap() {
        Claim::Known(known, _) => assert_eq!((known.position, known.body_hash), (position, 5)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_body_is_a_conflict_at_once_and_later_and_after_a_restart() {
    let disk = SimulatedDisk::new();
    let store = open(&disk);
    let r = name("r");
    let turn = store.claim(&team(), &r, 5).await.unwrap();
    let conflict = |claim: Result<Claim, Error>| matches!(claim, Ok(Claim::Conflict));
    assert!(conflict(store.claim(&team(), &r, 6).await));
    store.commit(&asked(1, "r", 5)).await.unwrap();
    drop(turn);
    assert!(conflict(store.claim(&team(), &r, 6).await));
    store.close().unwrap();
    let store = open(&disk);
    assert!(conflict(store.claim(&team(), &r, 6).await));
    let same = store.claim(&team(), &r, 5).await.unwrap();
    assert!(matches!(same, Claim::Known(..)), "{same:?}");
    let elsewhere = store.claim(&name("other"), &r, 6).await.unwrap();
    assert!(matches!(elsewhere, Claim::New(_)), "{elsewhere:?}");
}

#[tokio::test]
async fn a_call_that_gives_up_leaves_its_turn_to_one_who_waits() {
    let store = open(&SimulatedDisk::new());
    let r = name("r");
    let turn = store.claim(&team(), &r, 5).await.unwrap();
    let (team, mut waiting) = (team(), Vec::new());
    for _ in 0..3 {
        let mut claim = Box::pin(store.claim(&team, &r, 5));
        assert!(claim.as_mut().now_or_never().is_none());
        waiting.push(claim);
    }
    drop(turn);
    let claims: Vec<_> = waiting
        .iter_mut()
        .map(|c| c.as_mut().now_or_never())
        .collect();
    let turns = claims
        .iter()
        .filter(|claim| matches!(claim, Some(Ok(Claim::New(_)))))
        .count();
    assert_eq!(turns, 1, "{claims:?}");
}

#[tokio::test]
async fn a_task_of_an_episode_is_drawn_by_one_call_at_a_time() {
    let store = open(&SimulatedDisk::new());
    let (team, episode, task) = (team(), name("e1"), name("plan"));
    let turn = store.draw_turn(&team, &episode, Some(&task)).await;
    assert!(
        store
            .draw_turn(&team, &episode, None)
            .now_or_never()
            .is_some()
    );
    let next = store.draw_turn(&team, &episode, Some(&task));
    tokio::pin!(next);
    assert!(next.as_mut().now_or_never().is_none());
    let mut drawn = decision(1);
    drawn.episode = Some(episode.clone());
    drawn.task = Some(task.clone());
    drawn.origin = Origin::Drawn;
    store.commit(&record(drawn)).await.unwrap();
    drop(turn);
    let _turn = next.await;
    let draw = store.draw(&team, &episode, Some(&task)).unwrap().unwrap();
    assert_eq!((draw.arm.as_str(), draw.decision), ("large", id(1)));
}

#[tokio::test]
async fn a_full_disk_refuses_the_record_and_knows_nothing_of_it() {
    let disk = SimulatedDisk::new();
    let store = open(&disk);
    store.commit(&asked(1, "r", 5)).await.unwrap();
    disk.set_room(Some(0));
    let refused = store.commit(&asked(2, "s", 5)).await;
    assert!(matches!(refused, Err(Error::Full { .. })), "{refused:?}");
    assert!(store.request(&team(), &name("s")).unwrap().is_none());
    assert!(store.find(id(1)).unwrap().is_some());
    assert!(store.find(id(2)).unwrap().is_none());
    disk.set_room(None);
    store.commit(&asked(2, "s", 5)).await.unwrap();
    assert!(store.find(id(2)).unwrap().is_some());
}

/// A store of these records with files of so many.
fn store_of(run_records: usize, records: &[Record]) -> Store {
    let index = index::Settings {
        run_records,
        ..index::Settings::default()
    };
    let settings = Settings {
        index,
        ..Settings::default()
    };
    let disk = Arc::new(SimulatedDisk::new());
    let (store, _) = Store::open(disk, settings, time(0)).unwrap();
    for record in records {
        store.append(record).unwrap();
    }
    store
}

#[test]
fn a_reader_starts_anywhere_and_reads_on() {
    let records: Vec<Record> = (0..700).map(tick).collect();
    for run_records in [usize::MAX, 100] {
        let store = store_of(run_records, &records);
        for from in [1, 2, 255, 256, 257, 511, 600, 700] {
            let mut reader = store.reader(from);
            let (position, read) = reader.next().unwrap().unwrap();
            let number = from.cast_signed() - 1;
            assert_eq!((position.sequence, read), (from, tick(number)));
        }
        assert_eq!(store.reader(701).next().unwrap(), None);
    }
}

#[test]
fn what_happened_since_a_time_is_read_from_the_stretch_that_has_its_first_record() {
    let records: Vec<Record> = (1..=10).map(|n| record(decision(n))).collect();
    let store = store_of(3, &records);
    let since = |seconds| store.since(time(seconds));
    // Stretches of records 1 to 3, 4 to 6 and 7 to 9, and the tenth.
    assert_eq!([since(0), since(3), since(4), since(9)], [1, 1, 4, 7]);
    assert_eq!([since(10), since(11)], [10, 10]);
}
