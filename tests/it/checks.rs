//! Answers are held to what was asked, and what a team's rules say follows, follows.

use crate::rig::{self, CODING, Caller, Rig, said};
use bellwether::clock::SystemClock;
use bellwether::proto::v1::{self, response_format, signal_value::Value};
use bellwether::{config, server};
use std::path::Path;

/// Two arms that always say the same; the cheap one is drawn where nothing is explored.
async fn serve(rules: &str, cheap: &str, dear: &str) -> Rig {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let scorecard = Path::new(env!("CARGO_MANIFEST_DIR")).join("evals/scorecards/coding.toml");
    let arm = |name: &str, usd: f64, answer: &str| {
        format!(
            "[[arms]]\nname = \"{name}\"\ncapabilities = [\"json\", \"json_schema\", \"tools\"]\ncontext_tokens = 100_000\n\
             [[endpoints]]\nname = \"{name}-at\"\narm = \"{name}\"\nprovider = \"simulated\"\nanswer = '''{answer}'''\n\
             prices = [{{ input_usd_per_million = {usd}, output_usd_per_million = {usd} }}]\n"
        )
    };
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[store]\ndir = \"state\"\nsegment_mib = 1\n\
         [[teams]]\nname = \"coding\"\nscorecard = '{}'\n{rules}\n{}{}{}",
        scorecard.display(),
        rig::key(
            "all",
            CODING,
            "coding",
            "\"route\", \"complete\", \"feedback\", \"admin\""
        ),
        arm("cheap", 1.0, cheap),
        arm("dear", 1000.0, dear),
    );
    let path = dir.path().join("bellwether.toml");
    std::fs::write(&path, text).expect("written");
    let params = config::load(&path).unwrap_or_else(|p| panic!("{}", config::render(&p)));
    let opened = server::open(&params, &SystemClock).expect("opened");
    Rig::serve(dir, params, opened).await
}

fn asking(schema: &str) -> v1::CompleteRequest {
    let format = v1::ResponseFormat {
        kind: response_format::Kind::JsonSchema.into(),
        json_schema: schema.to_owned(),
    };
    v1::CompleteRequest {
        context: Some(v1::RequestContext {
            messages: vec![said("as json")],
            response_format: Some(format),
            ..Default::default()
        }),
        explore: Some(false),
        ..Default::default()
    }
}

const SCHEMA: &str = r#"{"type":"object","required":["a"],"properties":{"a":{"type":"integer"}}}"#;

async fn ask(caller: &mut Caller) -> v1::CompleteResponse {
    let reply = caller.router.complete(asking(SCHEMA)).await;
    reply.expect("answered").into_inner()
}

fn text(reply: &v1::CompleteResponse) -> String {
    let message = reply.message.clone().expect("a message");
    let texts = message
        .content
        .into_iter()
        .filter_map(|part| match part.part {
            Some(v1::content_part::Part::Text(text)) => Some(text),
            _ => None,
        });
    texts.collect()
}

/// The text, arms asked, whether all checks passed, whether it was repaired.
type Expected<'a> = (&'a str, &'a [&'a str], bool, bool);

async fn check(rules: &str, (cheap, dear): (&str, &str), expected: Expected<'_>) {
    let rig = serve(rules, cheap, dear).await;
    let mut caller = rig.caller(CODING).await;
    let reply = ask(&mut caller).await;
    let arms: Vec<_> = reply.attempts.iter().map(|a| a.arm.as_str()).collect();
    let passed = reply.checks.iter().all(|check| check.passed);
    let told = text(&reply);
    let found = (told.as_str(), arms.as_slice(), passed, reply.repaired);
    assert_eq!(found, expected, "{rules}");
    assert_eq!(reply.decision.expect("a decision").arm, "cheap");
    rig.stop().await;
}

fn rule(on_failure: &str) -> String {
    format!("[[teams.checks]]\ncheck = \"json_schema\"\non_failure = \"{on_failure}\"\n")
}

const FENCED: &str = "```json\n{\"a\": 1}\n```";
const WRONG: &str = r#"{"a": "one"}"#;
const RIGHT: &str = r#"{"a": 2}"#;

#[tokio::test]
async fn what_follows_from_a_failed_check_is_the_teams_to_say() {
    let both = ["cheap", "dear"];
    // Without rules it is told and no more.
    check("", (FENCED, RIGHT), (FENCED, &["cheap"], false, false)).await;
    check(
        &rule("return"),
        (WRONG, RIGHT),
        (WRONG, &["cheap"], false, false),
    )
    .await;
    check(
        &rule("repair"),
        (FENCED, RIGHT),
        (r#"{"a": 1}"#, &["cheap"], true, true),
    )
    .await;
    // What no parser would accept as it was meant stays as it is.
    check(
        &rule("repair"),
        (WRONG, RIGHT),
        (WRONG, &["cheap"], false, false),
    )
    .await;
    check(
        &rule("retry"),
        (WRONG, RIGHT),
        (WRONG, &["cheap", "cheap"], false, false),
    )
    .await;
    check(
        &rule("fall_back"),
        (WRONG, RIGHT),
        (RIGHT, &both, true, false),
    )
    .await;
    // Nobody did better: there was an answer, so there is one.
    check(
        &rule("fall_back"),
        (WRONG, WRONG),
        (WRONG, &both, false, false),
    )
    .await;
    check(
        &rule("fall_back"),
        (RIGHT, WRONG),
        (RIGHT, &["cheap"], true, false),
    )
    .await;
}

#[tokio::test]
async fn a_retry_that_would_break_a_limit_of_the_request_is_not_made() {
    // The answer is some 500 tokens, which the model would be told again.
    let wrong = format!(r#"{{"a": "{}"}}"#, "one ".repeat(500));
    for (max_cost_nano_usd, expected) in [(2_000_000, 2), (450_000, 1)] {
        let rig = serve(&rule("retry"), &wrong, RIGHT).await;
        let mut caller = rig.caller(CODING).await;
        let mut request = asking(SCHEMA);
        request.constraints = Some(v1::Constraints {
            max_cost_nano_usd: Some(max_cost_nano_usd),
            ..Default::default()
        });
        let reply = caller.router.complete(request).await;
        let reply = reply.expect("answered").into_inner();
        assert_eq!(reply.attempts.len(), expected, "{max_cost_nano_usd}");
        assert_eq!(text(&reply), wrong);
        rig.stop().await;
    }
}

#[tokio::test]
async fn the_chosen_arms_answer_is_a_signal_whoever_stood_in_for_it() {
    let rules = rule("fall_back") + "signal = \"json_valid\"\n";
    let rig = serve(&rules, WRONG, RIGHT).await;
    let mut caller = rig.caller(CODING).await;
    let reply = ask(&mut caller).await;
    assert_eq!(text(&reply), RIGHT);
    let id = reply.decision.expect("a decision").decision_id;
    let record = caller.decision(&id).await.expect("known");
    let signal = &record.signals[0];
    let value = signal.value.as_ref().and_then(|v| v.value.clone());
    assert_eq!(
        (signal.name.as_str(), value),
        ("json_valid", Some(Value::Flag(false)))
    );
    let by = signal.evaluator.as_ref().expect("an evaluator");
    assert_eq!(by.name, "bellwether");
    rig.learned().await;
    let team = caller.team("coding").await;
    let learned = team
        .arms
        .iter()
        .map(|arm| (arm.arm.as_str(), arm.outcome_count));
    assert_eq!(learned.collect::<Vec<_>>(), [("cheap", 1), ("dear", 0)]);
    rig.stop().await;
}

#[tokio::test]
async fn a_streamed_answer_is_checked_at_its_end() {
    let rules = rule("fall_back") + "signal = \"json_valid\"\n";
    let rig = serve(&rules, WRONG, RIGHT).await;
    let mut caller = rig.caller(CODING).await;
    let request = v1::StreamCompleteRequest {
        request: Some(asking(SCHEMA)),
    };
    let mut stream = caller
        .router
        .stream_complete(request)
        .await
        .expect("begun")
        .into_inner();
    let mut done = None;
    while let Some(piece) = stream.message().await.expect("whole") {
        if let Some(v1::stream_complete_response::Event::Done(end)) = piece.event {
            done = Some(end);
        }
    }
    let done = done.expect("an end");
    assert!(!done.checks[0].passed, "{:?}", done.checks);
    assert_eq!(done.checks[0].problem, "breaks the schema at /a (type)");
    let record = caller.decision(&done.decision_id).await.expect("known");
    assert_eq!(record.signals.len(), 1);
    rig.stop().await;
}

#[tokio::test]
async fn a_schema_that_cannot_be_held_to_is_refused_before_anything_is_asked() {
    let rig = serve("", RIGHT, RIGHT).await;
    let mut caller = rig.caller(CODING).await;
    for schema in [
        r#"{"$ref":"https://example.org/schema"}"#,
        r##"{"$ref":"#"}"##,
        r#"{"pattern":"("}"#,
    ] {
        let refused = caller.router.complete(asking(schema)).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused:?}");
        assert!(refused.message().contains("response_format"), "{refused:?}");
    }
    rig.stop().await;
}
