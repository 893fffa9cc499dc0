//! What becomes of a change that cannot be written.

use super::*;

/// A book whose audit log lies on a disk that fails at will.
fn failing() -> (Bench, Arc<SimulatedDisk>) {
    let mut bench = Bench::new();
    let disk = Arc::new(SimulatedDisk::new());
    let audit = Audit::open(Arc::clone(&disk) as Arc<dyn crate::store::Disk>).unwrap();
    bench.book.audit = Arc::new(audit);
    (bench, disk)
}

/// How often the log says that of `ci`.
fn entries(disk: &SimulatedDisk, action: Action) -> usize {
    use crate::store::Disk;
    let log = String::from_utf8(disk.read(crate::store::audit::LOG).unwrap()).unwrap();
    let action = format!("\"action\":\"{}\"", action.as_str());
    let of = |line: &&str| line.contains(&action) && line.contains("\"object\":\"ci\"");
    log.lines().filter(of).count()
}

#[test]
fn a_revocation_that_the_store_refused_is_written_when_it_is_asked_for_again() {
    let (bench, disk) = failing();
    let key = bench.create(&root(), wanted("ci"));
    bench.keyed.fail_syncs(1);
    let failed = bench.book.revoke(&root(), &name("ci")).unwrap_err();
    assert!(matches!(failed, KeyError::Store(_)), "{failed}");
    bench.check(&key, Err(Error::KeyUnknown));
    // Nothing of it came to the disk.
    let live = bench.book.porter().in_force();
    let mut made = Made::clone(live.made.get(&name("coding"), &name("ci")).unwrap());
    made.revoked = None;
    let bytes = made.bytes();
    bench
        .keyed
        .keep_key(&name("coding"), &name("ci"), &bytes)
        .unwrap();
    bench.keyed.fail_syncs(1);
    assert!(bench.book.revoke(&root(), &name("ci")).is_err());
    bench.book.revoke(&root(), &name("ci")).unwrap();
    assert_eq!(entries(&disk, Action::KeyRevoked), 3);
    assert_eq!(entries(&disk, Action::Failed), 2);
    bench.book.revoke(&root(), &name("ci")).unwrap();
    assert_eq!(entries(&disk, Action::KeyRevoked), 3, "it is told already");
    bench.again().check(&key, Err(Error::KeyUnknown));
}

#[test]
fn a_revocation_that_the_log_refused_is_told_when_it_is_asked_for_again() {
    let (bench, disk) = failing();
    let key = bench.create(&root(), wanted("ci"));
    let revoke = |book: &Book| book.revoke(&root(), &name("ci"));
    disk.set_sync_fails(true);
    for _ in 0..2 {
        let failed = revoke(&bench.book).unwrap_err();
        assert!(matches!(failed, KeyError::Audit(_)), "{failed}");
    }
    bench.check(&key, Err(Error::KeyUnknown));
    disk.set_sync_fails(false);
    revoke(&bench.book).unwrap();
    assert_eq!(entries(&disk, Action::KeyRevoked), 1);
    // As after a restart between the failure and the retry, with a log that does not have it.
    let mut bench = bench.again();
    let disk = Arc::new(SimulatedDisk::new());
    let audit = Audit::open(Arc::clone(&disk) as Arc<dyn crate::store::Disk>).unwrap();
    bench.book.audit = Arc::new(audit);
    revoke(&bench.book).unwrap();
    assert_eq!(entries(&disk, Action::KeyRevoked), 1);
}

#[test]
fn a_key_that_could_not_be_kept_is_good_at_no_time() {
    let (bench, disk) = failing();
    bench.keyed.fail_syncs(1);
    let failed = bench.book.create(&root(), wanted("ci")).unwrap_err();
    assert!(matches!(failed, KeyError::Store(_)), "{failed}");
    assert_eq!(entries(&disk, Action::Failed), 1);
    assert!(bench.keyed.kept_keys().unwrap().is_empty());
    let first = bench.create(&root(), wanted("ci"));
    bench.keyed.fail_syncs(1);
    let rotate = bench.book.rotate(&root(), &name("ci"), Duration::ZERO);
    assert!(rotate.is_err());
    bench.check(&first, Ok("ci"));
    bench.again().check(&first, Ok("ci"));
}
