//! The audit log from outside: a server's changes are in it, by whom, and whatever is touched afterwards is found.

use crate::keys::{create, revoke, rig, rotate, wanted};
use crate::rig::{CODING, Rig};
use bellwether::proto::v1;
use bellwether::store::FileDisk;
use bellwether::store::audit::{self, Action, LOG, Report};
use std::fs;

/// What stands in the log: who, what, of which object.
fn told(report: &Report, action: Action) -> Vec<(String, String)> {
    let lines = report.lines.iter().map(|line| &line.change);
    let lines = lines.filter(|change| change.action == action);
    lines
        .map(|change| (change.by.clone(), change.object.clone()))
        .collect()
}

fn looked(rig: &Rig) -> Report {
    audit::verify(&FileDisk::look(&rig.params.store.dir), None).expect("looked at")
}

async fn pin(rig: &Rig, arm: &str) -> bool {
    let control = v1::Control {
        pinned_arm: arm.to_owned(),
        frozen: false,
    };
    let request = v1::SetControlRequest {
        team: "coding".to_owned(),
        control: Some(control),
        lift_guard: false,
    };
    let mut admin = rig.caller(CODING).await.admin;
    admin.set_control(request).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changed_what_is_in_the_log_and_the_log_holds_while_the_server_runs() {
    let rig = rig().await;
    let text = create(&rig, wanted("ci", &[v1::Scope::Route])).await;
    let after = rotate(&rig, "ci", 0).await;
    revoke(&rig, "ci").await;
    assert!(pin(&rig, "small").await && !pin(&rig, "nobody").await);

    let report = looked(&rig);
    assert_eq!(report.problems, [""; 0]);
    assert!(report.records > 0);
    let by = "key coding-all of coding".to_owned();
    for action in [Action::KeyCreated, Action::KeyRotated, Action::KeyRevoked] {
        let expected = [(by.clone(), "ci".to_owned())];
        assert_eq!(told(&report, action), expected, "{action:?}");
    }
    let set = [(by.clone(), String::new()), (by.clone(), String::new())];
    assert_eq!(told(&report, Action::ControlSet), set);
    // The second was refused.
    assert_eq!(told(&report, Action::Failed), [(by, String::new())]);
    assert_eq!(told(&report, Action::Started).len(), 1);
    let keys = told(&report, Action::KeyConfigured);
    assert!(keys.contains(&("configuration".to_owned(), "coding-all".to_owned())));

    let log = fs::read_to_string(rig.params.store.dir.join(LOG)).expect("read");
    for secret in [text.as_str(), after.as_str(), CODING] {
        assert!(!log.contains(secret), "a key stands in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_tells_of_itself_and_of_nothing_that_is_as_it_was_and_a_touched_log_is_found_after_it()
 {
    let rig = rig().await;
    assert!(pin(&rig, "small").await);
    let before = looked(&rig);
    let rig = rig.restart().await;
    let after = looked(&rig);
    assert_eq!(
        (after.entries, after.problems.len()),
        (before.entries + 1, 0)
    );
    assert_eq!(told(&after, Action::Started).len(), 2);
    let noted = audit::verify(&FileDisk::look(&rig.params.store.dir), Some(&before.chain));
    assert_eq!(noted.expect("looked at").problems, [""; 0]);

    let path = rig.params.store.dir.join(LOG);
    let mut bytes = fs::read(&path).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).expect("written");
    assert!(!looked(&rig).problems.is_empty());
    let rig = rig.restart().await;
    assert!(pin(&rig, "small").await, "the server serves all the same");
    assert!(!looked(&rig).problems.is_empty());
    rig.stop().await;
}
