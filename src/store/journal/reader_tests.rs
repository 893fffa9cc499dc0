//! Reading: behind appenders, past damage, and from outside.

use super::tests::{Records, open};
use super::*;
use crate::store::Error;
use crate::store::disk::Disk;
use crate::store::sample::{decision, record, tick};
use crate::store::simulated::SimulatedDisk;

#[test]
fn damage_met_while_reading_is_an_error_and_the_reader_stays() {
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    let first = journal.append(&tick(1)).unwrap();
    let second = journal.append(&tick(2)).unwrap();
    let mut reader = journal.reader(1);
    disk.damage(&segment::name(1), second.offset as usize + 9, &[0xaa]);
    assert_eq!(reader.next().unwrap(), Some((first, tick(1))));
    for _ in 0..2 {
        assert!(matches!(reader.next(), Err(Error::Corrupt { .. })));
        assert_eq!(reader.sequence(), 2);
    }
    assert!(matches!(journal.at(second), Err(Error::Corrupt { .. })));
    assert_eq!(journal.at(first).unwrap(), tick(1));
}

#[tokio::test]
async fn a_reader_follows_four_appenders_across_segments() {
    const EACH: i64 = 400;
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    let mut seen = Vec::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let journal = &journal;
            scope.spawn(move || {
                for n in 0..EACH {
                    journal.append(&tick(thread * EACH + n)).unwrap();
                }
            });
        }
        let mut reader = journal.reader(1);
        while seen.len() < 4 * EACH as usize {
            // The scope's threads make progress by themselves.
            futures_util::FutureExt::now_or_never(reader.ready());
            reader.read(64, &mut seen).unwrap();
        }
        assert_eq!(reader.next().unwrap(), None);
    });
    assert!(disk.list().unwrap().len() >= 3);
    let sequences: Vec<u64> = seen.iter().map(|(p, _)| p.sequence).collect();
    assert_eq!(sequences, (1..=4 * EACH as u64).collect::<Vec<_>>());
    for thread in 0..4 {
        let of_thread = |n: &i64| n / EACH == thread;
        let numbers = seen.iter().map(|(_, r)| r.time().micros());
        let own: Vec<i64> = numbers.filter(of_thread).collect();
        assert_eq!(
            own,
            (thread * EACH..(thread + 1) * EACH).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_look_from_outside_sees_every_record_and_changes_nothing() {
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    let written: Records = (0..20)
        .map(|n| record(decision(n)))
        .map(|r| (journal.append(&r).unwrap(), r))
        .collect();
    let look = || {
        let mut seen = Vec::new();
        let records = scan(&disk, &mut |position, r| seen.push((position, r))).unwrap();
        assert_eq!(records, seen.len() as u64);
        seen
    };
    assert_eq!(look(), written);
    let newest = disk.list().unwrap().pop().unwrap();
    disk.create(&segment::name(21), 4096).unwrap();
    assert_eq!(look(), written, "with a segment in the making");
    disk.remove(&segment::name(21)).unwrap();
    disk.damage(&newest, written[19].0.offset as usize + 5, &[0xaa]);
    let before = disk.read(&newest).unwrap();
    assert_eq!(look(), written[..19], "with a record half written");
    assert_eq!(disk.read(&newest).unwrap(), before);
}

#[tokio::test]
async fn who_waits_for_a_record_is_woken_by_it() {
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    let mut reader = journal.reader(1);
    let appended = async {
        tokio::task::yield_now().await;
        journal.append(&tick(1)).unwrap()
    };
    let ((), position) = tokio::join!(reader.ready(), appended);
    assert_eq!(reader.next().unwrap(), Some((position, tick(1))));
    assert_eq!(journal.newer_than(0).await, 1);
}
