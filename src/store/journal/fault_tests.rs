//! What survives full disks, failed syncs and power cuts.

use super::tests::{Records, open, open_with, read_all, settings, try_open};
use super::*;
use crate::store::Error;
use crate::store::disk::Disk;
use crate::store::record::Record;
use crate::store::sample::{decision, record, tick};
use crate::store::simulated::SimulatedDisk;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use std::sync::mpsc;
use std::time::Duration;

/// As the other tests, but with a window short enough to wait for.
fn brisk(durability: Durability) -> Settings {
    Settings {
        group_window: Duration::from_millis(2),
        ..settings(durability)
    }
}

/// Ticks and decisions in turn, so that frames differ in size.
fn nth(n: u64) -> Record {
    if n.is_multiple_of(3) {
        record(decision(n))
    } else {
        tick(n.cast_signed())
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn a_full_disk_refuses_keeps_reading_and_recovers_at_every_amount_of_room() {
    for room in (0..20_000).step_by(211) {
        let disk = SimulatedDisk::new();
        let (journal, ..) = open(&disk);
        let mut kept: Records = Vec::new();
        disk.set_room(Some(room));
        let mut n = 0;
        loop {
            match journal.append(&nth(n)) {
                Ok(position) => kept.push((position, nth(n))),
                Err(Error::Full { .. }) => break,
                Err(error) => panic!("room {room}: {error}"),
            }
            n += 1;
        }
        assert!(matches!(
            journal.append(&record(decision(n))),
            Err(Error::Full { .. })
        ));
        assert_eq!(read_all(&journal), kept, "room {room}");
        disk.set_room(None);
        // A short record over what may be the remains of a long one.
        kept.push((journal.append(&tick(1)).unwrap(), tick(1)));
        assert_eq!(read_all(&journal), kept, "room {room}");
        drop(journal);
        let (_, recovery, found) = open(&disk);
        assert_eq!(found, kept, "room {room}");
        assert_eq!(recovery.truncated_bytes, 0, "leftovers with room {room}");
    }
}

#[test]
fn a_journal_opens_and_reads_on_a_full_disk() {
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    let kept: Records = (0..30)
        .map(|n| (journal.append(&nth(n)).unwrap(), nth(n)))
        .collect();
    let last = kept[29].0;
    drop(journal);
    let newest = disk.list().unwrap().pop().unwrap();
    disk.damage(&newest, last.offset as usize + 5, &[0xaa]);
    disk.set_room(Some(0));
    let (journal, recovery, found) = open(&disk);
    assert!(recovery.truncated_bytes > 0);
    assert_eq!(found, kept[..29]);
    assert!(matches!(journal.append(&tick(1)), Err(Error::Full { .. })));
    disk.set_room(None);
    assert_eq!(journal.append(&tick(1)).unwrap().sequence, 30);
}

#[test]
fn a_failed_sync_breaks_the_journal_until_a_restart() {
    let disk = SimulatedDisk::new();
    let (journal, ..) = try_open(&disk, Durability::Sync).unwrap();
    block_on(journal.commit(&tick(1))).unwrap();
    disk.set_sync_fails(true);
    let (second, third) = (tick(2), tick(3));
    let both = async { tokio::join!(journal.commit(&second), journal.commit(&third)) };
    let waiting = block_on(both);
    for refused in [waiting.0, waiting.1] {
        assert!(matches!(refused, Err(Error::Broken { .. })), "{refused:?}");
    }
    // The disk would now say yes again: its word is worth nothing.
    disk.set_sync_fails(false);
    assert!(matches!(
        journal.append(&tick(4)),
        Err(Error::Broken { .. })
    ));
    assert!(matches!(
        block_on(journal.durable(2)),
        Err(Error::Broken { .. })
    ));
    assert!(block_on(journal.durable(1)).is_ok());
    assert_eq!(read_all(&journal)[0].1, tick(1));
    assert!(matches!(journal.close(), Err(Error::Broken { .. })));
    disk.crash();
    let (journal, _, found) = try_open(&disk, Durability::Sync).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(block_on(journal.commit(&tick(5))).unwrap().sequence, 2);
}

#[test]
fn a_sync_that_fails_at_a_new_segment_breaks_the_journal_too() {
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    disk.set_sync_fails(true);
    let broken = (0..100).find_map(|n| journal.append(&nth(n)).err());
    assert!(matches!(broken, Some(Error::Broken { .. })), "{broken:?}");
    disk.set_sync_fails(false);
    assert!(matches!(
        journal.append(&tick(1)),
        Err(Error::Broken { .. })
    ));
    assert!(matches!(
        block_on(journal.on_disk(1)),
        Err(Error::Broken { .. })
    ));
}

#[test]
fn closing_brings_everything_to_disk() {
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    for n in 0..10 {
        journal.append(&nth(n)).unwrap();
    }
    journal.close().unwrap();
    disk.crash();
    assert_eq!(open(&disk).2.len(), 10);
}

#[test]
fn what_was_read_at_open_is_on_disk() {
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    journal.append(&tick(1)).unwrap();
    // A killed process: nothing is synced, yet the next one reads what the system still has.
    std::mem::forget(journal);
    let (again, _, found) = open(&disk);
    assert_eq!(found.len(), 1);
    std::mem::forget(again);
    disk.crash();
    assert_eq!(open(&disk).2.len(), 1);
}

/// Four threads append until the power is cut after some acknowledgements; returns what they had
/// been told is kept, by sequence.
fn cut_power(disk: &SimulatedDisk, durability: Durability, seed: u64) -> Vec<u64> {
    let (journal, ..) = open_with(disk, brisk(durability)).unwrap();
    let (acknowledged, told) = mpsc::channel();
    let mut sequences = Vec::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (journal, acknowledged) = (&journal, acknowledged.clone());
            scope.spawn(move || {
                block_on(async {
                    for n in thread * 1000.. {
                        let Ok(position) = journal.append(&nth(n)) else {
                            return;
                        };
                        // In mode group every seventh waits for the disk, as a checkpoint does.
                        let told = match durability {
                            Durability::Sync => journal.durable(position.sequence).await,
                            Durability::Group if n % 7 != 0 => continue,
                            Durability::Group => journal.on_disk(position.sequence).await,
                        };
                        if told.is_err() || acknowledged.send(position.sequence).is_err() {
                            return;
                        }
                    }
                });
            });
        }
        drop(acknowledged);
        sequences.extend(told.iter().take(20 + seed as usize % 40));
        disk.crash_torn(&mut SmallRng::seed_from_u64(seed));
        sequences.extend(told.iter());
    });
    sequences
}

fn nothing_acknowledged_is_lost(durability: Durability) {
    for seed in 0..25 {
        let disk = SimulatedDisk::new();
        let acknowledged = cut_power(&disk, durability, seed);
        let (journal, recovery, found) = open_with(&disk, brisk(durability)).unwrap();
        let newest = acknowledged.iter().max().copied().unwrap_or(0);
        assert!(
            recovery.records >= newest,
            "seed {seed}: {recovery:?} of {newest}"
        );
        assert_eq!(read_all(&journal), found);
        // And it goes on from there.
        let next = block_on(journal.commit(&tick(1))).unwrap();
        assert_eq!(next.sequence, recovery.records + 1);
    }
}

#[test]
fn a_power_cut_in_mode_sync_loses_nothing_acknowledged() {
    nothing_acknowledged_is_lost(Durability::Sync);
}

#[test]
fn a_power_cut_in_mode_group_loses_nothing_that_the_disk_had() {
    nothing_acknowledged_is_lost(Durability::Group);
}

#[test]
fn mode_group_syncs_by_itself_once_a_window() {
    let disk = SimulatedDisk::new();
    let window = Settings {
        group_window: Duration::from_millis(50),
        ..settings(Durability::Group)
    };
    let (journal, ..) = open_with(&disk, window).unwrap();
    let before = disk.syncs();
    for n in 1..=50 {
        journal.append(&tick(n)).unwrap();
    }
    block_on(journal.on_disk(50)).unwrap();
    // One or two; more only if this thread was held up for a window between two appends.
    assert!(disk.syncs() - before < 25, "{}", disk.syncs() - before);
    disk.crash();
    assert_eq!(open(&disk).2.len(), 50);
}
