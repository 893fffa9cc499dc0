//! `report spend` on the journal of a real server: while it runs and after, on nothing, and what it refuses.

use crate::bad_input::{Said, check, run};
use crate::rig::{CODING, Caller, Rig, SUPPORT, configured, said, within};
use bellwether::clock::SystemClock;
use bellwether::id::Name;
use bellwether::proto::v1;
use bellwether::route::Baseline;
use bellwether::server;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// A server whose team `coding` holds out half of its episodes for arm `large`.
async fn rig() -> Rig {
    let (dir, mut params) = configured("group");
    params.teams[0].baseline = Some(Baseline {
        arm: Name::new("large").unwrap(),
        holdout: 0.5,
    });
    let opened = server::open(&params, &SystemClock).unwrap();
    Rig::serve(dir, params, opened).await
}

/// Asks so often; what that cost together, in nano-dollars.
async fn spent(caller: &mut Caller, times: u32) -> i64 {
    let mut spent = 0;
    for _ in 0..times {
        let request = v1::CompleteRequest {
            context: Some(v1::RequestContext {
                messages: vec![said("what is six times seven?")],
                max_output_tokens: Some(20),
                ..Default::default()
            }),
            ..Default::default()
        };
        let reply = caller.router.complete(request);
        let reply = within("an answer", reply).await.unwrap().into_inner();
        spent += reply.attempt.unwrap().cost_nano_usd.unwrap();
    }
    spent
}

fn report(state: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
    command.args(["report", "spend", "--data"]).arg(state);
    command.args(more).output().unwrap()
}

fn json(state: &Path, more: &[&str]) -> Value {
    let output = report(state, &[&["--format", "json"], more].concat());
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_calls_cost_is_what_is_reported_while_the_server_runs_and_after() {
    let rig = rig().await;
    let coding = spent(&mut rig.caller(CODING).await, 30).await;
    let support = spent(&mut rig.caller(SUPPORT).await, 5).await;
    let state = rig.params.store.dir.clone();
    let found = json(&state, &["--by", "team"]);
    let row = |team: &str| {
        let mut rows = found["rows"].as_array().unwrap().iter();
        rows.find(|row| row["team"] == team).unwrap().clone()
    };
    assert_eq!(row("coding")["spent_nano_usd"], coding);
    assert_eq!(
        (
            row("coding")["requests"].clone(),
            row("support")["requests"].clone()
        ),
        (30.into(), 5.into())
    );
    assert_eq!(found["total"]["spent_nano_usd"], coding + support);
    let saved = found["saved"].as_array().unwrap();
    let verdicts: Vec<_> = saved
        .iter()
        .map(|s| (s["team"].clone(), s["verdict"].clone()))
        .collect();
    let expected = [("coding", "too_little"), ("support", "no_baseline")];
    assert_eq!(
        verdicts,
        expected.map(|(team, verdict)| (team.into(), verdict.into()))
    );
    let compared = &saved[0]["compared"];
    let sides =
        ["router", "held_out"].map(|side| compared[side]["spent_nano_usd"].as_i64().unwrap());
    assert_eq!(sides.iter().sum::<i64>(), coding);
    // Another team's figures are not in one team's report.
    let own = json(&state, &["--team", "support", "--by", "key,task,arm,day"]);
    assert_eq!(own["total"]["spent_nano_usd"], support);
    assert!(!own.to_string().contains("coding"));
    let (_dir, _) = rig.stop().await;
    assert_eq!(json(&state, &["--by", "team"]), found);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_its_numbers_beside_it() {
    let rig = rig().await;
    spent(&mut rig.caller(CODING).await, 3).await;
    let (dir, params) = rig.stop().await;
    let file = dir.path().join("spend.html");
    let out = ["--format", "html", "--out", file.to_str().unwrap()];
    let output = report(&params.store.dir, &out);
    assert!(
        output.status.success() && output.stdout.is_empty(),
        "{output:?}"
    );
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("href=\"./spend.json\""));
    let beside = std::fs::read(dir.path().join("spend.json")).unwrap();
    let beside: Value = serde_json::from_slice(&beside).unwrap();
    assert_eq!(beside, json(&params.store.dir, &[]));
}

#[test]
fn what_may_be_asked_is_told_and_what_may_not() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    let mut said = Said::default();
    let mut asked = |case: &str, options: &[&str]| {
        let arguments = [&["report", "spend"], options].concat();
        run(&mut said, case, dir.path(), &arguments);
    };
    asked("help", &["--help"]);
    asked("a folder without a journal", &["--data", "empty"]);
    asked("no such folder", &["--data", "absent"]);
    for (case, more) in [
        ("no day", &["--from", "2026-02-29"][..]),
        ("a moment", &["--to", "2026-02-01T00:00:00Z"]),
        (
            "no stretch of days",
            &["--from", "2026-02-02", "--to", "2026-02-01"],
        ),
        ("no such time zone", &["--zone", "Berlin"]),
        ("no such column", &["--by", "team,colour"]),
        ("a page without a file", &["--format", "html"]),
    ] {
        asked(case, &[&["--data", "empty"], more].concat());
    }
    check("bad_report.txt", &said.text);
}
