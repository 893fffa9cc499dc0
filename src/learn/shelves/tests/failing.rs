//! A disk that fails again and again, or for good, costs time and space that stay small.

use super::*;

#[test]
fn a_page_that_can_never_be_read_holds_up_learning_for_a_few_tries_and_no_longer() {
    let records = everything();
    let (first, second) = records.split_at(records.len() / 2);
    let rig = Rig::new();
    let mut follower = rig.open();
    learn(&mut follower, &rig, first);
    follower.write_checkpoint().unwrap();
    for name in rig.named("pages-", ".bin") {
        rig.disk.set_unreadable(&name, true);
    }
    second.iter().for_each(|record| rig.append(record));
    let mut tries = 1;
    while let Err(error) = follower.catch_up() {
        assert!(matches!(error, store::Error::Io { .. }), "{error}");
        tries += 1;
        assert!(tries < 50, "{error}");
    }
    assert_eq!((tries, follower.passed_over()), (5, 1));
    assert_eq!(rig.named("checkpoint-", ".bad").len(), 1);
    assert!(follower.checkpoint_bytes() == rig.whole());
}

#[test]
fn checkpoints_that_fail_leave_few_files_however_often_they_do() {
    // The pages cannot be synced; their file has its name, but the checkpoint may not have its own.
    for syncs in [0, 1] {
        let (rig, mut maker) = (Rig::new(), Maker::new());
        let mut follower = rig.open();
        let (mut most, mut failed) = (0, 0);
        for _ in 0..60 {
            let records = [(); 3].map(|()| Record::Decision(Box::new(maker.decision(None))));
            learn(&mut follower, &rig, &records);
            rig.disk.set_dir_syncs(Some(syncs));
            failed += usize::from(follower.write_checkpoint().is_err());
            rig.disk.set_dir_syncs(None);
            most = most.max(rig.named("pages-", ".bin").len());
        }
        assert_eq!(failed, 60);
        assert!(most <= 2 * FILES + 2, "{most} with {syncs}");
        follower.write_checkpoint().unwrap();
        drop(follower);
        assert_eq!(
            rig.named("checkpoint-", ".bin").len(),
            2 - usize::from(syncs == 0)
        );
        assert!(rig.open().checkpoint_bytes() == rig.whole());
    }
}

#[test]
fn after_a_checkpoint_that_failed_late_the_one_before_it_serves_where_the_next_is_damaged() {
    let records = everything();
    let rig = Rig::new();
    let mut follower = rig.open();
    let parts: Vec<_> = records.chunks(records.len() / 3).collect();
    learn(&mut follower, &rig, parts[0]);
    follower.write_checkpoint().unwrap();
    learn(&mut follower, &rig, parts[1]);
    rig.disk.set_dir_syncs(Some(1));
    assert!(follower.write_checkpoint().is_err());
    rig.disk.set_dir_syncs(None);
    assert_eq!(rig.named("checkpoint-", ".bin").len(), 2, "it has its name");
    learn(&mut follower, &rig, parts[2]);
    follower.write_checkpoint().unwrap();
    drop(follower);
    let newest = rig.named("checkpoint-", ".bin").pop().unwrap();
    rig.disk.damage(&newest, 30, &[0xa5; 9]);
    let mut follower = rig.open();
    assert_eq!(follower.learner().sequence(), parts[0].len() as u64);
    assert_eq!(rig.named("checkpoint-", ".bad").len(), 1);
    follower.catch_up().unwrap();
    assert!(follower.checkpoint_bytes() == rig.whole());
}

#[test]
fn a_checkpoint_that_cannot_be_read_at_a_start_serves_at_the_next_with_all_its_pages() {
    let rig = Rig::written();
    let mut follower = rig.open();
    follower.catch_up().unwrap();
    follower.write_checkpoint().unwrap();
    drop(follower);
    let (names, newest) = (rig.disk.list().unwrap(), rig.store.journal().newest());
    let checkpoint = rig.named("checkpoint-", ".bin").pop().unwrap();
    rig.disk.set_unreadable(&checkpoint, true);
    assert_eq!(rig.open().learner().sequence(), 0);
    assert_eq!(rig.disk.list().unwrap(), names);
    rig.disk.set_unreadable(&checkpoint, false);
    let follower = rig.open();
    assert_eq!(follower.learner().sequence(), newest);
    assert!(follower.checkpoint_bytes() == rig.whole());
}
