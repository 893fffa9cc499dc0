//! A repeat of a request id, against an endpoint that counts how often it is asked and answers when
//! the test says so.

use crate::rig::{
    CODING, Caller, Rig, SUPPORT, configured_with, key, refusal, said, within, write_config_with,
};
use bellwether::clock::SystemClock;
use bellwether::config;
use bellwether::proto::v1::{self, stream_complete_response::Event};
use bellwether::server;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// An OpenAI-compatible endpoint: asked any number of times, it answers as often as it is let.
pub(crate) struct Endpoint {
    base_url: String,
    asked: Arc<AtomicUsize>,
    pub(crate) answers: Arc<Semaphore>,
    _serving: JoinSet<()>,
}

const WHOLE: &str = r#"{"choices":[{"message":{"content":"forty-two"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#;
const PIECES: &str = concat!(
    "data: {\"choices\":[{\"delta\":{\"content\":\"forty-\"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\"two\"},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\n",
    "data: [DONE]\n\n",
);

impl Endpoint {
    /// Answers with `status`.
    pub(crate) async fn start(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let (asked, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let mut serving = JoinSet::new();
        let (count, permits) = (Arc::clone(&asked), Arc::clone(&answers));
        serving.spawn(async move {
            let mut calls = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("accepted");
                calls.spawn(answer(
                    stream,
                    status,
                    Arc::clone(&count),
                    Arc::clone(&permits),
                ));
            }
        });
        Self {
            base_url,
            asked,
            answers,
            _serving: serving,
        }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn answer(
    mut stream: TcpStream,
    status: &str,
    asked: Arc<AtomicUsize>,
    answers: Arc<Semaphore>,
) {
    let mut request = Vec::new();
    let streamed = loop {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&request);
        // The last field of every body that the tests send.
        if text.contains("\"messages\"") && text.ends_with('}') {
            break text.contains("\"stream\":true");
        }
    };
    asked.fetch_add(1, Ordering::SeqCst);
    answers.acquire().await.expect("open").forget();
    let body = if streamed { PIECES } else { WHOLE };
    let length = body.len();
    let reply =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    // A caller that has gone is no fault.
    let _ = stream.write_all(reply.as_bytes()).await;
}

/// The endpoint as the only arm of a configuration.
pub(crate) fn arm(endpoint: &Endpoint) -> String {
    format!(
        r#"[[arms]]
name = "small"
context_tokens = 100_000
[[endpoints]]
name = "small-eu"
arm = "small"
provider = "openai"
model = "small-1"
base_url = "{}"
prices = [{{ input_usd_per_million = 0.1, output_usd_per_million = 0.4 }}]
"#,
        endpoint.base_url
    )
}

/// A server whose only arm is the endpoint.
async fn rig(endpoint: &Endpoint) -> Rig {
    let (dir, params) = configured_with("group", &arm(endpoint));
    let opened = server::open(&params, &SystemClock).expect("opened");
    Rig::serve(dir, params, opened).await
}

pub(crate) fn asking(request_id: &str) -> v1::CompleteRequest {
    v1::CompleteRequest {
        context: Some(v1::RequestContext {
            messages: vec![said("what is six times seven?")],
            ..Default::default()
        }),
        request_id: Some(request_id.to_owned()),
        // One endpoint, asked once.
        constraints: Some(v1::Constraints {
            allow_fallbacks: Some(false),
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn whole(caller: &mut Caller, request_id: &str) -> Result<v1::CompleteResponse, Status> {
    let reply = caller.router.complete(asking(request_id)).await;
    reply.map(tonic::Response::into_inner)
}

/// A streamed answer put together: as `Complete` gives it.
async fn streamed(caller: &mut Caller, request_id: &str) -> Result<v1::CompleteResponse, Status> {
    let request = v1::StreamCompleteRequest {
        request: Some(asking(request_id)),
    };
    let mut stream = caller.router.stream_complete(request).await?.into_inner();
    let (mut reply, mut text) = (v1::CompleteResponse::default(), String::new());
    while let Some(piece) = stream.message().await? {
        match piece.event.expect("an event") {
            Event::Decision(decision) => reply.decision = Some(decision),
            Event::TextDelta(more) => text.push_str(&more),
            Event::ToolCall(call) => panic!("no tool was offered: {call:?}"),
            Event::Reasoning(thought) => panic!("nothing was to be thought: {thought:?}"),
            Event::Done(done) => {
                reply.finish_reason = done.finish_reason;
                reply.attempt = done.attempt;
                reply.attempts = done.attempts;
            }
        }
    }
    let mut message = said(&text);
    message.role = v1::Role::Assistant.into();
    reply.message = Some(message);
    Ok(reply)
}

/// The reply, and whether it said to be a repeat.
fn told(mut reply: v1::CompleteResponse) -> (bool, v1::CompleteResponse) {
    let decision = reply.decision.as_mut().expect("a decision");
    (std::mem::take(&mut decision.repeated), reply)
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_wait_for_the_first_call_and_get_its_recorded_answer() {
    let endpoint = Endpoint::start("200 OK").await;
    let rig = rig(&endpoint).await;
    let mut team = rig.caller(SUPPORT).await;
    let mut calls = JoinSet::new();
    for number in 0..8 {
        let mut team = team.clone();
        calls.spawn(async move {
            match number % 2 {
                0 => whole(&mut team, "r-1").await,
                _ => streamed(&mut team, "r-1").await,
            }
        });
    }
    // Enough answers for all, so that one that asks in vain does not hang but is counted.
    endpoint.answers.add_permits(100);
    let replies = within("eight calls", calls.join_all()).await;
    let replies = replies
        .into_iter()
        .map(|reply| told(reply.expect("answered")));
    let (repeated, mut replies): (Vec<_>, Vec<_>) = replies.unzip();
    assert_eq!(repeated.iter().filter(|repeated| !**repeated).count(), 1);
    let first = replies.swap_remove(0);
    assert!(replies.iter().all(|reply| *reply == first), "{replies:?}");
    let text = first.message.as_ref().expect("a message").content[0]
        .part
        .clone();
    assert_eq!(text, Some(v1::content_part::Part::Text("forty-two".into())));
    // 5 tokens at 0.1 and 2 at 0.4 dollars a million.
    let cost = first
        .attempt
        .as_ref()
        .and_then(|attempt| attempt.cost_nano_usd);
    assert_eq!((endpoint.asked(), cost), (1, Some(1300)));

    let rig = rig.restart().await;
    let mut again = rig.caller(SUPPORT).await;
    let whole = told(whole(&mut again, "r-1").await.expect("after a restart"));
    assert_eq!(whole, (true, first.clone()));
    let pieces = told(streamed(&mut again, "r-1").await.expect("in pieces"));
    assert_eq!(pieces, (true, first.clone()));
    let id = &first.decision.as_ref().expect("a decision").decision_id;
    let kept = again.decision(id).await.expect("kept");
    assert_eq!(kept.attempts, [first.attempt.expect("an attempt")]);
    assert_eq!(endpoint.asked(), 1);
    team = rig.caller(SUPPORT).await;
    let mut other = asking("r-1");
    other.temperature = Some(1.0);
    let (code, reason) = refusal(team.router.complete(other).await);
    assert_eq!((code, &*reason), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_waits_while_the_endpoint_thinks() {
    let endpoint = Endpoint::start("200 OK").await;
    let rig = rig(&endpoint).await;
    let mut calls = JoinSet::new();
    for _ in 0..2 {
        let mut team = rig.caller(SUPPORT).await;
        calls.spawn(async move { whole(&mut team, "r-1").await });
    }
    let thinking = async {
        while endpoint.asked() == 0 {
            tokio::task::yield_now().await;
        }
    };
    within("the first question", thinking).await;
    assert!(calls.try_join_next().is_none(), "nobody is answered yet");
    endpoint.answers.add_permits(100);
    let replies = within("two calls", calls.join_all()).await;
    let repeated = replies.into_iter().map(|reply| told(reply.unwrap()).0);
    assert_eq!(repeated.filter(|repeated| *repeated).count(), 1);
    assert_eq!(endpoint.asked(), 1);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_words_were_not_recorded_is_not_given_again_as_an_empty_one() {
    let endpoint = Endpoint::start("200 OK").await;
    endpoint.answers.add_permits(100);
    let rig = rig(&endpoint).await;
    let mut team = rig.caller(CODING).await;
    let first = whole(&mut team, "r-1").await.expect("answered");
    let id = first.decision.expect("a decision").decision_id;
    for repeat in [
        whole(&mut team, "r-1").await,
        streamed(&mut team, "r-1").await,
    ] {
        let status = repeat.as_ref().expect_err("not kept").clone();
        let details = status.get_error_details();
        let named = details.resource_info().map(|r| r.resource_name.clone());
        assert_eq!(named.as_ref(), Some(&id));
        let (code, reason) = refusal(repeat);
        assert_eq!((code, &*reason), (Code::AlreadyExists, "ANSWER_NOT_KEPT"));
    }
    let kept = team.decision(&id).await.expect("kept");
    assert_eq!(kept.attempts, [first.attempt.expect("an attempt")]);
    assert_eq!(endpoint.asked(), 1);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_failed_or_was_left_fails_again_and_a_new_id_asks_again() {
    let endpoint = Endpoint::start("503 Service Unavailable").await;
    let rig = rig(&endpoint).await;
    let mut team = rig.caller(SUPPORT).await;
    endpoint.answers.add_permits(1);
    let unavailable = (Code::Unavailable, "ALL_ATTEMPTS_FAILED".to_owned());
    let first = whole(&mut team, "r-1").await.expect_err("refused");
    assert!(first.get_details_retry_info().is_some());
    assert_eq!(refusal(Err::<(), _>(first)), unavailable);
    let again = streamed(&mut team, "r-1").await.expect_err("refused");
    let retry = again.get_details_retry_info();
    assert!(retry.is_none(), "the same call would fail for ever");
    assert_eq!(refusal(Err::<(), _>(again)), unavailable);
    assert_eq!(endpoint.asked(), 1);

    // The endpoint gives no more answers; the caller leaves.
    let mut leaving = team.clone();
    let mut calls = JoinSet::new();
    calls.spawn(async move { whole(&mut leaving, "r-2").await });
    let thinking = async {
        while endpoint.asked() < 2 {
            tokio::task::yield_now().await;
        }
    };
    within("the second question", thinking).await;
    calls.shutdown().await;
    let again = within("the repeat", whole(&mut team, "r-2")).await;
    let status = again.as_ref().expect_err("left").message().to_owned();
    assert!(status.contains("small-eu: abandoned"), "{status}");
    assert_eq!(refusal(again), unavailable);
    assert_eq!(endpoint.asked(), 2);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_route_says_so() {
    let endpoint = Endpoint::start("200 OK").await;
    let rig = rig(&endpoint).await;
    let mut team = rig.caller(CODING).await;
    let mut request = crate::rig::about("fix");
    request.request_id = Some("r-1".to_owned());
    let first = team.ask(request.clone()).await.expect("routed");
    let again = team.ask(request).await.expect("routed");
    assert_eq!((first.repeated, again.repeated), (false, true));
    assert_eq!(first.decision_id, again.decision_id);
    rig.stop().await;
}

/// Arms at home and abroad; one of them is at both, abroad for less.
fn abroad() -> String {
    let mut text = String::new();
    for (arm, endpoints) in [
        ("small", &[("us", 0.1), ("eu", 2.0)][..]),
        ("medium", &[("eu", 1.0)]),
        ("large", &[("us", 1.0)]),
        ("huge", &[("eu", 1.0)]),
    ] {
        text.push_str(&format!(
            "[[arms]]\nname = \"{arm}\"\ncontext_tokens = 100_000\n"
        ));
        for (region, price) in endpoints {
            text.push_str(&format!(
                "[[endpoints]]\nname = \"{arm}-{region}\"\narm = \"{arm}\"\nprovider = \"simulated\"\n\
                 region = \"{region}\"\nprices = [{{ input_usd_per_million = {price}, output_usd_per_million = {price} }}]\n"
            ));
        }
    }
    text.push_str("[[data_classes]]\nname = \"patient\"\nregions = [\"eu\"]\n");
    text.push_str(&key("at-home", AT_HOME, "coding", "\"route\""));
    text + "endpoints = [\"small-eu\", \"medium-eu\", \"huge-eu\"]\n"
}

const AT_HOME: &str = "k-at-home";

fn deciding(number: usize) -> v1::RouteRequest {
    let mut request = crate::rig::about("fix");
    request.request_id = Some(format!("r-{number}"));
    request
}

/// The endpoint of a decision, and its fallbacks.
fn named(reply: &v1::RouteResponse) -> (String, Vec<String>) {
    let endpoint = reply.endpoint.as_ref().expect("an endpoint").name.clone();
    let fallbacks = reply.fallbacks.iter().map(|at| at.name.clone());
    (endpoint, fallbacks.collect())
}

/// Repeats all of them: what was decided abroad is refused, of the others what leads abroad is left out.
async fn only_at_home(caller: &mut Caller, firsts: &[v1::RouteResponse], why: &str) {
    let home = |name: &String| name.ends_with("-eu");
    for (number, first) in firsts.iter().enumerate() {
        let (endpoint, mut fallbacks) = named(first);
        let again = caller.ask(deciding(number)).await;
        if home(&endpoint) {
            let again = again.expect("still permitted");
            fallbacks.retain(home);
            assert!(again.repeated);
            assert_eq!(named(&again), (endpoint, fallbacks));
            assert_eq!(again.decision_id, first.decision_id);
            continue;
        }
        let text = again.as_ref().expect_err("refused").message().to_owned();
        assert!(text.contains(&endpoint) && text.contains(why), "{text}");
        let refused = (Code::FailedPrecondition, "NO_ELIGIBLE_ARM".to_owned());
        assert_eq!(refusal(again), refused);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_route_names_only_endpoints_that_its_key_and_the_rules_of_now_permit() {
    let (dir, params) = configured_with("group", &abroad());
    let opened = server::open(&params, &SystemClock).expect("opened");
    let mut rig = Rig::serve(dir, params, opened).await;
    let mut team = rig.caller(CODING).await;
    let mut firsts = Vec::new();
    for number in 0..60 {
        firsts.push(team.ask(deciding(number)).await.expect("routed"));
    }
    let all: Vec<_> = firsts.iter().map(named).collect();
    assert!(all.iter().any(|(endpoint, _)| endpoint == "small-us"));
    let away = |name: &String| name.ends_with("-us");
    let leads = |(at, others): &(String, Vec<String>)| !away(at) && others.iter().any(away);
    assert!(all.iter().any(leads), "{all:?}");

    let mut at_home = rig.caller(AT_HOME).await;
    only_at_home(&mut at_home, &firsts, "the key may not use it").await;
    for (number, first) in firsts.iter().enumerate() {
        let again = team.ask(deciding(number)).await.expect("by its own key");
        assert_eq!(named(&again), named(first));
    }

    let classed = tempfile::tempdir().expect("a temporary directory");
    let path = write_config_with(classed.path(), "group", &abroad());
    let text = std::fs::read_to_string(&path).expect("read");
    let of = "name = \"coding\"\n";
    let text = text.replacen(of, &format!("{of}data_class = \"patient\"\n"), 1);
    std::fs::write(&path, text).expect("written");
    let mut params = config::load(&path).unwrap_or_else(|p| panic!("{}", config::render(&p)));
    params.store = rig.params.store.clone();
    let reloaded = rig.reload(&params);
    assert!(reloaded.swapped.contains(&"teams"), "{reloaded:?}");
    only_at_home(&mut team, &firsts, "DATA_POLICY").await;
    rig.stop().await;
}
