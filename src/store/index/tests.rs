//! Files of the index: damaged, missing, of another journal.

use super::*;
use crate::id::Name;
use crate::store::disk::Disk;
use crate::store::record::Record;
use crate::store::sample::{decision, id, name, record, time};
use crate::store::simulated::SimulatedDisk;
use crate::store::{self, Copied, Digest, Error, Store, journal};
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

    fn copied(&self) -> Box<dyn Copied> {
        Box::new(self.0.lock().unwrap().0.to_le_bytes().to_vec())
    }
}

/// Files of so few records, and segments of so many bytes.
fn settings(segment_bytes: u64) -> store::Settings {
    store::Settings {
        index: Settings {
            run_records: RUN_RECORDS,
            ..Settings::default()
        },
        journal: journal::Settings {
            segment_bytes,
            group_window: Duration::ZERO,
            ..journal::Settings::default()
        },
    }
}

/// Opens a store; what its digest counts, and what it was restored from.
fn open(disk: &SimulatedDisk) -> Result<(Store, Count), Error> {
    let settings = settings(4096);
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

/// The journal's files of `other` in the place of those of `disk`.
fn put_journal(disk: &SimulatedDisk, other: &SimulatedDisk) {
    let is_journal = |name: &String| name.starts_with("journal-");
    for name in disk.list().unwrap().iter().filter(|name| is_journal(name)) {
        disk.remove(name).unwrap();
    }
    for name in other.list().unwrap().iter().filter(|name| is_journal(name)) {
        disk.replace(name, &other.read(name).unwrap()).unwrap();
    }
}

#[test]
fn a_journal_that_lacks_what_was_on_disk_is_damaged_and_an_empty_one_is_new() {
    let disk = disk_of(9);
    put_journal(&disk, &disk_of(6));
    let before = disk.read("journal-00000000000000000001.log").unwrap();
    let opened = open(&disk).map(drop);
    assert!(matches!(opened, Err(Error::Corrupt { .. })), "{opened:?}");
    // Nothing is cut: it can be put back.
    let after = disk.read("journal-00000000000000000001.log").unwrap();
    assert_eq!(after, before);
    put_journal(&disk, &SimulatedDisk::new());
    check(&disk, 0);
}

#[test]
fn damage_below_what_was_on_disk_is_told_whatever_is_read() {
    // A digest that cannot go on: all is read.
    let disk = SimulatedDisk::new();
    let open_all = |disk: &SimulatedDisk| {
        let settings = settings(1 << 16);
        Store::open_with(
            Arc::new(disk.clone()),
            settings,
            time(0),
            Box::new(Forgetful),
        )
    };
    let (store, _) = open_all(&disk).unwrap();
    for number in 1..=9 {
        store.append(&record(decision(number))).unwrap();
    }
    let hurt = store.decision(id(6)).unwrap().unwrap().0;
    drop(store);
    let whole = copy_of(&disk);
    let name = "journal-00000000000000000001.log";
    disk.damage(name, hurt.offset as usize + 20, &[0xaa, 0xbb]);
    match open_all(&disk).map(drop) {
        Err(Error::Corrupt { offset, .. }) => assert_eq!(offset, u64::from(hurt.offset)),
        other => panic!("{other:?}"),
    }
    let (store, _) = open_all(&whole).unwrap();
    assert!(store.decision(id(9)).unwrap().is_some());
}

/// A digest that is never gone on with.
#[derive(Debug)]
struct Forgetful;

impl Digest for Forgetful {
    fn restore(&mut self, _: &[u8]) -> bool {
        false
    }

    fn take(&mut self, _: &Record) {}

    fn copied(&self) -> Box<dyn Copied> {
        Box::new(Vec::<u8>::new())
    }
}

#[test]
fn a_damaged_file_is_not_merged_and_all_are_found_after_the_next_start() {
    let disk = disk_of(28);
    let name = super::run::name(5, 8);
    // The first block of the first table.
    disk.damage(&name, super::run::HEADER + 3, &[0xff, 0x01]);
    let (store, _) = open(&disk).unwrap();
    for number in 29..=45 {
        store.append(&record(decision(number))).unwrap();
    }
    drop(store);
    assert!(!files(&disk).contains(&name), "it is set aside");
    assert!(files(&disk).iter().all(|name| !name.ends_with(".tmp")));
    check(&disk, 45);
    assert!(files(&disk).iter().all(|name| !name.ends_with(".bad")));
}

#[test]
fn records_that_do_not_decode_are_no_gaps_between_files() {
    for bad in [1, 4, 5, 8] {
        let disk = disk_of(9);
        let (store, _) = open(&disk).unwrap();
        let at = store.decision(id(bad)).unwrap().unwrap().0;
        drop(store);
        let segments: Vec<u64> = disk
            .list()
            .unwrap()
            .iter()
            .filter_map(|name| {
                name.strip_prefix("journal-")?
                    .strip_suffix(".log")?
                    .parse()
                    .ok()
            })
            .collect();
        let first = segments.iter().rfind(|first| **first <= bad).unwrap();
        undecodable(&disk, &format!("journal-{first:020}.log"), at);
        for name in files(&disk) {
            disk.remove(&name).unwrap();
        }
        // Made anew once; the next start goes on from there.
        drop(open(&disk).unwrap());
        let (_, count) = open(&disk).unwrap();
        assert_eq!(count.0.lock().unwrap().1.len(), 1, "{bad}");
    }
}

/// Makes the record there one that is whole and does not decode.
fn undecodable(disk: &SimulatedDisk, file: &str, at: journal::Position) {
    let bytes = disk.read(file).unwrap();
    let start = at.offset as usize;
    let length = u32::from_le_bytes(bytes[start..start + 4].try_into().unwrap());
    let mut payload = bytes[start + 8..start + 8 + length as usize].to_vec();
    // A kind of record that there is not.
    payload[1] = 0x7f;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&payload);
    hasher.update(&length.to_le_bytes());
    hasher.update(&at.sequence.to_le_bytes());
    disk.damage(file, start + 4, &hasher.finalize().to_le_bytes());
    disk.damage(file, start + 9, &[0x7f]);
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
    let mut unwritten = 0;
    for room in (1_000..6_000).step_by(100) {
        let disk = SimulatedDisk::new();
        let (store, _) = open(&disk).unwrap();
        disk.set_room(Some(room));
        let kept = (1..=8).take_while(|n| store.append(&record(decision(*n))).is_ok());
        let kept = kept.count() as u64;
        for number in 1..=kept {
            assert!(store.decision(id(number)).unwrap().is_some());
        }
        drop(store);
        let waits = kept >= RUN_RECORDS as u64 && files(&disk).is_empty();
        unwritten += u64::from(waits);
        disk.set_room(None);
        check(&disk, kept);
        assert_eq!(files(&disk).len() as u64, kept / RUN_RECORDS as u64);
    }
    assert!(unwritten > 0, "there was room for the file each time");
}
