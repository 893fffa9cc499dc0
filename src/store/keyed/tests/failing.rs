//! What stays of a change that could not be synced.

use super::*;

fn open(dir: &tempfile::TempDir) -> Keyed {
    Keyed::open(dir.path(), [1; 32]).unwrap()
}

#[test]
fn a_change_that_cannot_be_synced_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let keyed = open(&dir);
    let (team, kept, new) = (name("a"), name("kept"), name("new"));
    keyed.keep_key(&team, &kept, b"1").unwrap();
    for key in [&kept, &new] {
        keyed.fail_syncs(1);
        let failed = keyed.keep_key(&team, key, b"2").unwrap_err();
        assert!(matches!(failed, Error::Sync { .. }), "{failed}");
        assert_eq!(keyed.kept_keys().unwrap(), [b"1"]);
    }
    keyed.fail_syncs(1);
    let import = || keyed.import(VersionKind::Policy, &team, "text");
    assert!(import().is_err());
    let imported = import().unwrap();
    let version = 1;
    assert_eq!(imported, Imported { version, new: true }, "nothing stayed");
    drop(keyed);
    assert_eq!(open(&dir).kept_keys().unwrap(), [b"1"]);
}

#[test]
fn a_change_that_cannot_be_taken_back_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let keyed = open(&dir);
    keyed.fail_syncs(2);
    let failed = keyed.keep_key(&name("a"), &name("b"), b"1").unwrap_err();
    let said = failed.to_string();
    assert!(matches!(failed, Error::Unsure { .. }), "{said}");
    assert!(said.contains("may be in force after a restart"), "{said}");
}

#[test]
fn of_a_revocation_that_cannot_be_synced_stays_what_may() {
    let dir = tempfile::tempdir().unwrap();
    let keyed = open(&dir);
    let (team, key) = (name("a"), name("b"));
    keyed.keep_key(&team, &key, b"good").unwrap();
    keyed.fail_syncs(1);
    assert!(keyed.keep_revoked(&team, &key, b"gone").is_err());
    assert_eq!(keyed.kept_keys().unwrap(), [b"gone"]);
}
