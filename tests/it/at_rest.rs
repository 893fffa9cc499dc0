//! Where every endpoint is left alone: a request is refused at once and told when to come again, and no endpoint
//! is asked more often than to see whether it is back.

use crate::rig::{CODING, Caller, Rig, configured_with, refusal, said, within};
use crate::upstream::{Behaviour, Upstream};
use bellwether::clock::{Clock, ManualClock, SystemClock};
use bellwether::proto::v1;
use bellwether::server;
use bellwether::unit::Timestamp;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Two arms, each with one endpoint; the time moves when it is told to.
struct Pair {
    rig: Rig,
    first: Upstream,
    second: Upstream,
    clock: Arc<ManualClock>,
    began: Timestamp,
}

fn arm(name: &str, upstream: &Upstream) -> String {
    format!(
        "[[arms]]\nname = \"{name}\"\ncontext_tokens = 100_000\n[[endpoints]]\nname = \"{name}-at\"\narm = \"{name}\"\n\
         provider = \"openai\"\nmodel = \"m\"\nbase_url = \"{}\"\n\
         prices = [{{ input_usd_per_million = 0.1, output_usd_per_million = 0.1 }}]\n",
        upstream.base_url()
    )
}

impl Pair {
    async fn start(behaviour: Behaviour) -> Self {
        let first = Upstream::start(behaviour).await;
        let second = Upstream::start(behaviour).await;
        let arms = arm("first", &first) + &arm("second", &second);
        let (dir, mut params) = configured_with("group", &arms);
        params.server.http_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        params.server.metrics_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let began = SystemClock.now();
        let clock = Arc::new(ManualClock::new(began));
        let opened = server::open(&params, &*clock).expect("opened");
        let told: Arc<dyn Clock> = Arc::clone(&clock) as _;
        let rig = Rig::serve_at(dir, params, opened, told).await;
        Self {
            rig,
            first,
            second,
            clock,
            began,
        }
    }

    /// Moves the time to so many milliseconds after the beginning.
    fn at(&self, ms: u64) {
        self.clock.set(self.began.after(Duration::from_millis(ms)));
    }

    async fn set(&self, behaviour: Behaviour) {
        self.first.set(behaviour).await;
        self.second.set(behaviour).await;
    }

    fn calls(&self) -> usize {
        self.first.calls() + self.second.calls()
    }

    /// Asks until nobody is asked any more; the refusal.
    async fn rested(&self) -> Status {
        let mut caller = self.rig.caller(CODING).await;
        for _ in 0..50 {
            let before = self.calls();
            let refused = whole(&mut caller).await.expect_err("all fail");
            if self.calls() == before {
                return refused;
            }
            let failed = (Code::Unavailable, "ALL_ATTEMPTS_FAILED".to_owned());
            assert_eq!(refusal(Err::<(), _>(refused)), failed);
        }
        panic!("they are asked again and again: {} calls", self.calls());
    }

    /// What the metrics say of this series.
    async fn counted(&self, series: &str) -> String {
        let text = get(
            self.rig.metrics_address(),
            "GET /metrics HTTP/1.1\r\nhost: m\r\n\r\n",
        )
        .await;
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap_or("none").trim().to_owned()
    }
}

fn asking() -> v1::CompleteRequest {
    let context = v1::RequestContext {
        messages: vec![said("fix the build")],
        ..Default::default()
    };
    v1::CompleteRequest {
        context: Some(context),
        ..Default::default()
    }
}

async fn whole(caller: &mut Caller) -> Result<v1::CompleteResponse, Status> {
    let reply = within("an end", caller.router.complete(asking())).await;
    reply.map(tonic::Response::into_inner)
}

async fn streamed(caller: &mut Caller) -> Result<(), Status> {
    let request = v1::StreamCompleteRequest {
        request: Some(asking()),
    };
    let mut stream = caller.router.stream_complete(request).await?.into_inner();
    while stream.message().await?.is_some() {}
    Ok(())
}

async fn route(caller: &mut Caller) -> Result<v1::RouteResponse, Status> {
    let request = v1::RouteRequest {
        context: asking().context,
        ..Default::default()
    };
    let reply = caller.router.route(request).await;
    reply.map(tonic::Response::into_inner)
}

async fn get(at: SocketAddr, call: &str) -> String {
    let mut stream = TcpStream::connect(at).await.expect("connected");
    stream.write_all(call.as_bytes()).await.expect("asked");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.expect("a reply");
    reply
}

async fn over_http(rig: &Rig, headers: &str) -> String {
    let body = r#"{"model":"bellwether/auto","messages":[{"role":"user","content":"hi"}]}"#;
    let call = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nconnection: close\r\nauthorization: Bearer {CODING}\r\n\
         content-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    get(rig.http_address(), &call).await
}

/// That a refusal has this code and reason, and says to wait so long.
fn check(refused: Status, (code, reason): (Code, &str), wait_ms: u128) {
    let wait = refused.get_details_retry_info();
    let wait = wait.and_then(|info| info.retry_delay);
    assert_eq!(
        wait.map(|wait| wait.as_millis()),
        Some(wait_ms),
        "{refused:?}"
    );
    let left_out = refused.get_details_precondition_failure();
    assert_eq!(left_out.map(|left_out| left_out.violations.len()), Some(2));
    assert_eq!(refusal(Err::<(), _>(refused)), (code, reason.to_owned()));
}

const FAILED: (Code, &str) = (Code::Unavailable, "ENDPOINTS_UNAVAILABLE");
const LIMITED: (Code, &str) = (Code::ResourceExhausted, "ENDPOINTS_RATE_LIMITED");

#[tokio::test(flavor = "multi_thread")]
async fn where_all_have_failed_each_is_asked_to_see_and_everybody_else_is_told_how_long() {
    let pair = Pair::start(Behaviour::Status(500)).await;
    check(pair.rested().await, FAILED, 2_000);
    // Five failures opened each of the two.
    assert_eq!([pair.first.calls(), pair.second.calls()], [5, 5]);
    let mut caller = pair.rig.caller(CODING).await;
    pair.at(500);
    check(whole(&mut caller).await.expect_err("rest"), FAILED, 1_500);
    check(
        streamed(&mut caller).await.expect_err("rest"),
        FAILED,
        1_500,
    );
    check(route(&mut caller).await.expect_err("rest"), FAILED, 1_500);
    let reply = over_http(&pair.rig, "").await;
    assert!(reply.starts_with("HTTP/1.1 503 "), "{reply}");
    assert!(reply.contains("\r\nretry-after: 2\r\n"), "{reply}");
    assert!(reply.contains("\"endpoints_unavailable\""), "{reply}");
    // Their wait is over: of many that come at once, one sees each.
    pair.at(2_000);
    let mut calls = JoinSet::new();
    for _ in 0..40 {
        let mut caller = caller.clone();
        calls.spawn(async move { whole(&mut caller).await.is_ok() });
    }
    let answered = within("all", calls.join_all()).await;
    assert!(answered.iter().all(|answered| !answered), "all fail");
    assert_eq!([pair.first.calls(), pair.second.calls()], [6, 6]);
    // Back, the first that sees it opens it to all.
    pair.set(Behaviour::Healthy).await;
    check(whole(&mut caller).await.expect_err("rest"), FAILED, 4_000);
    pair.at(6_000);
    for _ in 0..10 {
        whole(&mut caller).await.expect("answered");
    }
    assert_eq!(pair.calls(), 22);
    let series = "bellwether_requests_total{call=\"stream\",outcome=\"endpoints_unavailable\"}";
    assert_eq!(pair.counted(series).await, "1");
    pair.rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_are_rate_limited_the_shortest_wait_is_told() {
    let pair = Pair::start(Behaviour::RateLimited { retry_after_s: 90 }).await;
    pair.first
        .set(Behaviour::RateLimited { retry_after_s: 60 })
        .await;
    let refused = pair.rested().await;
    // One call each: neither is asked again before it wants to be.
    assert_eq!([pair.first.calls(), pair.second.calls()], [1, 1]);
    check(refused, LIMITED, 60_000);
    let reply = over_http(&pair.rig, "").await;
    assert!(reply.starts_with("HTTP/1.1 429 "), "{reply}");
    assert!(reply.contains("\r\nretry-after: 60\r\n"), "{reply}");
    assert!(reply.contains("\"endpoints_rate_limited\""), "{reply}");
    pair.set(Behaviour::Healthy).await;
    pair.at(60_000);
    let mut caller = pair.rig.caller(CODING).await;
    let reply = whole(&mut caller).await.expect("answered");
    assert_eq!(reply.decision.expect("a decision").arm, "first");
    assert_eq!(pair.calls(), 3);
    let series = "bellwether_requests_total{call=\"complete\",outcome=\"endpoints_rate_limited\"}";
    let refused: f64 = pair.counted(series).await.parse().expect("a number");
    assert!(refused > 0.0, "{refused}");
    pair.rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_waited_for_an_endpoint_that_asked_for_it_one_goes_first() {
    let pair = Pair::start(Behaviour::RateLimited { retry_after_s: 1 }).await;
    let caller = pair.rig.caller(CODING).await;
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let mut caller = caller.clone();
        calls.spawn(async move { whole(&mut caller).await.is_ok() });
    }
    within("all", calls.join_all()).await;
    // All may have set out before the first 429 came back. But of those that waited a second to ask again, one
    // sees each endpoint, and it is told to wait once more.
    assert!(pair.calls() <= 2 * 20 + 2 * 2, "{}", pair.calls());
    pair.rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_alone_takes_no_probe() {
    let pair = Pair::start(Behaviour::Status(500)).await;
    pair.rested().await;
    pair.set(Behaviour::Healthy).await;
    pair.at(2_000);
    let mut caller = pair.rig.caller(CODING).await;
    // Nobody tells what became of these.
    for _ in 0..20 {
        route(&mut caller).await.expect("routed");
    }
    whole(&mut caller)
        .await
        .expect("the probe is there to take");
    pair.rig.stop().await;
}

/// Tells that what was decided failed.
async fn tell(caller: &mut Caller, times: usize) -> usize {
    let mut told = 0;
    for _ in 0..times {
        let Ok(decision) = route(caller).await else {
            break;
        };
        let report = v1::ReportAttemptRequest {
            decision_id: decision.decision_id,
            error: "server_error".to_owned(),
            ..Default::default()
        };
        caller.router.report_attempt(report).await.expect("kept");
        told += 1;
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn what_callers_tell_refuses_nobody() {
    let pair = Pair::start(Behaviour::Healthy).await;
    let mut caller = pair.rig.caller(CODING).await;
    // However much is told of either: where nothing else is left, they are asked.
    assert_eq!(tell(&mut caller, 60).await, 60);
    whole(&mut caller).await.expect("answered");
    route(&mut caller).await.expect("routed");
    pair.rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_refuses_our_key_is_left_alone_at_once_and_told_of() {
    let pair = Pair::start(Behaviour::Healthy).await;
    let mut caller = pair.rig.caller(CODING).await;
    pair.first.set(Behaviour::Status(401)).await;
    for _ in 0..20 {
        whole(&mut caller).await.expect("the other arm answers");
    }
    assert_eq!(pair.first.calls(), 1);
    let misconfigured = "bellwether_endpoint_misconfigured{endpoint=\"first-at\"}";
    assert_eq!(pair.counted(misconfigured).await, "1");
    let open = "bellwether_breaker_open{endpoint=\"first-at\"}";
    assert_eq!(pair.counted(open).await, "1");
    pair.first.set(Behaviour::Healthy).await;
    pair.at(60_000);
    for _ in 0..20 {
        whole(&mut caller).await.expect("answered");
    }
    assert_eq!(pair.counted(misconfigured).await, "0");
    // A single 403 may be about what was said.
    pair.second.set(Behaviour::Status(403)).await;
    let before = pair.second.calls();
    // Enough of them that it is drawn more often than it is asked.
    for _ in 0..600 {
        whole(&mut caller).await.expect("the other arm answers");
    }
    assert_eq!(pair.second.calls() - before, 5);
    pair.rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_that_is_the_first_to_ask_passes_what_a_new_request_would() {
    let pair = Pair::start(Behaviour::Healthy).await;
    let id = "idempotency-key: once\r\n";
    // Its time is up when it is decided: nobody is asked.
    let hasty = format!("{id}x-request-timeout-ms: 0.000001\r\n");
    let reply = over_http(&pair.rig, &hasty).await;
    assert!(reply.starts_with("HTTP/1.1 504 "), "{reply}");
    assert_eq!(pair.calls(), 0);
    pair.set(Behaviour::RateLimited { retry_after_s: 60 }).await;
    pair.rested().await;
    let asked = pair.calls();
    let reply = over_http(&pair.rig, id).await;
    assert!(reply.contains("\"endpoints_rate_limited\""), "{reply}");
    assert_eq!(pair.calls(), asked);
    // The other one may stand in for the one that was decided for.
    pair.first.set(Behaviour::Healthy).await;
    pair.at(60_000);
    let reply = over_http(&pair.rig, id).await;
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    pair.rig.stop().await;
}
