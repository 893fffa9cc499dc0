//! Keys that a team makes for itself, from outside: what they open at both doors, and until when.

mod budgeted;
mod matrix;
mod revoked;
pub(crate) mod secrets;
mod tenancy;

use crate::openai_door::caller::{Reply, get, post, send};
use crate::rig::{
    CODING, NARROW, Rig, SUPPORT, about, arm, configured, configured_with, refusal, said,
};
use bellwether::clock::{Clock, ManualClock, SystemClock};
use bellwether::grpc::client;
use bellwether::proto::v1;
use bellwether::server;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// A server with both doors.
pub(crate) async fn rig() -> Rig {
    rig_at(Arc::new(SystemClock)).await
}

async fn rig_at(clock: Arc<dyn Clock>) -> Rig {
    let (dir, mut params) = configured("group");
    params.server.http_listen = Some(([127, 0, 0, 1], 0).into());
    let opened = server::open(&params, &*clock).expect("opened");
    Rig::serve_at(dir, params, opened, clock).await
}

/// A key of team `coding` that is wanted for this and nothing else.
pub(crate) fn wanted(name: &str, scopes: &[v1::Scope]) -> v1::CreateKeyRequest {
    v1::CreateKeyRequest {
        team: "coding".to_owned(),
        name: name.to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
        ..Default::default()
    }
}

const BOTH: [v1::Scope; 2] = [v1::Scope::Route, v1::Scope::Complete];

/// Makes a key; its text.
pub(crate) async fn create(rig: &Rig, wanted: v1::CreateKeyRequest) -> String {
    let made = try_create(rig, CODING, wanted).await;
    made.expect("made").key_text
}

async fn try_create(
    rig: &Rig,
    by: &str,
    wanted: v1::CreateKeyRequest,
) -> Result<v1::CreateKeyResponse, Status> {
    let mut admin = rig.caller(by).await.admin;
    let reply = admin.create_key(wanted).await?;
    Ok(reply.into_inner())
}

pub(crate) async fn revoke(rig: &Rig, name: &str) -> v1::Key {
    let request = v1::RevokeKeyRequest {
        team: "coding".to_owned(),
        name: name.to_owned(),
    };
    let mut admin = rig.caller(CODING).await.admin;
    let reply = admin.revoke_key(request).await.expect("revoked");
    reply.into_inner().key.expect("a key")
}

pub(crate) async fn rotate(rig: &Rig, name: &str, overlap_seconds: i64) -> String {
    let request = v1::RotateKeyRequest {
        team: "coding".to_owned(),
        name: name.to_owned(),
        overlap_seconds: Some(overlap_seconds),
    };
    let mut admin = rig.caller(CODING).await.admin;
    let reply = admin.rotate_key(request).await.expect("rotated");
    reply.into_inner().key_text
}

async fn list(rig: &Rig) -> Vec<v1::Key> {
    let request = v1::ListKeysRequest {
        team: "coding".to_owned(),
        ..Default::default()
    };
    let mut admin = rig.caller(CODING).await.admin;
    let reply = admin.list_keys(request).await.expect("listed");
    reply.into_inner().keys
}

async fn chat(rig: &Rig, key: &str, model: &str, headers: &[(&str, &str)]) -> Reply {
    let body =
        json!({"model": model, "messages": [{"role": "user", "content": "six times seven?"}]});
    let body = body.to_string();
    let bytes = post("/v1/chat/completions", Some(key), headers, body.as_bytes());
    send(rig, &bytes).await
}

/// What both doors say to a key: the reason of the one and the code of the other, or nothing if they let it in.
async fn check(rig: &Rig, key: &str, task: &str, expected: Option<(&str, &str)>) {
    let asked = rig.caller(key).await.ask(about(task)).await;
    let reason = asked.err().map(|status| refusal::<()>(Err(status)).1);
    assert_eq!(reason.as_deref(), expected.map(|(reason, _)| reason));
    let reply = chat(rig, key, &format!("bellwether/{task}"), &[]).await;
    let code = (reply.status != 200).then(|| reply.json()["error"]["code"].clone());
    let expected = expected.map(|(_, code)| json!(code));
    assert_eq!(code, expected, "{reply:?}");
}

const UNKNOWN: Option<(&str, &str)> = Some(("KEY_UNKNOWN", "invalid_api_key"));
const NOT_ALLOWED: Option<(&str, &str)> = Some(("NOT_ALLOWED", "not_allowed"));

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_made_opens_both_doors_for_its_own_arms_tasks_and_scopes() {
    let rig = rig().await;
    let narrow = v1::CreateKeyRequest {
        arms: vec!["medium".to_owned()],
        tasks: vec!["fix".to_owned()],
        ..wanted("ci", &BOTH)
    };
    let made = try_create(&rig, CODING, narrow).await.expect("made");
    assert!(
        !format!("{made:?}").contains(&made.key_text),
        "Debug shows no key"
    );
    let (key, known) = (made.key_text, made.key.expect("a key"));
    assert!(
        key.starts_with(&format!("bw_{}_", known.prefix)),
        "{known:?}"
    );
    assert_eq!(
        (known.creator.as_str(), known.configured),
        ("coding-all", false)
    );
    check(&rig, &key, "fix", None).await;
    check(&rig, &key, "review", NOT_ALLOWED).await;
    let mut caller = rig.caller(&key).await;
    let routed = caller.route("fix").await;
    assert_eq!((routed.arm.as_str(), routed.propensity), ("medium", 1.0));
    let reasons = routed.excluded.iter().map(v1::ExcludedArm::reason);
    assert!(
        reasons
            .into_iter()
            .all(|r| r == v1::ExclusionReason::NotAllowed)
    );
    let none = caller.ask(v1::RouteRequest::default()).await;
    assert_eq!(
        refusal(none).1,
        "NOT_ALLOWED",
        "no task is not one of its tasks"
    );
    let models = send(&rig, &get("/v1/models", Some(&key))).await.json();
    let ids = models["data"].as_array().expect("models").iter();
    let ids: Vec<_> = ids.filter_map(|model| model["id"].as_str()).collect();
    assert_eq!(ids, ["medium", "bellwether/auto"]);
    let feedback = post("/v1/feedback", Some(&key), &[], b"{}");
    assert_eq!(send(&rig, &feedback).await.status, 403);
    let admin = try_create(&rig, &key, wanted("more", &BOTH)).await;
    assert_eq!(
        refusal(admin),
        (Code::PermissionDenied, "NOT_ALLOWED".to_owned())
    );
    let kept = caller.decision(&routed.decision_id).await.expect("kept");
    assert!(!format!("{kept:?}").contains(&key));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_some_endpoints_reaches_no_other_by_choice_or_by_fallback() {
    let failing =
        arm("small", 0.1).replace("output_tokens = 20", "output_tokens = 20\nerror_rate = 1");
    let healthy = r#"[[endpoints]]
name = "small-us"
arm = "small"
provider = "simulated"
model = "small-1"
output_tokens = 20
prices = [{ input_usd_per_million = 9, output_usd_per_million = 9 }]
"#;
    let arms = [&failing, healthy, &arm("large", 5.0)].concat();
    let (dir, params) = configured_with("group", &arms);
    let opened = server::open(&params, &SystemClock).expect("opened");
    let rig = Rig::serve(dir, params, opened).await;
    let key = |name: &str, endpoint: &str| v1::CreateKeyRequest {
        endpoints: vec![endpoint.to_owned()],
        ..wanted(name, &BOTH)
    };
    let request = || v1::CompleteRequest {
        context: Some(v1::RequestContext {
            messages: vec![said("six times seven?")],
            ..Default::default()
        }),
        ..Default::default()
    };
    let dear = create(&rig, key("dear", "small-us")).await;
    let mut dear = rig.caller(&dear).await.router;
    for _ in 0..10 {
        let done = dear
            .complete(request())
            .await
            .expect("answered")
            .into_inner();
        let asked = done
            .attempts
            .iter()
            .map(|attempt| attempt.endpoint.as_str());
        assert_eq!(asked.collect::<Vec<_>>(), ["small-us"]);
    }
    // Its only endpoint fails always: there is no way out for it.
    let failing = create(&rig, key("failing", "small-eu")).await;
    let mut failing = rig.caller(&failing).await.router;
    for _ in 0..4 {
        let status = failing.complete(request()).await.expect_err("failed");
        let details = status.get_details_precondition_failure().expect("details");
        for tried in details.violations {
            let subject = tried.subject.as_str();
            let own = tried.r#type == "ATTEMPT_FAILED" && subject == "small-eu";
            let left_out = tried.r#type == "ARM_EXCLUDED" && ["small", "large"].contains(&subject);
            assert!(own || left_out, "{tried:?}");
        }
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_good_in_its_networks_and_a_header_moves_nobody_into_them() {
    let rig = rig().await;
    let of = |name: &str, network: &str| v1::CreateKeyRequest {
        networks: vec![network.to_owned()],
        ..wanted(name, &BOTH)
    };
    let here = create(&rig, of("here", "127.0.0.0/8")).await;
    let there = create(&rig, of("there", "10.0.0.0/8")).await;
    check(&rig, &here, "fix", None).await;
    check(&rig, &there, "fix", NOT_ALLOWED).await;
    for header in ["x-forwarded-for", "x-real-ip", "forwarded"] {
        let reply = chat(&rig, &there, "bellwether/auto", &[(header, "10.0.0.1")]).await;
        assert_eq!(reply.status, 403, "{header}");
        let channel = client::connect(&rig.address(), Some(&there)).await;
        let mut router =
            v1::router_service_client::RouterServiceClient::new(channel.expect("connected"));
        let mut request = tonic::Request::new(about("fix"));
        request
            .metadata_mut()
            .insert(header, "10.0.0.1".parse().expect("ASCII"));
        assert_eq!(refusal(router.route(request).await).1, "NOT_ALLOWED");
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_ends_when_its_time_comes_and_an_old_text_when_its_overlap_is_over() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let rig = rig_at(clock.clone()).await;
    let later = |seconds: u64| clock.now().after(Duration::from_secs(seconds));
    let (first_end, second_end) = (later(100), later(200));
    let ending = v1::CreateKeyRequest {
        expire_time: Some(client::timestamp(second_end)),
        ..wanted("ci", &BOTH)
    };
    let old = create(&rig, ending).await;
    let new = rotate(&rig, "ci", 100).await;
    check(&rig, &old, "fix", None).await;
    check(&rig, &new, "fix", None).await;
    let listed = list(&rig).await.into_iter().find(|key| key.name == "ci");
    let until = listed
        .and_then(|key| key.previous_expire_time)
        .expect("an end");
    assert_eq!(client::time(&until), first_end);
    clock.set(first_end);
    check(&rig, &old, "fix", UNKNOWN).await;
    check(&rig, &new, "fix", None).await;
    clock.set(second_end);
    check(&rig, &new, "fix", UNKNOWN).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_at_both_doors_at_once_and_after_a_restart() {
    let rig = rig().await;
    let gone = create(&rig, wanted("gone", &BOTH)).await;
    let kept = create(&rig, wanted("kept", &BOTH)).await;
    check(&rig, &gone, "fix", None).await;
    assert!(revoke(&rig, "gone").await.revoke_time.is_some());
    check(&rig, &gone, "fix", UNKNOWN).await;
    check(&rig, &kept, "fix", None).await;
    let rig = rig.restart().await;
    check(&rig, &gone, "fix", UNKNOWN).await;
    check(&rig, &kept, "fix", None).await;
    let again = try_create(&rig, CODING, wanted("gone", &BOTH)).await;
    assert_eq!(
        refusal(again),
        (Code::AlreadyExists, "KEY_EXISTS".to_owned())
    );
    let states = list(&rig).await.into_iter();
    let states: Vec<_> = states
        .map(|key| (key.name, key.configured, key.revoke_time.is_some()))
        .collect();
    let expected = [
        ("coding-all", true, false),
        ("coding-route", true, false),
        ("gone", false, true),
        ("kept", false, false),
    ];
    assert_eq!(states, expected.map(|(name, c, r)| (name.to_owned(), c, r)));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_configuration_is_changed_there_alone() {
    let rig = rig().await;
    let mut admin = rig.caller(CODING).await.admin;
    let team = || "coding".to_owned();
    let revoked = admin.revoke_key(v1::RevokeKeyRequest {
        team: team(),
        name: "coding-route".to_owned(),
    });
    let status = revoked.await.expect_err("refused");
    assert!(status.message().contains("[[keys]]"), "{status:?}");
    assert_eq!(refusal::<()>(Err(status)).1, "KEY_CONFIGURED");
    let rotated = admin.rotate_key(v1::RotateKeyRequest {
        team: team(),
        name: "coding-route".to_owned(),
        overlap_seconds: None,
    });
    assert_eq!(refusal(rotated.await).1, "KEY_CONFIGURED");
    rig.caller(NARROW).await.route("fix").await;
    let unknown = admin.revoke_key(v1::RevokeKeyRequest {
        team: team(),
        name: "support-all".to_owned(),
    });
    assert_eq!(
        refusal(unknown.await),
        (Code::NotFound, "KEY_NOT_FOUND".to_owned())
    );
    rig.caller(SUPPORT).await.route("fix").await;
    rig.stop().await;
}
