//! A journal's segment and the audit log, changed at random: what is recovered is a beginning of what was written, or it
//! is refused.
//!
//! Not here: damage that is aimed (`journal`, `audit`).

use super::audit::{Action, Audit, Change, LOG, verify};
use super::journal::{Durability, Journal, Settings};
use super::sample::{attempt, decision, tick, time};
use super::simulated::SimulatedDisk;
use super::{Disk, Record};
use crate::fuzz::fuzz as fuzzed;
use std::sync::Arc;
use std::time::Duration;

fn settings() -> Settings {
    Settings {
        durability: Durability::Group,
        segment_bytes: 64 << 10,
        group_window: Duration::from_secs(1),
    }
}

/// A closed journal in one segment: its records, and the segment's name and bytes.
fn written() -> (Vec<Record>, String, Vec<u8>) {
    let disk = SimulatedDisk::new();
    let (journal, _) =
        Journal::open(Arc::new(disk.clone()), settings(), time(0), &mut |_, _| {}).unwrap();
    let mut records = vec![tick(1)];
    for number in 1..4 {
        records.push(Record::Decision(Box::new(decision(number))));
        records.push(attempt(number, 9));
    }
    for record in &records {
        journal.append(record).unwrap();
    }
    journal.close().unwrap();
    let name = disk.list().unwrap().remove(0);
    let bytes = disk.read(&name).unwrap();
    (records, name, bytes)
}

#[test]
fn fuzz_a_journal() {
    let (records, name, bytes) = written();
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    fuzzed("journal", 500, &[&bytes[..end], &bytes], |bytes| {
        let disk = SimulatedDisk::new();
        let file = disk.create(&name, bytes.len() as u64).unwrap();
        file.write_at(bytes, 0).unwrap();
        file.sync_data().unwrap();
        let mut found = Vec::new();
        let opened = Journal::open(Arc::new(disk), settings(), time(0), &mut |_, record| {
            found.push(record)
        });
        assert!(found.len() <= records.len(), "more than was written");
        let whole = found
            .iter()
            .zip(&records)
            .all(|(found, written)| found == written);
        assert!(opened.is_err() || whole, "another record than was written");
    });
}

#[test]
fn fuzz_an_audit_log() {
    let disk = SimulatedDisk::new();
    let audit = Audit::open(Arc::new(disk.clone())).unwrap();
    for entry in 0..4 {
        let change = Change {
            by: "key ops".to_owned(),
            action: Action::KeyCreated,
            team: None,
            object: format!("key-{entry}"),
            now: "may \"route\"\n".to_owned(),
        };
        audit.append(time(entry), change).unwrap();
    }
    drop(audit);
    let whole = disk.read(LOG).unwrap();
    fuzzed("audit log", 500, &[&whole], |bytes| {
        disk.replace(LOG, bytes).unwrap();
        let report = verify(&disk, None);
        // What follows all entries without an end of its own is a line that never was whole: no entry.
        let rest = bytes.strip_prefix(&whole[..]);
        if rest.is_none_or(|rest| rest.contains(&b'\n')) {
            assert!(
                report.is_err() || report.is_ok_and(|report| !report.problems.is_empty()),
                "a change is found"
            );
        }
    });
}
