//! What a learner that stops, crashes, or meets damage comes back with: the journal's disk is sound, the one with
//! checkpoints and pages is not.

use super::*;
use crate::learn::Follower;
use crate::learn::sample::{HOUR, Maker, everything, params, seen};
use crate::signal::Subject;
use crate::store::disk::Disk;
use crate::store::simulated::SimulatedDisk;
use crate::store::{Checkpoints, Record, Settings};
use crate::unit::Timestamp;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::sync::Arc;

mod failing;

/// A journal, and a disk for what is learned from it.
struct Rig {
    store: Arc<Store>,
    params: Arc<Params>,
    disk: SimulatedDisk,
}

impl Rig {
    fn new() -> Self {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let journal = Arc::new(SimulatedDisk::new());
        let mut settings = Settings::default();
        settings.journal.segment_bytes = 1 << 16;
        let (store, _) = Store::open(journal, settings, now).unwrap();
        Self {
            store: Arc::new(store),
            params: Arc::new(params(HOUR)),
            disk: SimulatedDisk::new(),
        }
    }

    /// With everything in the journal.
    fn written() -> Self {
        let rig = Self::new();
        everything().iter().for_each(|record| rig.append(record));
        rig
    }

    fn append(&self, record: &Record) {
        self.store.append(record).unwrap();
    }

    fn open(&self) -> Follower {
        let checkpoints = Checkpoints::new(Arc::new(self.disk.clone()));
        Follower::open(
            Arc::clone(&self.store),
            checkpoints,
            Arc::clone(&self.params),
        )
    }

    /// What a learner knows that never stopped.
    fn whole(&self) -> Option<Vec<u8>> {
        let checkpoints = Checkpoints::new(Arc::new(SimulatedDisk::new()));
        let store = Arc::clone(&self.store);
        let mut whole = Follower::from_scratch(store, checkpoints, Arc::clone(&self.params));
        whole.catch_up().unwrap();
        let bytes = whole.checkpoint_bytes();
        assert!(bytes.is_some());
        bytes
    }

    fn named(&self, start: &str, end: &str) -> Vec<String> {
        let mut names = self.disk.list().unwrap();
        names.retain(|name| name.starts_with(start) && name.ends_with(end));
        names
    }

    fn page_bytes(&self) -> u64 {
        let names = self.named("pages-", ".bin");
        let sizes = names.iter().map(|name| self.disk.read(name).unwrap().len());
        sizes.sum::<usize>() as u64
    }
}

/// Learns so many records more.
fn learn(follower: &mut Follower, rig: &Rig, records: &[Record]) {
    records.iter().for_each(|record| rig.append(record));
    follower.catch_up().unwrap();
}

#[test]
fn a_learner_that_stops_and_starts_wherever_it_may_ends_with_the_bits_of_one_that_does_not() {
    let records = everything();
    for every in [1, 2, 3, 7, 20] {
        let rig = Rig::new();
        let mut follower = rig.open();
        for part in records.chunks(every) {
            learn(&mut follower, &rig, part);
            follower.write_checkpoint().unwrap();
            let before = follower.checkpoint_bytes();
            drop(follower);
            follower = rig.open();
            let newest = rig.store.journal().newest();
            assert_eq!(follower.learner().sequence(), newest);
            assert!(follower.checkpoint_bytes() == before);
            assert_eq!(rig.named("checkpoint-", ".bad").len(), 0);
        }
        assert!(follower.checkpoint_bytes() == rig.whole());
    }
}

#[test]
fn the_checkpoint_before_serves_with_all_its_pages() {
    let records = everything();
    let rig = Rig::new();
    let mut follower = rig.open();
    for part in records.chunks(5) {
        let before = follower.learner().sequence();
        learn(&mut follower, &rig, part);
        follower.write_checkpoint().unwrap();
        drop(follower);
        let newest = rig.named("checkpoint-", ".bin").pop().unwrap();
        let sound = rig.disk.read(&newest).unwrap();
        rig.disk.damage(&newest, 30, &[!sound[30]]);
        follower = rig.open();
        assert_eq!(follower.learner().sequence(), before);
        follower.catch_up().unwrap();
        assert!(follower.checkpoint_bytes() == rig.whole());
        follower.write_checkpoint().unwrap();
    }
}

#[test]
fn a_power_cut_or_a_failing_disk_at_any_moment_loses_no_checkpoint_that_was_acknowledged() {
    let records = everything();
    let (mut failed, mut served) = (0, 0);
    let whole = Rig::written().whole();
    for seed in 0..60 {
        let rig = Rig::new();
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut follower = rig.open();
        let mut kept = 0;
        for part in records.chunks(3) {
            learn(&mut follower, &rig, part);
            rig.disk.set_sync_fails(rng.random_bool(0.2));
            rig.disk
                .set_room(rng.random_bool(0.2).then(|| rng.random_range(0..9000)));
            if rng.random_bool(0.5) {
                match follower.write_checkpoint() {
                    Ok(()) => kept = follower.learner().sequence(),
                    Err(_) => failed += 1,
                }
            }
            rig.disk.set_sync_fails(false);
            rig.disk.set_room(None);
            if rng.random_bool(0.2) {
                match rng.random_bool(0.5) {
                    true => rig.disk.crash(),
                    false => rig.disk.crash_torn(&mut rng),
                }
                follower = rig.open();
                let sequence = follower.learner().sequence();
                assert!(sequence >= kept, "seed {seed}: {sequence}, not {kept}");
                assert_eq!(rig.named("checkpoint-", ".bad").len(), 0, "seed {seed}");
                served += usize::from(sequence > 0);
                follower.catch_up().unwrap();
            }
        }
        assert!(follower.checkpoint_bytes() == whole, "seed {seed}");
    }
    assert!(failed > 50 && served > 50, "{failed} {served}");
}

/// Spoils all page files that are there; what is spoiled stays so.
fn spoil(rig: &Rig) {
    for name in rig.named("pages-", ".bin") {
        let bytes = rig.disk.read(&name).unwrap();
        for at in (0..bytes.len()).step_by(7) {
            rig.disk.damage(&name, at, &[0xa5]);
        }
    }
}

#[test]
fn a_damaged_page_is_told_and_learned_anew_while_the_last_snapshot_stays_in_force() {
    let records = everything();
    let (first, second) = records.split_at(records.len() / 2);
    let rig = Rig::new();
    let mut follower = rig.open();
    learn(&mut follower, &rig, &first[..20]);
    follower.write_checkpoint().unwrap();
    learn(&mut follower, &rig, &first[20..]);
    follower.write_checkpoint().unwrap();
    let published = follower.published();
    let version = published.load().version;
    spoil(&rig);
    second.iter().for_each(|record| rig.append(record));
    let mut versions = vec![version];
    follower
        .catch_up_while(|_| {
            versions.push(published.load().version);
            true
        })
        .unwrap();
    assert!(versions.is_sorted(), "{versions:?}");
    assert_eq!(published.load().version, records.len() as u64);
    assert!(follower.passed_over() > 0);
    assert!(!rig.named("checkpoint-", ".bad").is_empty());
    assert!(follower.checkpoint_bytes() == rig.whole());
    // As it would be published by one that never met it.
    follower.write_checkpoint().unwrap();
    drop(follower);
    let follower = rig.open();
    assert_eq!(follower.learner().sequence(), records.len() as u64);
    let teams = follower.published().load().teams.clone();
    assert!(format!("{:?}", published.load().teams) == format!("{teams:?}"));
}

#[test]
fn a_page_found_damaged_when_a_checkpoint_is_written_does_not_keep_it_from_being_written() {
    let rig = Rig::written();
    let mut follower = rig.open();
    follower.catch_up().unwrap();
    follower.write_checkpoint().unwrap();
    // Emptying a file of which little is used reads it, sooner or later.
    let mut found = 0;
    for record in everything() {
        learn(&mut follower, &rig, &[record]);
        spoil(&rig);
        let before = follower.passed_over();
        follower.write_checkpoint().unwrap();
        found += follower.passed_over() - before;
        follower.catch_up().unwrap();
    }
    assert!(found > 0, "never while one is written");
    assert!(follower.checkpoint_bytes() == rig.whole());
}

#[test]
fn a_page_file_that_is_missing_or_short_sets_the_checkpoint_aside_at_the_start() {
    for short in [true, false] {
        let rig = Rig::written();
        let mut follower = rig.open();
        follower.catch_up().unwrap();
        follower.write_checkpoint().unwrap();
        drop(follower);
        for name in rig.named("pages-", ".bin") {
            match short {
                true => {
                    let file = rig.disk.open(&name).unwrap();
                    file.set_len(file.size().unwrap() - 1).unwrap();
                }
                false => rig.disk.remove(&name).unwrap(),
            }
        }
        let mut follower = rig.open();
        assert_eq!(follower.learner().sequence(), 0);
        assert_eq!(rig.named("checkpoint-", ".bad").len(), 1);
        assert_eq!(
            rig.named("pages-", ".bin").len(),
            0,
            "nobody speaks of them"
        );
        follower.catch_up().unwrap();
        assert!(follower.checkpoint_bytes() == rig.whole());
    }
}

#[test]
fn what_pages_take_is_bounded_by_what_is_open_and_files_are_few() {
    let (rig, mut maker) = (Rig::new(), Maker::new());
    let mut rng = SmallRng::seed_from_u64(9);
    let mut follower = rig.open();
    let (mut ids, mut checked) = (Vec::new(), 0);
    for round in 0..400 {
        let decision = maker.decision(None);
        ids.push(decision.id);
        let about = Subject::Decision(ids[rng.random_range(0..ids.len())]);
        let told = maker.feedback(about, &[("tests", seen(round % 2 == 0))]);
        learn(
            &mut follower,
            &rig,
            &[Record::Decision(Box::new(decision)), told],
        );
        if round % 10 != 9 {
            continue;
        }
        follower.write_checkpoint().unwrap();
        let used: u64 = follower.learner().places().map(|place| place.bytes()).sum();
        let (files, taken) = (rig.named("pages-", ".bin").len(), rig.page_bytes());
        assert!(files <= 2 * FILES + 2, "{files}");
        // Twice what is open now and at the checkpoint before, and what ten rounds write.
        if used > 10_000 {
            assert!(taken <= 5 * used, "{taken} of {used}");
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked}");
}

#[test]
fn a_rebuild_beside_a_learner_takes_nothing_from_it_and_leaves_nothing() {
    let rig = Rig::written();
    let mut follower = rig.open();
    follower.catch_up().unwrap();
    follower.write_checkpoint().unwrap();
    let names = rig.disk.list().unwrap();
    let checkpoints = Checkpoints::new(Arc::new(rig.disk.clone()));
    let store = Arc::clone(&rig.store);
    let mut rebuilt = Follower::from_scratch(store, checkpoints, Arc::clone(&rig.params));
    rebuilt.catch_up().unwrap();
    assert!(rebuilt.checkpoint_bytes() == follower.checkpoint_bytes());
    drop(rebuilt);
    assert_eq!(rig.disk.list().unwrap(), names);
    assert!(follower.checkpoint_bytes() == rig.whole());
}
