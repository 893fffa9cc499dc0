//! What is touched is found; what was cut short is mended.

use super::*;
use crate::store::journal::{Journal, Settings};
use crate::store::sample::tick;
use crate::store::simulated::SimulatedDisk;
use proptest::prelude::*;

fn change(object: &str, now: &str) -> Change {
    Change {
        by: "key ops of support".to_owned(),
        action: Action::KeyCreated,
        team: Some(Name::new("support").unwrap()),
        object: object.to_owned(),
        now: now.to_owned(),
    }
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_micros(1_764_268_000_000_000 + second * 1_000_000)
}

/// A log of so many entries.
fn written(entries: u64) -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let audit = Audit::open(Arc::new(disk.clone())).unwrap();
    for entry in 0..entries {
        let change = change(&format!("key-{entry}"), "may \"route\"\n");
        assert_eq!(audit.append(time(entry as i64), change).unwrap(), entry + 1);
    }
    disk
}

/// What a look finds when the log is `bytes`.
fn problems(disk: &SimulatedDisk, bytes: &[u8]) -> Vec<String> {
    disk.replace(LOG, bytes).unwrap();
    verify(disk, None).unwrap().problems
}

#[test]
fn a_log_that_was_not_touched_holds_and_goes_on_after_a_restart() {
    let disk = written(3);
    let audit = Audit::open(Arc::new(disk.clone())).unwrap();
    audit.append(time(9), change("later", "is here")).unwrap();
    let report = verify(&disk, None).unwrap();
    assert_eq!((report.entries, report.problems), (4, vec![]));
    let last = report.lines.last().unwrap();
    assert_eq!(last.time, "2025-11-27T18:26:49.000000Z");
    assert_eq!(last.change, change("later", "is here"));
    let noted = &report.lines[1].chain;
    assert_eq!(verify(&disk, Some(noted)).unwrap().problems, [""; 0]);
    let other = "0".repeat(64);
    let problems = verify(&disk, Some(&other)).unwrap().problems;
    assert_eq!(problems, [format!("no entry has the chain {other}")]);
}

#[test]
fn what_already_holds_is_no_entry() {
    let disk = written(0);
    let audit = Audit::open(Arc::new(disk.clone())).unwrap();
    assert!(audit.append_if_new(time(1), change("a", "one")).unwrap());
    assert!(!audit.append_if_new(time(2), change("a", "one")).unwrap());
    assert!(audit.append_if_new(time(3), change("a", "two")).unwrap());
    let again = Audit::open(Arc::new(disk.clone())).unwrap();
    assert!(!again.append_if_new(time(4), change("a", "two")).unwrap());
    assert_eq!(again.newest(Action::KeyCreated).len(), 1);
}

proptest! {
    #[test]
    fn any_byte_that_is_changed_dropped_or_added_is_found(at in any::<prop::sample::Index>(), by in 1_u8..=255, how in 0..3) {
        let disk = written(3);
        let mut bytes = disk.read(LOG).unwrap();
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] ^= by,
            1 => drop(bytes.remove(at)),
            _ => bytes.insert(at, by),
        }
        prop_assert_ne!(problems(&disk, &bytes), [""; 0]);
    }

    #[test]
    fn any_lines_that_are_dropped_or_stand_in_another_order_are_found(
        order in Just(vec![0, 1, 2, 3]).prop_shuffle(), kept in 0_usize..=4,
    ) {
        let disk = written(4);
        let bytes = disk.read(LOG).unwrap();
        let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let others: Vec<u8> = order.iter().take(kept).flat_map(|line| lines[*line].to_vec()).collect();
        let found = problems(&disk, &others);
        prop_assert_eq!(found.is_empty(), others == bytes, "{:?}", found);
    }

    #[test]
    fn a_changed_head_is_found(at in any::<prop::sample::Index>(), by in 1_u8..=255) {
        let disk = written(2);
        let mut bytes = disk.read(HEAD).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= by;
        disk.replace(HEAD, &bytes).unwrap();
        prop_assert_ne!(verify(&disk, None).unwrap().problems, [""; 0]);
    }
}

#[test]
fn a_log_that_was_removed_is_found() {
    let disk = written(2);
    disk.remove(LOG).unwrap();
    let problems = verify(&disk, None).unwrap().problems;
    assert_eq!(
        problems,
        ["audit.log lacks entry 2, which audit.head speaks of"]
    );
}

#[test]
fn a_line_that_never_was_whole_is_cut_off_and_nobody_misses_it() {
    let disk = written(2);
    let mut bytes = disk.read(LOG).unwrap();
    bytes.extend_from_slice(b"{\"number\":3,\"ti");
    assert_eq!(problems(&disk, &bytes), [""; 0]);
    let audit = Audit::open(Arc::new(disk.clone())).unwrap();
    assert_eq!(audit.append(time(5), change("c", "now")).unwrap(), 3);
    let report = verify(&disk, None).unwrap();
    assert_eq!((report.entries, report.problems), (3, vec![]));
}

#[test]
fn a_damaged_log_keeps_its_bytes_and_is_told_of_at_every_later_look() {
    let disk = written(3);
    let mut bytes = disk.read(LOG).unwrap();
    bytes[40] ^= 1;
    bytes.truncate(bytes.len() - 1);
    let before = problems(&disk, &bytes);
    let audit = Audit::open(Arc::new(disk.clone())).unwrap();
    assert_eq!(audit.append(time(5), change("d", "now")).unwrap(), 4);
    assert!(disk.read(LOG).unwrap().starts_with(&bytes));
    let after = verify(&disk, None).unwrap();
    assert_eq!(after.entries, 4);
    assert!(!before.is_empty() && after.problems.starts_with(&before[..1]));
}

/// A journal of several segments on the disk of a log.
fn with_journal(disk: &SimulatedDisk) -> Vec<String> {
    let settings = Settings {
        segment_bytes: 4096,
        ..Settings::default()
    };
    let (journal, _) =
        Journal::open(Arc::new(disk.clone()), settings, time(0), &mut |_, _| {}).unwrap();
    for n in 0..1_200 {
        journal.append(&tick(n)).unwrap();
    }
    journal.close().unwrap();
    verify::closed(disk).unwrap()
}

#[test]
fn a_closed_segment_of_the_journal_that_is_touched_is_found() {
    let disk = written(1);
    let segments = with_journal(&disk);
    assert!(segments.len() > 1, "{segments:?}");
    let audit = Audit::open(Arc::new(disk.clone())).unwrap();
    assert_eq!(audit.seal(time(1)).unwrap(), segments.len());
    assert_eq!(audit.seal(time(2)).unwrap(), 0);
    let report = verify(&disk, None).unwrap();
    assert_eq!(
        (report.segments, report.records, report.problems),
        (segments.len(), 1_200, vec![])
    );

    let first = &segments[0];
    let whole = disk.read(first).unwrap();
    let mut touched = whole.clone();
    // The time in the header, which no record's checksum covers.
    touched[whole.len() / 2] ^= 1;
    disk.replace(first, &touched).unwrap();
    let problems = verify(&disk, None).unwrap().problems;
    assert!(
        problems.contains(&format!("{first} is not what it was when it was closed")),
        "{problems:?}"
    );

    disk.remove(first).unwrap();
    let problems = verify(&disk, None).unwrap().problems;
    assert!(
        problems.contains(&format!("{first} is missing")),
        "{problems:?}"
    );

    // Space at its end that was set aside and given back says nothing.
    let mut longer = whole;
    longer.extend([0; 100]);
    disk.replace(first, &longer).unwrap();
    assert_eq!(verify(&disk, None).unwrap().problems, [""; 0]);
}

#[test]
fn a_log_that_was_cut_and_has_lost_its_head_is_told_of_for_good() {
    let disk = written(4);
    let bytes = disk.read(LOG).unwrap();
    let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    disk.replace(LOG, &lines[..2].concat()).unwrap();
    disk.remove(HEAD).unwrap();
    let audit = Audit::open(Arc::new(disk.clone())).unwrap();
    audit.note_damage(time(5)).unwrap();
    audit.append(time(6), change("e", "now")).unwrap();
    let again = Audit::open(Arc::new(disk.clone())).unwrap();
    again.note_damage(time(7)).unwrap();
    let report = verify(&disk, None).unwrap();
    let said = "entry 3 says that before it: audit.head is missing or damaged";
    assert_eq!(
        (report.entries, report.problems),
        (4, vec![said.to_owned()])
    );
}

#[test]
fn a_log_has_a_head_before_it_has_a_line_so_that_one_without_was_touched() {
    let disk = SimulatedDisk::new();
    Audit::open(Arc::new(disk.clone())).unwrap();
    assert_eq!(disk.read(HEAD).unwrap(), Head::none().text().as_bytes());
    assert_eq!(verify(&disk, None).unwrap().problems, [""; 0]);
    let disk = written(1);
    disk.remove(HEAD).unwrap();
    let problems = verify(&disk, None).unwrap().problems;
    assert_eq!(problems, ["audit.head is missing or damaged"]);
}

#[test]
fn a_log_that_was_removed_before_a_start_is_told_of_for_good() {
    let disk = written(2);
    disk.remove(LOG).unwrap();
    let audit = Audit::open(Arc::new(disk.clone())).unwrap();
    audit.note_damage(time(5)).unwrap();
    assert_eq!(audit.append(time(6), change("e", "now")).unwrap(), 4);
    let again = Audit::open(Arc::new(disk.clone())).unwrap();
    again.note_damage(time(7)).unwrap();
    assert_ne!(verify(&disk, None).unwrap().problems, [""; 0]);
}
