//! No road leads to an arm that a request may not use: every reason against it, at every hop, whole and
//! streamed.
//!
//! Three arms fail at every request, so that each request hops from one to the next; a fourth would answer, and
//! is forbidden for one reason after another. It must never be asked, and the caller must be told that all
//! failed. Where it is allowed, the same requests are answered by it: so the test can fail.

use crate::rig::{self, Caller, Rig, said};
use crate::upstream::{Behaviour, Upstream};
use bellwether::clock::SystemClock;
use bellwether::proto::v1;
use bellwether::{config, server};
use std::path::Path;
use tonic::Status;
use tonic_types::StatusExt;

const ALL: &str = rig::CODING;
const NARROW: &str = "k-narrow";

/// What differs in a configuration, by its place.
#[derive(Default, Clone, Copy)]
struct Forbidden {
    /// Lines of the forbidden arm.
    arm: &'static str,
    /// Lines of its endpoint.
    endpoint: &'static str,
    /// Its price in USD a million tokens.
    price: Option<f64>,
    /// Its prices hold from this day.
    from: Option<&'static str>,
    /// Lines of the team.
    team: &'static str,
    /// The key used.
    narrow: bool,
    /// What becomes of it before the request.
    before: Before,
}

/// What became of the forbidden arm, or of its endpoint.
#[derive(Default, Clone, Copy, PartialEq)]
enum Before {
    #[default]
    Nothing,
    /// It said to come again in ten minutes: its breaker is open.
    Limited,
    /// It took a minute for every answer.
    Slow,
}

const CAN: &str = "capabilities = [\"tools\", \"json\", \"json_schema\"]\n";

const LOOSE: &str = "region = \"eu\"\nzero_retention = true\ntrains_on_requests = false\ncertifications = [\"iso\"]\n";

fn or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.is_empty() { other } else { text }
}

fn configuration(
    dir: &Path,
    endpoints: &[(&str, &Upstream)],
    forbidden: Forbidden,
) -> config::Params {
    let scorecard = Path::new(env!("CARGO_MANIFEST_DIR")).join("evals/scorecards/coding.toml");
    let mut text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[store]\ndir = \"state\"\ndurability = \"group\"\nsegment_mib = 1\n\
         [[teams]]\nname = \"coding\"\nscorecard = '{}'\n{}",
        scorecard.display(),
        forbidden.team
    );
    text.push_str("[[data_classes]]\nname = \"patient\"\ncertifications = [\"iso\"]\n");
    let scopes = "\"route\", \"complete\", \"admin\"";
    text.push_str(&rig::key("all", ALL, "coding", scopes));
    text.push_str(&rig::key(
        "narrow",
        NARROW,
        "coding",
        "\"route\", \"complete\"",
    ));
    text.push_str("arms = [\"one\", \"two\", \"three\"]\n");
    let usual = format!("{CAN}context_tokens = 100_000\n");
    for (name, upstream) in endpoints {
        let own = *name == "forbidden";
        let price = forbidden.price.filter(|_| own).unwrap_or(1.0);
        let from = forbidden.from.filter(|_| own).unwrap_or("2020-01-01");
        text.push_str(&format!(
            "[[arms]]\nname = \"{name}\"\n{}[[endpoints]]\nname = \"{name}-at\"\narm = \"{name}\"\nprovider = \"openai\"\n\
             model = \"m\"\nbase_url = \"{}\"\n{}prices = [{{ from = {from}, input_usd_per_million = {price}, output_usd_per_million = {price} }}]\n",
            if own { or(forbidden.arm, &usual) } else { &usual },
            upstream.base_url(),
            if own { or(forbidden.endpoint, LOOSE) } else { LOOSE },
        ));
    }
    let path = dir.join("bellwether.toml");
    std::fs::write(&path, text).expect("written");
    config::load(&path).unwrap_or_else(|p| panic!("{}", config::render(&p)))
}

type Change = fn(&mut v1::CompleteRequest);

fn constraints(request: &mut v1::CompleteRequest) -> &mut v1::Constraints {
    request.constraints.get_or_insert_default()
}

fn context(request: &mut v1::CompleteRequest) -> &mut v1::RequestContext {
    request.context.get_or_insert_default()
}

fn policy(request: &mut v1::CompleteRequest) -> &mut v1::DataPolicy {
    constraints(request).data_policy.get_or_insert_default()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn plain(_: &mut v1::CompleteRequest) {}

fn with_tools(request: &mut v1::CompleteRequest) {
    context(request).tools.push(v1::Tool {
        name: "find".to_owned(),
        ..Default::default()
    });
}

/// Every reason, with what forbids the arm for it.
fn reasons() -> Vec<(&'static str, Forbidden, Change)> {
    let usual = Forbidden::default();
    let arm = |arm| Forbidden { arm, ..usual };
    let endpoint = |endpoint| Forbidden { endpoint, ..usual };
    let dear = |team| Forbidden {
        price: Some(100_000.0),
        team,
        ..usual
    };
    vec![
        (
            "the key",
            Forbidden {
                narrow: true,
                ..usual
            },
            plain,
        ),
        ("not in the caller's list", usual, |r| {
            constraints(r).allowed_arms = names(&["one", "two", "three"]);
        }),
        ("denied by the caller", usual, |r| {
            constraints(r).denied_arms = names(&["forbidden"]);
        }),
        ("not in the caller's order", usual, |r| {
            constraints(r).arm_order = names(&["two", "one", "three"]);
        }),
        ("in the caller's order but not in the list", usual, |r| {
            constraints(r).arm_order = names(&["two", "forbidden", "one", "three"]);
            constraints(r).allowed_arms = names(&["one", "two", "three"]);
        }),
        ("its endpoint denied", usual, |r| {
            constraints(r).denied_endpoints = names(&["forbidden-at"]);
        }),
        ("its endpoint not in the list", usual, |r| {
            constraints(r).allowed_endpoints = names(&["one-at", "two-at", "three-at"]);
        }),
        (
            "a capability that the request implies",
            arm("capabilities = [\"json\"]\ncontext_tokens = 100_000\n"),
            with_tools,
        ),
        (
            "a capability that the caller names",
            arm("capabilities = [\"tools\"]\ncontext_tokens = 100_000\n"),
            |r| constraints(r).required_capabilities = names(&["json"]),
        ),
        (
            "the context length",
            arm("capabilities = [\"tools\", \"json\", \"json_schema\"]\ncontext_tokens = 300\n"),
            |r| context(r).input_tokens = Some(1_000),
        ),
        ("the region", endpoint("region = \"us\"\n"), |r| {
            policy(r).regions = names(&["eu"]);
        }),
        ("retention", endpoint("region = \"eu\"\n"), |r| {
            policy(r).zero_retention = true;
        }),
        ("training", endpoint("zero_retention = true\n"), |r| {
            policy(r).no_training = true;
        }),
        (
            "a certification",
            endpoint("region = \"eu\"\ncertifications = [\"soc2\"]\n"),
            |r| policy(r).certifications = names(&["iso"]),
        ),
        (
            "the class of its data",
            endpoint("region = \"eu\"\ncertifications = [\"soc2\"]\n"),
            |r| constraints(r).data_class = Some("patient".to_owned()),
        ),
        (
            "the class of the team's data",
            Forbidden {
                endpoint: "region = \"eu\"\ncertifications = [\"soc2\"]\n",
                team: "data_class = \"patient\"\n",
                ..usual
            },
            plain,
        ),
        (
            "the team's own data policy",
            Forbidden {
                endpoint: "region = \"us\"\n",
                team: "data_policy = { regions = [\"eu\"] }\n",
                ..usual
            },
            plain,
        ),
        (
            "the team's own data policy, which a request cannot loosen",
            Forbidden {
                endpoint: "region = \"us\"\n",
                team: "data_policy = { regions = [\"eu\"] }\n",
                ..usual
            },
            |r| *policy(r) = v1::DataPolicy::default(),
        ),
        (
            "a price that does not hold yet",
            Forbidden {
                from: Some("2999-01-01"),
                ..usual
            },
            plain,
        ),
        (
            "its endpoint's breaker",
            Forbidden {
                before: Before::Limited,
                ..usual
            },
            plain,
        ),
        (
            "a parameter that its endpoint cannot express",
            endpoint(
                "region = \"eu\"\nzero_retention = true\ntrains_on_requests = false\nrefuses = [\"seed\"]\n",
            ),
            |r| r.generation.get_or_insert_default().seed = Some(7),
        ),
        (
            "the caller's limit on latency",
            Forbidden {
                before: Before::Slow,
                ..usual
            },
            |r| constraints(r).max_latency_ms = Some(1_000.0),
        ),
        ("the caller's limit on cost", dear(""), |r| {
            constraints(r).max_cost_nano_usd = Some(100_000_000);
        }),
        (
            "the team's budget",
            dear("budget = { limit_usd = 5.0, per = \"day\" }\n"),
            |r| context(r).max_output_tokens = Some(100),
        ),
    ]
}

async fn ask(
    caller: &mut Caller,
    request: v1::CompleteRequest,
    streamed: bool,
) -> Result<(), Status> {
    if !streamed {
        return caller.router.complete(request).await.map(drop);
    }
    let request = v1::StreamCompleteRequest {
        request: Some(request),
    };
    let mut stream = caller.router.stream_complete(request).await?.into_inner();
    while stream.message().await?.is_some() {}
    Ok(())
}

/// Has it become of the forbidden arm.
async fn prepare(before: Before, healthy: &Upstream, rig: &Rig) {
    let mut caller = rig.caller(ALL).await;
    let mut request = v1::CompleteRequest::default();
    context(&mut request).messages.push(said("fix the build"));
    constraints(&mut request).allowed_arms = names(&["forbidden"]);
    match before {
        Before::Nothing => {}
        Before::Limited => {
            let limited = Behaviour::RateLimited { retry_after_s: 600 };
            healthy.set(limited).await;
            let refused = ask(&mut caller, request, false).await;
            refused.expect_err("rate limited");
            healthy.set(Behaviour::Healthy).await;
        }
        Before::Slow => {
            for _ in 0..3 {
                let asked = v1::RouteRequest {
                    context: request.context.clone(),
                    constraints: request.constraints.clone(),
                    ..Default::default()
                };
                let decision = caller.ask(asked).await.expect("routed");
                let report = v1::ReportAttemptRequest {
                    decision_id: decision.decision_id,
                    usage: Some(v1::Usage {
                        input_tokens: Some(5),
                        output_tokens: Some(20),
                        ..Default::default()
                    }),
                    latency_ms: Some(60_000.0),
                    ..Default::default()
                };
                caller.router.report_attempt(report).await.expect("kept");
            }
            rig.learned().await;
        }
    }
}

/// Calls of the forbidden arm, requests answered, and most arms that one request went through.
async fn calls(forbidden: Forbidden, change: Change, streamed: bool) -> (usize, usize, usize) {
    let failing = [
        Upstream::start(Behaviour::Status(500)).await,
        Upstream::start(Behaviour::Reset).await,
        Upstream::start(Behaviour::Garbage).await,
    ];
    let healthy = Upstream::start(Behaviour::Healthy).await;
    let endpoints = [
        ("one", &failing[0]),
        ("forbidden", &healthy),
        ("two", &failing[1]),
        ("three", &failing[2]),
    ];
    let dir = tempfile::tempdir().expect("a temporary directory");
    let params = configuration(dir.path(), &endpoints, forbidden);
    let opened = server::open(&params, &SystemClock).expect("opened");
    let key = if forbidden.narrow { NARROW } else { ALL };
    let rig = Rig::serve(dir, params, opened).await;
    let mut caller = rig.caller(key).await;
    prepare(forbidden.before, &healthy, &rig).await;
    let prepared = healthy.calls();
    let (mut answered, mut hops) = (0, 0);
    // Two a row: the breakers of those that fail are closed yet, so every request goes through all.
    for _ in 0..2 {
        let mut request = v1::CompleteRequest::default();
        context(&mut request).messages.push(said("fix the build"));
        change(&mut request);
        let before: usize = failing.iter().map(Upstream::calls).sum();
        match ask(&mut caller, request, streamed).await {
            Ok(()) => answered += 1,
            Err(status) => {
                let info = status.get_details_error_info().expect("typed");
                assert_eq!(info.reason, "ALL_ATTEMPTS_FAILED", "{status:?}");
            }
        }
        let after: usize = failing.iter().map(Upstream::calls).sum();
        hops = hops.max(after - before);
    }
    rig.stop().await;
    (healthy.calls() - prepared, answered, hops)
}

#[tokio::test]
async fn no_hop_reaches_an_arm_that_is_forbidden_for_whatever_reason() {
    for streamed in [false, true] {
        let (asked, answered, _) = calls(Forbidden::default(), plain, streamed).await;
        assert_eq!((asked, answered), (2, 2), "allowed, it answers");
        let slow = Forbidden {
            before: Before::Slow,
            ..Forbidden::default()
        };
        let (asked, answered, _) = calls(slow, plain, streamed).await;
        assert_eq!((asked, answered), (2, 2), "slow but allowed, it answers");
        for (reason, forbidden, change) in reasons() {
            let (asked, answered, hops) = calls(forbidden, change, streamed).await;
            let how = if streamed { "streamed" } else { "whole" };
            assert_eq!((asked, answered), (0, 0), "{reason}, {how}");
            assert!(hops >= 3, "{reason}, {how}: only {hops} calls were made");
        }
    }
}
