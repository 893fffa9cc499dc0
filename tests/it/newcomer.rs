//! An arm that joins a served team later, is found worse, leaves the configuration, and comes back.

use crate::rig::{
    CODING, Caller, Rig, about, arm, configured_with, item, passed, signal, within_episode,
};
use bellwether::clock::SystemClock;
use bellwether::config::{self, Params};
use bellwether::proto::v1::{self, newcomer::Verdict, signal::Kind, signal_value::Value};
use bellwether::server;
use std::path::Path;
use tempfile::TempDir;

/// The configuration with `medium`, or without it.
fn reloaded(dir: &Path, medium: bool) -> Params {
    let path = dir.join("bellwether.toml");
    let medium_arm = arm("medium", 1.0);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut text = text.replace(&medium_arm, "");
    if medium {
        text += &medium_arm;
    }
    std::fs::write(&path, text).unwrap();
    config::load(&path).unwrap_or_else(|p| panic!("{}", config::render(&p)))
}

async fn served(dir: TempDir, medium: bool) -> Rig {
    let params = reloaded(dir.path(), medium);
    let opened = server::open(&params, &SystemClock).unwrap();
    Rig::serve(dir, params, opened).await
}

/// One call of an episode, closed at once: good unless `medium` took it.
async fn episode(caller: &mut Caller, number: u32) -> v1::RouteResponse {
    let episode = format!("e{number}");
    let reply = caller.ask(within_episode("fix", &episode)).await.unwrap();
    let valid = signal("json_valid", Some(Value::Flag(true)), Kind::Observed);
    let signals = vec![passed(reply.arm != "medium"), valid];
    let told = caller
        .submit(item(&reply.decision_id, signals), false)
        .await;
    told.unwrap();
    let closing = v1::CloseEpisodeRequest {
        episode_id: episode,
        ..Default::default()
    };
    caller.router.close_episode(closing).await.unwrap();
    reply
}

fn probability(reply: &v1::RouteResponse, arm: &str) -> Option<f64> {
    let estimate = reply.estimates.iter().find(|e| e.arm == arm)?;
    Some(estimate.probability)
}

async fn state(rig: &Rig) -> v1::GetTeamResponse {
    rig.learned().await;
    rig.caller(CODING).await.team("coding").await
}

fn outcomes(state: &v1::GetTeamResponse, arm: &str) -> Option<i64> {
    let state = state.arms.iter().find(|a| a.arm == arm)?;
    Some(state.outcome_count)
}

/// Two arms for a while, then a third that is always bad; what is said of it once it is rejected, and an
/// episode that it took.
async fn rejected(rig: &Rig) -> (v1::Newcomer, String) {
    let mut caller = rig.caller(CODING).await;
    let (mut number, mut took) = (1000, None);
    loop {
        let reply = episode(&mut caller, number).await;
        if reply.arm == "medium" {
            took = Some((format!("e{number}"), reply.decision_id.clone()));
        }
        number += 1;
        let mut told = state(rig).await.newcomers;
        assert_eq!(told.len(), 1, "{told:?}");
        let medium = told.remove(0);
        assert_eq!(medium.arm, "medium");
        if medium.verdict() == Verdict::Rejected {
            return (medium, took.unwrap().0);
        }
        assert_eq!(medium.verdict(), Verdict::Open);
        if medium.arm_count < 20 {
            let p = probability(&reply, "medium").unwrap();
            assert!(p >= 0.15, "{p} after {} draws", medium.arm_count);
        }
        assert!(number < 2000, "{medium:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_newcomer_is_rejected_and_may_leave_and_come_back_without_being_one_again() {
    let arms = [arm("small", 0.1), arm("large", 5.0)].concat();
    let (dir, params) = configured_with("group", &arms);
    let opened = server::open(&params, &SystemClock).unwrap();
    let rig = Rig::serve(dir, params, opened).await;
    let mut caller = rig.caller(CODING).await;
    for number in 0..270 {
        episode(&mut caller, number).await;
    }
    assert_eq!(state(&rig).await.newcomers, []);

    // It joins: a floor of its own, until the bound ends that.
    let rig = served(rig.stop().await.0, true).await;
    let (told, took) = rejected(&rig).await;
    assert!(
        told.difference_upper < 0.0 && told.arm_count > 3,
        "{told:?}"
    );
    assert!(told.join_time.is_some() && told.verdict_time.is_some() && told.verdict_sequence > 0);
    let after = rig.caller(CODING).await.ask(about("fix")).await.unwrap();
    let p = probability(&after, "medium").unwrap();
    assert!(p > 0.0 && p < 0.1, "{p}");
    let before = state(&rig).await;

    // It leaves.
    let rig = served(rig.stop().await.0, false).await;
    let mut caller = rig.caller(CODING).await;
    let without = state(&rig).await;
    assert_eq!(outcomes(&without, "medium"), None);
    assert_eq!(without.newcomers, std::slice::from_ref(&told));
    // A call of an episode that it had goes to another.
    let reply = caller.ask(within_episode("fix", &took)).await.unwrap();
    assert_eq!(probability(&reply, "medium"), None);
    let query = v1::ListDecisionsRequest {
        arm: "medium".to_owned(),
        ..Default::default()
    };
    let old = caller
        .router
        .list_decisions(query)
        .await
        .unwrap()
        .into_inner();
    assert!(!old.decisions.is_empty());
    for number in 0..20 {
        assert_ne!(episode(&mut caller, 3000 + number).await.arm, "medium");
    }
    let (dir, params) = rig.stop().await;
    let opened = server::open(&params, &SystemClock).unwrap();
    let rebuilt = server::rebuild(&opened).unwrap();
    let checkpoint = opened.follower.checkpoint_bytes();
    assert_eq!(rebuilt.checkpoint_bytes(), checkpoint);
    drop((opened, rebuilt));
    replayed(dir.path());

    // It comes back, with all that was learned of it.
    let rig = served(dir, true).await;
    let back = state(&rig).await;
    assert_eq!(outcomes(&back, "medium"), outcomes(&before, "medium"));
    assert_eq!(back.newcomers, [told]);
    let reply = rig.caller(CODING).await.ask(about("fix")).await.unwrap();
    let p = probability(&reply, "medium").unwrap();
    assert!(p > 0.0 && p < 0.1, "{p}");
    rig.stop().await;
}

/// What was decided while the arm was there is replayed without it in the configuration.
fn replayed(dir: &Path) {
    let out = dir.join("traffic.parquet");
    let (data, out) = (dir.join("state"), out.to_string_lossy());
    let bellwether = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bellwether"));
        let output = command.args(arguments).args(["--format", "json"]).output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let data = data.to_string_lossy();
    bellwether(&[
        "traffic", "export", "--data", &data, "--team", "coding", "--out", &out,
    ]);
    let report = bellwether(&["replay", "traffic", &out, "--candidate", "fixed:arm=medium"]);
    let number = |path: &str| report.pointer(path).and_then(serde_json::Value::as_f64);
    assert_eq!(number("/propensities/unreadable"), Some(0.0), "{report}");
    assert_eq!(
        number("/propensities/equal"),
        number("/propensities/recomputed")
    );
}
