//! Files of the index: damaged, missing, of another journal.

use super::*;
use crate::id::Name;
use crate::store::disk::Disk;
use crate::store::record::Record;
use crate::store::sample::{decision, id, name, record, time};
use crate::store::simulated::SimulatedDisk;
use crate::store::{self, Digest, Error, Store, journal};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const RUN_RECORDS: usize = 4;

/// Counts decisions; tells what it was restored from.
#[derive(Debug, Clone, Default)]
struct Count(Arc<Mutex<(u64, Vec<u64>)>>);

impl Digest for Count {
    fn restore(&mut self, bytes: &[u8]) -> bool {
        let mut count = self.0.lock().unwrap();
        let read = bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        count.0 = read.unwrap_or_default();
        count.1.extend(read);
        read.is_some()
    }

    fn take(&mut self, _: &Record) {
        self.0.lock().unwrap().0 += 1;
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().0.to_le_bytes().into()
    }
}

/// Opens a store; what its digest counts, and what it was restored from.
fn open(disk: &SimulatedDisk) -> Result<(Store, Count), Error> {
    let settings = store::Settings {
        index: Settings {
            run_records: RUN_RECORDS,
            ..Settings::default()
        },
        journal: journal::Settings {
            segment_bytes: 4096,
            group_window: Duration::ZERO,
            ..journal::Settings::default()
        },
    };
    let count = Count::default();
    let digest = Box::new(count.clone());
    let (store, _) = Store::open_with(Arc::new(disk.clone()), settings, time(0), digest)?;
    Ok((store, count))
}

/// A disk with the same files.
fn copy_of(disk: &SimulatedDisk) -> SimulatedDisk {
    let copy = SimulatedDisk::new();
    for name in disk.list().unwrap() {
        copy.replace(&name, &disk.read(&name).unwrap()).unwrap();
    }
    copy
}

/// A disk with so many decisions, closed with all files written.
fn disk_of(decisions: u64) -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    for number in 1..=decisions {
        store.append(&record(decision(number))).unwrap();
    }
    drop(store);
    disk
}

fn files(disk: &SimulatedDisk) -> Vec<String> {
    let mut names = disk.list().unwrap();
    names.retain(|name| name.starts_with("index-"));
    names
}

/// All are found, and the digest counts them all; from what it was restored.
fn check(disk: &SimulatedDisk, decisions: u64) -> Vec<u64> {
    let (store, count) = open(disk).unwrap();
    for number in 1..=decisions {
        let found = store.decision(id(number)).unwrap();
        let sequence = found.map(|(position, _)| position.sequence);
        assert_eq!(sequence, Some(number));
    }
    let listed = store.newest(&name("t"), None, usize::MAX).unwrap();
    assert_eq!(listed.len() as u64, decisions);
    let (counted, restored) = count.0.lock().unwrap().clone();
    assert_eq!(counted, decisions);
    restored
}

#[test]
fn a_start_goes_on_from_the_newest_file_and_eight_become_one() {
    for (decisions, restored, written) in [(3, None, 0), (4, Some(4), 1), (31, Some(28), 7)] {
        let disk = disk_of(decisions);
        assert_eq!(files(&disk).len(), written);
        assert_eq!(check(&disk, decisions), Vec::from_iter(restored));
    }
    let disk = disk_of(33);
    assert_eq!(files(&disk), [super::run::name(1, 32)]);
    assert_eq!(check(&disk, 33), [32]);
    assert_eq!(files(&disk_of(64 + 5)).len(), 3);
}

#[test]
fn whatever_byte_of_a_file_is_damaged_it_is_made_anew_and_nothing_is_lost() {
    let whole = disk_of(9);
    let names = files(&whole);
    assert_eq!(names.len(), 2);
    for name in &names {
        let len = whole.read(name).unwrap().len();
        for at in (0..len).step_by(7) {
            let disk = copy_of(&whole);
            let flipped = !disk.read(name).unwrap()[at];
            disk.damage(name, at, &[flipped]);
            // What stands in a block is seen when it is asked for: then, too, the next start mends it.
            let (store, _) = open(&disk).unwrap();
            let asked = (1..=9).try_for_each(|n| store.decision(id(n)).map(drop));
            let listed = store.newest(&Name::new("t").unwrap(), None, usize::MAX);
            let told = asked.is_err() || listed.is_err();
            drop(store);
            match told {
                true => assert_ne!(check(&disk, 9), [8]),
                false => drop(check(&disk, 9)),
            }
            assert_eq!(check(&disk, 9), [8]);
        }
    }
}

#[test]
fn a_file_that_is_missing_or_left_over_costs_time_and_no_more() {
    let names = files(&disk_of(13));
    assert_eq!(names.len(), 3);
    for name in &names {
        let disk = disk_of(13);
        disk.remove(name).unwrap();
        check(&disk, 13);
    }
    // The power went between a merged file and the removal of what went into it.
    let (disk, merged) = (disk_of(28), disk_of(32));
    let name = super::run::name(1, 32);
    let bytes = merged.read(&name).unwrap();
    let (store, _) = open(&disk).unwrap();
    for number in 29..=31 {
        store.append(&record(decision(number))).unwrap();
    }
    drop(store);
    let (store, _) = open(&disk).unwrap();
    store.append(&record(decision(32))).unwrap();
    drop(store);
    disk.replace(&name, &bytes).unwrap();
    disk.replace("index-x.run.tmp", &[1]).unwrap();
    assert_eq!(check(&disk, 32), [32]);
    assert_eq!(files(&disk), [name]);
}

#[test]
fn files_of_another_journal_are_not_believed() {
    let (disk, other) = (disk_of(9), disk_of(6));
    for name in disk.list().unwrap() {
        if name.starts_with("journal-") {
            disk.remove(&name).unwrap();
        }
    }
    for name in other.list().unwrap() {
        if name.starts_with("journal-") {
            disk.replace(&name, &other.read(&name).unwrap()).unwrap();
        }
    }
    check(&disk, 6);
    assert_eq!(files(&disk), [super::run::name(1, 4)]);
}

#[test]
fn a_segment_that_is_missing_is_told_though_no_file_needs_it() {
    let disk = disk_of(30);
    let names = disk.list().unwrap();
    let segments: Vec<_> = names.iter().filter(|n| n.starts_with("journal-")).collect();
    assert!(segments.len() > 4, "{segments:?}");
    disk.remove(segments[1]).unwrap();
    let opened = open(&disk).map(drop);
    assert!(matches!(opened, Err(Error::Missing { .. })), "{opened:?}");
}

#[test]
fn no_file_speaks_of_records_that_a_power_cut_takes() {
    use rand::SeedableRng;
    for seed in 0..40 {
        let disk = SimulatedDisk::new();
        let (store, _) = open(&disk).unwrap();
        for number in 1..=40 {
            store.append(&record(decision(number))).unwrap();
        }
        let mut rng = rand::rngs::SmallRng::seed_from_u64(seed);
        disk.crash_torn(&mut rng);
        drop(store);
        let (store, _) = open(&disk).unwrap();
        let kept = store.journal().newest();
        drop(store);
        check(&disk, kept);
    }
}

#[test]
fn a_full_disk_keeps_keys_in_memory_and_they_are_written_later() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    // Room for records, and not for the index's files beside them.
    disk.set_room(Some(9_000));
    let kept = (1..=8).take_while(|n| store.append(&record(decision(*n))).is_ok());
    let kept = kept.count() as u64;
    for number in 1..=kept {
        assert!(store.decision(id(number)).unwrap().is_some());
    }
    disk.set_room(None);
    drop(store);
    check(&disk, kept);
}
