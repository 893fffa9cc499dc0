//! Metrics as an operator reads them: what they count is what was asked.

use crate::rig::{CODING, Caller, Rig, about, arm, configured_with, item, passed, refusal, said};
use bellwether::clock::{Clock, ManualClock, SystemClock};
use bellwether::proto::v1::{self, stream_complete_response::Event};
use bellwether::server;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

/// A server whose arm `small` fails at one endpoint, always, and answers at another; `large` answers.
async fn rig(teams: bool) -> Rig {
    let failing =
        arm("small", 0.1).replace("output_tokens = 20", "output_tokens = 20\nerror_rate = 1");
    let healthy = r#"[[endpoints]]
name = "small-us"
arm = "small"
provider = "simulated"
model = "small-1"
output_tokens = 20
prices = [{ input_usd_per_million = 0.1, output_usd_per_million = 0.4 }]
"#;
    let arms = [&failing, healthy, &arm("large", 5.0)].concat();
    let (dir, mut params) = configured_with("group", &arms);
    params.server.metrics_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    params.server.metrics_teams = teams;
    let opened = server::open(&params, &SystemClock).expect("opened");
    Rig::serve(dir, params, opened).await
}

/// Status line, head and body of a reply.
async fn get(at: SocketAddr, method: &str, path: &str) -> (String, String, String) {
    let mut stream = TcpStream::connect(at).await.expect("connected");
    let asked = format!("{method} {path} HTTP/1.1\r\nhost: metrics\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.expect("asked");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.expect("a reply");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head");
    let (status, head) = head.split_once("\r\n").expect("headers");
    (status.to_owned(), head.to_owned(), body.to_owned())
}

/// The metrics, read.
pub(crate) struct Seen(String);

impl Seen {
    pub(crate) async fn of(rig: &Rig) -> Self {
        let (status, head, body) = get(rig.metrics_address(), "GET", "/metrics").await;
        assert_eq!(status, "HTTP/1.1 200 OK");
        assert!(head.contains("text/plain; version=0.0.4"), "{head}");
        Self(body)
    }

    /// The sum of the series of a metric that have all of these labels.
    pub(crate) fn sum(&self, metric: &str, labels: &[&str]) -> f64 {
        let lines = self.0.lines().filter(|line| !line.starts_with('#'));
        let series = lines.filter_map(|line| line.rsplit_once(' '));
        let found = series.filter(|(series, _)| {
            let (name, told) = series.split_once('{').unwrap_or((series, ""));
            name == metric && labels.iter().all(|label| told.contains(label))
        });
        found
            .map(|(_, v)| v.parse::<f64>().expect("a number"))
            .sum()
    }

    fn check(&self, metric: &str, labels: &[&str], expected: f64) {
        let found = self.sum(metric, labels);
        assert_eq!(found, expected, "{metric} {labels:?} in\n{}", self.0);
    }
}

fn asking(arms: &[&str]) -> v1::CompleteRequest {
    v1::CompleteRequest {
        context: Some(v1::RequestContext {
            task: Some("a-task-of-a-caller".to_owned()),
            messages: vec![said("words-of-a-caller")],
            ..Default::default()
        }),
        constraints: Some(v1::Constraints {
            allowed_arms: arms.iter().map(ToString::to_string).collect(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Has an answer streamed; its output tokens.
async fn streamed(caller: &mut Caller) -> f64 {
    let request = v1::StreamCompleteRequest {
        request: Some(asking(&["large"])),
    };
    let reply = caller.router.stream_complete(request).await;
    let mut events = reply.expect("a stream").into_inner();
    let mut last = None;
    while let Some(event) = events.message().await.expect("an event") {
        last = event.event;
    }
    let Some(Event::Done(done)) = last else {
        panic!("a stream that ends with {last:?}");
    };
    let usage = done.attempts.last().and_then(|served| served.usage);
    let output = usage.and_then(|usage| usage.output_tokens);
    f64::from(i32::try_from(output.expect("tokens")).expect("few tokens"))
}

#[tokio::test]
async fn what_was_asked_is_what_is_counted() {
    let rig = rig(false).await;
    let mut caller = rig.caller(CODING).await;
    let journal = "bellwether_journal_records_total";
    let before = Seen::of(&rig).await.sum(journal, &[]);
    let mut tries = 0;
    // So many that the failing endpoint is certain to be among those asked.
    for _ in 0..24 {
        let reply = caller.router.complete(asking(&["small"])).await;
        let reply = reply.expect("answered").into_inner();
        tries += reply.attempts.len();
    }
    let said = streamed(&mut caller).await;
    let decision = caller.route("fix-test").await.decision_id;
    caller.tell(&decision, passed(true)).await;
    let again = caller.submit(item(&decision, vec![passed(true)]), false);
    again.await.expect("taken");
    rig.learned().await;

    let seen = Seen::of(&rig).await;
    let requests = "bellwether_requests_total";
    seen.check(requests, &["call=\"complete\"", "outcome=\"ok\""], 24.0);
    seen.check(requests, &["call=\"stream\"", "outcome=\"ok\""], 1.0);
    seen.check(requests, &["call=\"route\"", "outcome=\"ok\""], 1.0);
    seen.check(requests, &[], 26.0);
    seen.check("bellwether_request_duration_seconds_count", &[], 26.0);
    seen.check("bellwether_in_flight", &[], 0.0);
    // Every attempt stands in a reply; those that failed did so at the one endpoint.
    let attempts = "bellwether_attempts_total";
    seen.check(attempts, &["endpoint=\"small-"], tries as f64);
    seen.check(attempts, &["endpoint=\"small-us\"", "outcome=\"ok\""], 24.0);
    seen.check(attempts, &["endpoint=\"large-eu\"", "outcome=\"ok\""], 1.0);
    let failed = seen.sum(attempts, &["endpoint=\"small-eu\""]);
    assert!(failed > 0.0, "the failing endpoint was never asked");
    seen.check("bellwether_retries_total", &[], failed);
    seen.check("bellwether_fallbacks_total", &[], 0.0);
    // What a gateway adds is told of calls that were answered at once, and of the stream.
    seen.check("bellwether_overhead_seconds_count", &[], 25.0 - failed);
    let first = "bellwether_first_token_seconds_count";
    seen.check(first, &["endpoint=\"large-eu\""], 1.0);
    seen.check(
        "bellwether_tokens_total",
        &["kind=\"output\"", "large-eu"],
        said,
    );
    assert!(seen.sum("bellwether_cost_usd_total", &["small-us"]) > 0.0);
    let feedback = "bellwether_feedback_total";
    seen.check(feedback, &["accepted"], 1.0);
    seen.check(feedback, &["duplicate"], 1.0);
    // 26 decisions, their attempts, one item of feedback.
    let records = before + 26.0 + tries as f64 + 1.0 + 1.0;
    seen.check(journal, &[], records);
    seen.check("bellwether_learner_lag_records", &[], 0.0);
    for word in [
        "coding",
        "a-task-of-a-caller",
        "words-of-a-caller",
        &*decision,
    ] {
        assert!(!seen.0.contains(word), "{word} in\n{}", seen.0);
    }
    rig.stop().await;
}

#[tokio::test]
async fn an_arm_that_fails_is_seen_to_fall_back_and_its_breaker_to_open() {
    let (failing, healthy) = (arm("small", 0.1), arm("large", 5.0));
    let failing = failing.replace("output_tokens = 20", "output_tokens = 20\nerror_rate = 1");
    let (dir, mut params) = configured_with("group", &format!("{failing}{healthy}"));
    params.server.metrics_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    // The time stands still: a breaker that has opened stays open.
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let opened = server::open(&params, &*clock).expect("opened");
    let rig = Rig::serve_at(dir, params, opened, clock).await;
    let mut caller = rig.caller(CODING).await;
    let mut failed = 0;
    for _ in 0..400 {
        let reply = caller.router.complete(asking(&[])).await;
        let attempts = reply.expect("answered").into_inner().attempts;
        assert_eq!(attempts.last().map(|a| a.arm.as_str()), Some("large"));
        failed += attempts.len() - 1;
        if failed == 5 {
            break;
        }
    }
    let seen = Seen::of(&rig).await;
    let failed = failed as f64;
    seen.check("bellwether_attempts_total", &["small-eu"], failed);
    let pair = ["from=\"small\"", "to=\"large\""];
    seen.check("bellwether_fallbacks_total", &pair, failed);
    seen.check("bellwether_fallbacks_total", &[], failed);
    seen.check("bellwether_breaker_open", &["small-eu"], 1.0);
    seen.check("bellwether_breaker_open", &["large-eu"], 0.0);
    rig.stop().await;
}

#[tokio::test]
async fn a_call_that_no_arm_can_take_is_counted_by_its_reasons() {
    let rig = rig(true).await;
    let mut caller = rig.caller(CODING).await;
    let mut request = about("fix-test");
    request.constraints = Some(v1::Constraints {
        denied_arms: ["small", "large"].map(str::to_owned).to_vec(),
        ..Default::default()
    });
    let refused = refusal(caller.ask(request).await);
    assert_eq!(
        refused,
        (Code::FailedPrecondition, "NO_ELIGIBLE_ARM".to_owned())
    );
    let seen = Seen::of(&rig).await;
    let reasons = "bellwether_no_eligible_arm_total";
    seen.check(reasons, &["denied"], 1.0);
    seen.check(reasons, &[], 1.0);
    let outcome = "outcome=\"no_eligible_arm\"";
    seen.check(
        "bellwether_requests_total",
        &["call=\"route\"", outcome],
        1.0,
    );
    // The operator asked for teams here.
    let team = "bellwether_team_requests_total";
    seen.check(team, &["team=\"coding\"", outcome], 1.0);
    rig.stop().await;
}

#[tokio::test]
async fn the_listener_has_two_pages_to_read_and_nothing_else() {
    let rig = rig(false).await;
    let check = async |method: &str, path: &str, expected: (&str, &str)| {
        let (status, _, body) = get(rig.metrics_address(), method, path).await;
        assert_eq!((&*status, &*body), expected, "{method} {path}");
    };
    check("GET", "/health", ("HTTP/1.1 200 OK", "serving\n")).await;
    let refused = "HTTP/1.1 405 Method Not Allowed";
    check("POST", "/metrics", (refused, "allowed GET and HEAD\n")).await;
    let nothing = ("HTTP/1.1 404 Not Found", "allowed /metrics and /health\n");
    check("GET", "/", nothing).await;
    check("GET", "/v1/models", nothing).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_reader_that_says_nothing_does_not_keep_a_server_from_stopping() {
    let rig = rig(false).await;
    let silent = TcpStream::connect(rig.metrics_address()).await;
    // Served once, so that the silent one before it was taken.
    Seen::of(&rig).await;
    rig.stop().await;
    drop(silent);
}
