//! Opening and appending.

use super::*;
use crate::store::Error;
use crate::store::disk::{Disk, FileDisk};
use crate::store::record::LAYOUT;
use crate::store::record::Record;
use crate::store::sample::{attempt, decision, record, tick, time};
use crate::store::simulated::SimulatedDisk;
use std::sync::Arc;
use std::time::Duration;

pub(super) type Records = Vec<(Position, Record)>;

/// Small segments, and in mode group a window longer than any test.
pub(super) fn settings(durability: Durability) -> Settings {
    Settings {
        durability,
        segment_bytes: 4096,
        group_window: Duration::from_secs(1),
    }
}

pub(super) fn try_open(
    disk: &SimulatedDisk,
    durability: Durability,
) -> Result<(Journal, Recovery, Records), Error> {
    open_with(disk, settings(durability))
}

pub(super) fn open_with(
    disk: &SimulatedDisk,
    settings: Settings,
) -> Result<(Journal, Recovery, Records), Error> {
    let mut records = Vec::new();
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let (journal, recovery) = Journal::open(disk, settings, time(0), &mut |position, r| {
        records.push((position, r));
    })?;
    Ok((journal, recovery, records))
}

pub(super) fn open(disk: &SimulatedDisk) -> (Journal, Recovery, Records) {
    try_open(disk, Durability::Group).unwrap()
}

/// Everything a journal gives a reader that starts at 1.
pub(super) fn read_all(journal: &Journal) -> Records {
    let mut out = Vec::new();
    journal.reader(1).read(usize::MAX, &mut out).unwrap();
    out
}

/// A disk whose only file is the first segment, with these bytes.
fn disk_with(bytes: &[u8]) -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let file = disk.create(&segment::name(1), bytes.len() as u64).unwrap();
    file.write_at(bytes, 0).unwrap();
    file.sync_data().unwrap();
    disk.sync_dir().unwrap();
    disk
}

/// The bytes of a closed journal of `records`, all in its first segment.
fn bytes_of(records: &[Record]) -> (Vec<u8>, Vec<Position>) {
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    let positions = records.iter().map(|r| journal.append(r).unwrap()).collect();
    journal.close().unwrap();
    (disk.read(&segment::name(1)).unwrap(), positions)
}

#[test]
fn reopening_gives_the_same_records_at_the_same_places() {
    let dir = tempfile::tempdir().unwrap();
    let records = [record(decision(1)), attempt(1, 2), tick(3)];
    let open = |visit: &mut dyn FnMut(Position, Record)| {
        let disk = Arc::new(FileDisk::open(dir.path()).unwrap());
        Journal::open(disk, settings(Durability::Sync), time(0), visit).unwrap()
    };
    let (journal, recovery) = open(&mut |_, _| panic!("a new journal has no record"));
    assert_eq!(recovery.segments, 0);
    let written: Records = records
        .iter()
        .map(|r| (journal.append(r).unwrap(), r.clone()))
        .collect();
    assert_eq!(read_all(&journal), written);
    drop(journal);
    let mut again = Vec::new();
    let (journal, recovery) = open(&mut |position, r| again.push((position, r)));
    assert_eq!(again, written);
    let whole = Recovery {
        records: 3,
        segments: 1,
        undecodable: 0,
        truncated_bytes: 0,
    };
    assert_eq!(recovery, whole);
    assert_eq!(read_all(&journal), written);
    assert_eq!(journal.append(&tick(4)).unwrap().sequence, 4);
}

#[test]
fn a_full_segment_is_followed_by_another_and_every_position_reads() {
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    let written: Records = (0..40)
        .map(|n| (n, record(decision(n))))
        .map(|(_, r)| (journal.append(&r).unwrap(), r))
        .collect();
    assert!(disk.list().unwrap().len() > 5, "{:?}", disk.list());
    assert_eq!(read_all(&journal), written);
    for (position, r) in &written {
        assert_eq!(&journal.at(*position).unwrap(), r);
        let mut from = journal.reader(position.sequence);
        assert_eq!(from.next().unwrap(), Some((*position, r.clone())));
    }
    drop(journal);
    let (_, recovery, records) = open(&disk);
    assert_eq!(records, written);
    assert_eq!(recovery.truncated_bytes, 0);
}

#[test]
fn a_record_larger_than_a_segment_gets_one_of_its_own_size() {
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    let mut large = decision(1);
    large.content = Some("x".repeat(100_000));
    let written: Records = [tick(1), record(large), tick(2)]
        .map(|r| (journal.append(&r).unwrap(), r))
        .into();
    assert_eq!(read_all(&journal), written);
    drop(journal);
    assert_eq!(open(&disk).2, written);
}

#[test]
fn a_record_past_the_limit_is_refused_and_the_next_one_taken() {
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    let mut large = decision(1);
    large.content = Some("x".repeat(17 * 1024 * 1024));
    let refused = journal.append(&record(large));
    assert!(
        matches!(refused, Err(Error::TooLarge { .. })),
        "{refused:?}"
    );
    let mut crooked = decision(1);
    crooked.drawn.chosen = 2;
    let refused = journal.append(&record(crooked));
    assert!(matches!(refused, Err(Error::Decision(_))), "{refused:?}");
    assert_eq!(journal.append(&tick(1)).unwrap().sequence, 1);
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_and_its_place_used_again() {
    let records = [record(decision(1)), attempt(1, 2)];
    let (bytes, positions) = bytes_of(&records);
    let last = positions[1].offset as usize;
    let end = bytes.iter().rposition(|b| *b != 0).unwrap() + 1;
    for cut in last..end {
        for filler in [0x00, 0xff] {
            let mut torn = bytes.clone();
            torn[cut..end].fill(filler);
            if torn == bytes {
                continue;
            }
            let disk = disk_with(&torn);
            let (journal, recovery, found) = open(&disk);
            assert_eq!(found.len(), 1, "cut at {cut}");
            let left = torn[last..].iter().rposition(|b| *b != 0);
            assert_eq!(recovery.truncated_bytes, left.map_or(0, |at| at as u64 + 1));
            assert_eq!(journal.append(&tick(9)).unwrap(), positions[1]);
            drop(journal);
            let after: Vec<Record> = open(&disk).2.into_iter().map(|(_, r)| r).collect();
            assert_eq!(after, [records[0].clone(), tick(9)], "cut at {cut}");
        }
    }
}

#[test]
fn a_stale_record_behind_a_cut_never_comes_back() {
    // Three frames of one size: a new second one would leave the old third one in place.
    let records = [tick(100), tick(101), tick(102)];
    let (bytes, positions) = bytes_of(&records);
    let disk = disk_with(&bytes);
    disk.damage(&segment::name(1), positions[1].offset as usize + 5, &[0xaa]);
    let (journal, _, found) = open(&disk);
    assert_eq!(found.len(), 1);
    assert_eq!(journal.append(&tick(103)).unwrap(), positions[1]);
    drop(journal);
    disk.crash();
    let after: Vec<Record> = open(&disk).2.into_iter().map(|(_, r)| r).collect();
    assert_eq!(after, [tick(100), tick(103)]);
}

#[test]
fn a_frame_at_the_place_of_another_sequence_does_not_pass() {
    let (bytes, positions) = bytes_of(&[tick(100), tick(101)]);
    let at = |n: usize| positions[n].offset as usize;
    let len = at(1) - at(0);
    let mut swapped = bytes;
    swapped.copy_within(at(1)..at(1) + len, at(0));
    assert_eq!(open(&disk_with(&swapped)).2, []);
}

#[test]
fn damage_before_the_newest_segment_is_an_error_that_names_the_place() {
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    let positions: Vec<Position> = (0..20)
        .map(|n| journal.append(&record(decision(n))).unwrap())
        .collect();
    drop(journal);
    let hurt = positions[1];
    disk.damage(&segment::name(1), hurt.offset as usize + 20, &[0xaa, 0xbb]);
    match try_open(&disk, Durability::Group).map(|_| ()) {
        Err(Error::Corrupt { file, offset }) => {
            assert_eq!((file, offset), (segment::name(1), hurt.offset.into()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_missing_segment_is_an_error_that_names_the_records() {
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    for n in 0..20 {
        journal.append(&record(decision(n))).unwrap();
    }
    drop(journal);
    let firsts: Vec<u64> = disk
        .list()
        .unwrap()
        .iter()
        .filter_map(|name| segment::first_of(name))
        .collect();
    disk.remove(&segment::name(firsts[1])).unwrap();
    match try_open(&disk, Durability::Group).map(|_| ()) {
        Err(error @ Error::Missing { expected, found }) => {
            assert_eq!((expected, found), (firsts[1], firsts[2]));
            assert!(error.to_string().contains("a segment is missing"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_segment_whose_making_was_cut_short_is_removed() {
    let disk = SimulatedDisk::new();
    let (journal, ..) = open(&disk);
    journal.append(&tick(1)).unwrap();
    drop(journal);
    disk.create(&segment::name(2), 4096).unwrap();
    let (journal, recovery, found) = open(&disk);
    assert_eq!((found.len(), recovery.segments), (1, 1));
    assert_eq!(journal.append(&tick(2)).unwrap().sequence, 2);
    assert_eq!(disk.list().unwrap(), [segment::name(1)]);
}

#[test]
fn a_newer_format_or_layout_is_told_apart_from_damage() {
    let (bytes, positions) = bytes_of(&[tick(1)]);
    let reseal = |bytes: &mut [u8], covered: std::ops::Range<usize>, crc_at: usize, more: &[u8]| {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&bytes[covered]);
        hasher.update(more);
        let crc = hasher.finalize().to_le_bytes();
        bytes[crc_at..crc_at + 4].copy_from_slice(&crc);
    };
    let mut format = bytes.clone();
    format[8] = 2;
    reseal(&mut format, 0..28, 28, &[]);
    let opened = try_open(&disk_with(&format), Durability::Group).map(|_| ());
    assert!(
        matches!(opened, Err(Error::Format { version: 2, .. })),
        "{opened:?}"
    );

    let mut layout = bytes;
    let start = positions[0].offset as usize;
    let length = layout[start] as usize;
    layout[start + 8] = 9;
    let more = [
        (length as u32).to_le_bytes().to_vec(),
        1_u64.to_le_bytes().to_vec(),
    ]
    .concat();
    reseal(&mut layout, start + 8..start + 8 + length, start + 4, &more);
    let opened = try_open(&disk_with(&layout), Durability::Group).map(|_| ());
    assert!(
        matches!(
            opened,
            Err(Error::Layout {
                sequence: 1,
                version: 9,
                newest: LAYOUT
            })
        ),
        "{opened:?}"
    );
}

#[test]
fn a_whole_record_that_does_not_decode_is_passed_over_and_keeps_its_number() {
    for bad in 0..3 {
        let records = [tick(1), record(decision(2)), tick(3)];
        let (mut bytes, positions) = bytes_of(&records);
        let start = positions[bad].offset as usize;
        let length = u32::from_le_bytes(bytes[start..start + 4].try_into().unwrap());
        let payload = start + 8..start + 8 + length as usize;
        // A kind of record that there is not.
        bytes[payload.start + 1] = 0x7f;
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&bytes[payload]);
        hasher.update(&length.to_le_bytes());
        hasher.update(&positions[bad].sequence.to_le_bytes());
        bytes[start + 4..start + 8].copy_from_slice(&hasher.finalize().to_le_bytes());
        let disk = disk_with(&bytes);
        let (journal, recovery, found) = open(&disk);
        let mut expected: Records = positions.iter().copied().zip(records).collect();
        expected.remove(bad);
        assert_eq!(found, expected);
        assert_eq!((recovery.records, recovery.undecodable), (3, 1));
        assert_eq!(read_all(&journal), expected);
        assert!(matches!(
            journal.at(positions[bad]),
            Err(Error::Undecodable { .. })
        ));
        let mut reader = journal.reader(1);
        while reader.next().unwrap().is_some() {}
        assert_eq!((reader.sequence(), reader.undecodable()), (4, 1));
        assert_eq!(journal.append(&tick(4)).unwrap().sequence, 4);
        assert_eq!(reader.next().unwrap().unwrap().0.sequence, 4);
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let check = |settings: Settings, field: &str| {
        let disk = Arc::new(SimulatedDisk::new());
        let refused = Journal::open(disk, settings, time(0), &mut |_, _| {}).unwrap_err();
        assert!(refused.to_string().contains(field), "{refused}");
    };
    let usual = settings(Durability::Group);
    check(
        Settings {
            segment_bytes: 100,
            ..usual.clone()
        },
        "segment_bytes",
    );
    let long = Duration::from_secs(2);
    check(
        Settings {
            group_window: long,
            ..usual
        },
        "group_window",
    );
}
