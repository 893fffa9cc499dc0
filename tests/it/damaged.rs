//! No state that is read back keeps a server from serving: damage is planted, the server opens, routes
//! before it has learned anything, and ends with the state of one that was never damaged.

use crate::rig::{CODING, Caller, Rig, passed, within};
use bellwether::clock::SystemClock;
use bellwether::config::Params;
use bellwether::server::{self, Opened};
use bellwether::store::{Disk, FileDisk, Record};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Bytes of a checkpoint before its blob, of which the last four are the checksum.
const HEADER: usize = 24;

/// A folder with 40 decisions, their outcomes, a pin, and two checkpoints.
async fn traffic() -> (TempDir, Params) {
    let mut rig = Rig::start().await;
    for round in 0..2 {
        let mut team = rig.caller(CODING).await;
        team.control("", false).await;
        for number in 0..20 {
            let reply = team.route(["fix", "review"][number % 2]).await;
            team.tell(&reply.decision_id, passed(number % 3 != round))
                .await;
        }
        team.control("medium", false).await;
        rig.learned().await;
        rig = rig.restart().await;
    }
    rig.stop().await
}

fn checkpoints(params: &Params) -> Vec<PathBuf> {
    let files = std::fs::read_dir(&params.store.dir).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("checkpoint-") && name.ends_with(".bin")
    };
    let mut found: Vec<_> = files.filter(is_one).collect();
    found.sort();
    found
}

fn set_aside(params: &Params) -> usize {
    let files = std::fs::read_dir(&params.store.dir).unwrap();
    let names = files.map(|file| file.unwrap().file_name());
    names
        .filter(|name| name.to_string_lossy().ends_with(".bad"))
        .count()
}

/// Changes a checkpoint's blob and seals it again: what a build with a mistake would have written.
fn rewrite(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(file).unwrap();
    let mut blob = bytes.split_off(HEADER);
    change(&mut blob);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..HEADER - 4]);
    hasher.update(&blob);
    bytes[HEADER - 4..].copy_from_slice(&hasher.finalize().to_le_bytes());
    bytes.extend(blob);
    std::fs::write(file, bytes).unwrap();
}

/// Every number of the blob that is `old` becomes `new`; there are some.
fn replace(blob: &mut [u8], old: f64, new: f64) {
    let mut found = 0;
    for at in 0..blob.len() - 8 {
        if blob[at..at + 8] == old.to_le_bytes() {
            blob[at..at + 8].copy_from_slice(&new.to_le_bytes());
            found += 1;
        }
    }
    assert!(found > 0, "no {old}");
}

/// What learning has come to; the state is closed again.
fn state(opened: Opened) -> (u64, Vec<u8>) {
    let sequence = opened.follower.learner().sequence();
    (sequence, opened.follower.checkpoint_bytes().unwrap())
}

fn open_at_once(params: &Params) -> Opened {
    let disk: Arc<dyn Disk> = Arc::new(FileDisk::open(&params.store.dir).unwrap());
    server::open_within(disk, params, &SystemClock, Duration::ZERO).unwrap()
}

/// The learner's decisions while it has not learned anything since the start, then its state.
async fn serves(params: &Params, opened: Opened) {
    let published = opened.follower.published();
    let clock = Arc::new(SystemClock);
    let served = server::simulate(opened, params.clone(), clock, 1).await;
    let (running, stepper) = served.unwrap();
    let before = published.load().version;
    let address = format!("http://{}", running.address());
    let mut team = Caller::connect(&address, Some(CODING)).await;
    let reply = within("a decision", team.route("fix")).await;
    assert_eq!(reply.arm, "medium", "the pin holds before it is learned");
    within("the pin lifted", team.control("large", false)).await;
    let reply = within("a decision", team.route("fix")).await;
    assert_eq!(reply.arm, "large", "and a new one");
    let told = team.team("coding").await;
    assert_eq!(told.snapshot_version, i64::try_from(before).unwrap());
    assert!(
        told.journal_sequence > told.snapshot_version,
        "it is seen to be behind"
    );
    stepper.learn().await.unwrap();
    let told = team.team("coding").await;
    assert_eq!(told.journal_sequence, told.snapshot_version);
    drop(stepper);
    drop(team);
    within("the end", running.stop()).await.unwrap();
}

/// Plants damage in the checkpoints, newest last: `set_aside` files are set aside, and what is served from at
/// first is the state of checkpoint `serves_from` (counted from the oldest), if any.
async fn check(damage: impl FnOnce(&[PathBuf]), aside: usize, serves_from: Option<usize>) {
    let (_dir, params) = traffic().await;
    let undamaged = state(server::open(&params, &SystemClock).unwrap());
    let files = checkpoints(&params);
    assert_eq!(files.len(), 2);
    let sequence = |file: &PathBuf| -> u64 {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        name.trim_start_matches("checkpoint-").parse().unwrap()
    };
    let from = serves_from.map_or(0, |index| sequence(&files[index]));
    damage(&files);

    let mut opened = open_at_once(&params);
    assert_eq!(opened.follower.learner().sequence(), from);
    assert_eq!(set_aside(&params), aside);
    opened.follower.catch_up().unwrap();
    assert!(state(opened) == undamaged, "the same bits");

    serves(&params, open_at_once(&params)).await;
    let opened = server::open(&params, &SystemClock).unwrap();
    let rebuilt = server::rebuild(&opened).unwrap();
    assert!(rebuilt.checkpoint_bytes() == opened.follower.checkpoint_bytes());
    assert_eq!(set_aside(&params), aside, "never deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_set_aside_and_the_one_before_serves() {
    let flip = |file: &PathBuf| {
        let mut bytes = std::fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(file, bytes).unwrap();
    };
    check(|files| flip(&files[1]), 1, Some(0)).await;
    check(|files| files.iter().for_each(flip), 2, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_matrix_that_is_not_positive_or_not_finite_is_set_aside() {
    // 10 is the prior's precision, which A has on its diagonal where nothing was seen.
    for wrong in [f64::NAN, -10.0, 0.0] {
        let damage = |files: &[PathBuf]| rewrite(&files[1], |blob| replace(blob, 10.0, wrong));
        check(damage, 1, Some(0)).await;
    }
    let everywhere = |files: &[PathBuf]| {
        for file in files {
            rewrite(file, |blob| replace(blob, 10.0, f64::INFINITY));
        }
    };
    check(everywhere, 2, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_does_not_decode_or_is_of_other_features_is_set_aside() {
    let cut = |files: &[PathBuf]| rewrite(&files[1], |blob| blob.truncate(blob.len() / 2));
    check(cut, 1, Some(0)).await;
    // The fingerprint leads: it covers the features, their dimension and the scorecard's shape.
    let other = |files: &[PathBuf]| {
        for file in files {
            rewrite(file, |blob| blob[0] ^= 1);
        }
    };
    check(other, 2, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_dimension_is_learned_anew_while_serving() {
    let (_dir, mut params) = traffic().await;
    for team in &mut params.teams {
        team.embedding_length = Some(128);
    }
    let opened = open_at_once(&params);
    assert_eq!(opened.follower.learner().sequence(), 0);
    assert_eq!(set_aside(&params), 2);
    let disk = opened.store.journal().newest();
    serves_others(&params, opened, disk).await;
}

/// The old decisions are of other features and teach nothing; the pin holds all the same.
async fn serves_others(params: &Params, mut opened: Opened, newest: u64) {
    opened.follower.catch_up().unwrap();
    assert_eq!(opened.follower.learner().sequence(), newest);
    let coding = params.teams[0].name.clone();
    let learned = opened.follower.learner().outcomes(&coding);
    assert!(
        learned.iter().all(|(_, outcomes)| *outcomes == 0),
        "{learned:?}"
    );
    let published = opened.follower.published();
    let pinned = published.load().teams[&coding].control.pinned.clone();
    assert_eq!(pinned.unwrap().as_str(), "medium");
}

/// Overwrites a record in its segment by one that is whole and does not decode.
fn make_undecodable(params: &Params, pick: impl Fn(&Record) -> bool) -> u64 {
    let opened = server::open(params, &SystemClock).unwrap();
    let mut reader = opened.store.reader(1);
    let (position, _) = loop {
        let read = reader.next().unwrap().expect("such a record");
        if pick(&read.1) {
            break read;
        }
    };
    drop(opened);
    let file = params.store.dir.join(format!("journal-{:020}.log", 1));
    let mut bytes = std::fs::read(&file).unwrap();
    let start = position.offset as usize;
    let length = u32::from_le_bytes(bytes[start..start + 4].try_into().unwrap());
    let payload = start + 8..start + 8 + length as usize;
    bytes[payload.start + 1] = 0x7f;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[payload]);
    hasher.update(&length.to_le_bytes());
    hasher.update(&position.sequence.to_le_bytes());
    bytes[start + 4..start + 8].copy_from_slice(&hasher.finalize().to_le_bytes());
    std::fs::write(file, bytes).unwrap();
    position.sequence
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_does_not_decode_is_passed_over_by_all_and_counted() {
    let picks: [fn(&Record) -> bool; 2] = [
        |record| matches!(record, Record::Feedback(_)),
        |record| matches!(record, Record::Decision(_)),
    ];
    for pick in picks {
        let (_dir, params) = traffic().await;
        let before = state(server::open(&params, &SystemClock).unwrap());
        make_undecodable(&params, pick);
        // The checkpoint had learned it: nothing changes.
        assert!(state(server::open(&params, &SystemClock).unwrap()) == before);
        // Without one the rest is learned.
        for file in checkpoints(&params) {
            std::fs::remove_file(file).unwrap();
        }
        let mut opened = open_at_once(&params);
        opened.follower.catch_up().unwrap();
        assert_eq!(opened.follower.passed_over(), 1);
        let coding = params.teams[0].name.clone();
        let learned = opened.follower.learner().outcomes(&coding);
        assert_eq!(learned.iter().map(|(_, count)| count).sum::<u64>(), 39);
        drop(opened);
        serves(&params, open_at_once(&params)).await;
        let opened = server::open(&params, &SystemClock).unwrap();
        let rebuilt = server::rebuild(&opened).unwrap();
        assert!(rebuilt.checkpoint_bytes() == opened.follower.checkpoint_bytes());
    }
}
