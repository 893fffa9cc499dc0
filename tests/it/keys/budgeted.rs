//! A key with a budget or limits, from outside: it cannot make itself one without.

use super::{create, try_create, wanted};
use crate::rig::{CODING, Rig, arm, configured_with, key, refusal};
use bellwether::clock::SystemClock;
use bellwether::id::Name;
use bellwether::proto::v1;
use bellwether::quota::Quota;
use bellwether::server;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_a_budget_neither_makes_a_key_nor_gets_the_text_of_one() {
    let spender = key("spender", "k-spender", "coding", r#""complete", "admin""#);
    let budget = "budget = { limit_usd = 1, per = \"day\" }\n";
    let (dir, params) = configured_with("group", &[&spender, budget, &arm("small", 0.1)].concat());
    let opened = server::open(&params, &SystemClock).expect("opened");
    let rig = Rig::serve(dir, params, opened).await;
    let of_it = |name: &str| wanted(name, &[v1::Scope::Complete]);
    create(&rig, of_it("ci")).await;
    let not_allowed = (Code::PermissionDenied, "NOT_ALLOWED".to_owned());
    let made = try_create(&rig, "k-spender", of_it("ci2")).await;
    assert_eq!(refusal(made), not_allowed);
    let mut admin = rig.caller("k-spender").await.admin;
    let rotated = admin.rotate_key(v1::RotateKeyRequest {
        team: "coding".to_owned(),
        name: "ci".to_owned(),
        overlap_seconds: None,
    });
    let status = rotated.await.expect_err("refused");
    assert!(status.message().contains("has a budget"), "{status:?}");
    assert_eq!(refusal::<()>(Err(status)), not_allowed);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_that_limits_a_key_keeps_it_from_making_others() {
    let mut rig = Rig::start().await;
    let of_it = |name: &str| wanted(name, &[v1::Scope::Complete]);
    create(&rig, of_it("ci")).await;
    let name = |text: &str| Name::new(text).expect("a name");
    let limits = Quota {
        parallel: Some(8),
        ..Quota::default()
    };
    let mut limited = rig.params.clone();
    let key = (name("coding-all"), (name("coding"), limits));
    limited.key_quotas = [key].into();
    let reloaded = rig.reload(&limited);
    assert_eq!(reloaded.swapped, ["limits"], "{reloaded}");
    let status = try_create(&rig, CODING, of_it("ci2")).await;
    let status = status.expect_err("refused");
    assert!(status.message().contains("has limits"), "{status:?}");
    let not_allowed = (Code::PermissionDenied, "NOT_ALLOWED".to_owned());
    assert_eq!(refusal::<()>(Err(status)), not_allowed);
    limited.key_quotas.clear();
    rig.reload(&limited);
    create(&rig, of_it("ci2")).await;
    rig.stop().await;
}
