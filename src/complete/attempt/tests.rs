//! Every way in which an attempt can end, and that each is recorded once.

use super::*;
use crate::chat::{Message, Role, ToolCall};
use crate::clock::ManualClock;
use crate::complete::{Event, Events};
use crate::decision::{self, Usage};
use crate::eligibility::Price;
use crate::id::Secret;
use crate::provider::{Error, FinishReason, Kind, Piece, Pieces};
use crate::store;
use crate::unit::{NanoUsd, Timestamp};
use futures_util::future::{BoxFuture, pending, ready};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;
use tokio::time::Instant;

mod reader;
mod told;
mod words;

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

/// Keeps attempts in a list, or refuses them as a full disk does.
#[derive(Debug, Default)]
struct List {
    kept: Mutex<Vec<Attempt>>,
    /// Words, each with the number of attempts before it.
    words: Mutex<Vec<(usize, decision::Answer)>>,
    full: bool,
}

impl AttemptLog for List {
    fn append(&self, team: &Name, attempt: &Attempt) -> Result<u64, store::Error> {
        assert_eq!(team.as_str(), "team");
        if self.full {
            return Err(store::Error::Full {
                file: "segment".into(),
            });
        }
        let mut kept = self.kept.lock().unwrap();
        kept.push(attempt.clone());
        Ok(kept.len() as u64)
    }

    fn append_answer(&self, team: &Name, answer: decision::Answer) -> Result<(), store::Error> {
        assert_eq!(team.as_str(), "team");
        let attempts = self.kept.lock().unwrap().len();
        self.words.lock().unwrap().push((attempts, answer));
        Ok(())
    }

    fn durable(&self, _place: u64) -> BoxFuture<'_, Result<(), store::Error>> {
        ready(Ok(())).boxed()
    }
}

/// Says what it was told to say.
#[derive(Debug)]
struct Scripted {
    whole: Result<Answer, Error>,
    pieces: Vec<Result<Piece, Error>>,
    /// After its pieces, or in place of a whole answer: silence.
    hangs: bool,
}

impl Provider for Scripted {
    fn complete<'a>(
        &'a self,
        _prompt: Prompt<'a>,
        _patience: Patience,
    ) -> BoxFuture<'a, Result<Answer, Error>> {
        if self.hangs {
            return pending().boxed();
        }
        ready(self.whole.clone()).boxed()
    }

    fn stream<'a>(
        &'a self,
        _prompt: Prompt<'a>,
        _patience: Patience,
    ) -> BoxFuture<'a, Result<Pieces, Error>> {
        let pieces = stream::iter(self.pieces.clone());
        let pieces = if self.hangs {
            pieces.chain(stream::pending()).boxed()
        } else {
            pieces.boxed()
        };
        ready(self.whole.clone().map(|_| pieces)).boxed()
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn target() -> Target {
    Target {
        team: name("team"),
        decision: Secret::new([1; 32]).mint(NOW, 1),
        pass: None,
        watched: None,
        endpoint: Arc::new(Endpoint {
            name: name("endpoint"),
            arm: name("arm"),
            provider: name("simulated"),
            model: "m".into(),
            base_url: String::new(),
            region: None,
            zero_retention: true,
            trains: false,
            certifications: Vec::new(),
            expresses: crate::chat::Parameters::ALL,
            waits: Default::default(),
            // Nano-dollars a token: 1000 in, 100 cached, 10,000 out.
            prices: vec![Price {
                from: NOW,
                input: 1.0,
                cached_input: 0.1,
                cache_write: 1.0,
                output: 10.0,
            }],
        }),
        words: Words::None,
        listen: false,
    }
}

/// 40 characters: 10 tokens.
fn prompt() -> Prompt<'static> {
    static SAID: LazyLock<[Message; 1]> =
        LazyLock::new(|| [Message::text(Role::User, "x".repeat(40))]);
    Prompt::new("m", &*SAID)
}

fn soon() -> Patience {
    Patience::until(Instant::now() + Duration::from_secs(60))
}

fn told(input: u32, cached: u32, output: u32) -> Usage {
    Usage {
        input: Some(input),
        cached_input: Some(cached),
        output: Some(output),
        ..Usage::default()
    }
}

fn answer(usage: Usage) -> Answer {
    Answer {
        message: Message::text(Role::Assistant, "12345678"),
        finish_reason: FinishReason::Stop,
        usage,
        latency: Duration::ZERO,
    }
}

fn text(text: &str) -> Result<Piece, Error> {
    Ok(Piece::Text(text.into()))
}

fn done(usage: Usage) -> Result<Piece, Error> {
    Ok(Piece::Done {
        finish_reason: FinishReason::Stop,
        usage,
    })
}

fn scripted(whole: Result<Answer, Error>, pieces: Vec<Result<Piece, Error>>) -> Scripted {
    Scripted {
        whole,
        pieces,
        hangs: false,
    }
}

fn attempts(log: &Arc<List>) -> Attempts {
    let log: Arc<dyn AttemptLog> = Arc::clone(log) as _;
    let standing = Arc::new(Standing::new([], []));
    Attempts::new(Arc::new(ManualClock::new(NOW)), log, standing)
}

/// What the one record says: error, tokens in and out, whether they are estimates, cost.
fn recorded(log: &List) -> (Option<String>, Option<u32>, Option<u32>, bool, Option<i64>) {
    let kept = log.kept.lock().unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let attempt = &kept[0];
    assert_eq!(attempt.arm, name("arm"));
    assert_eq!(attempt.endpoint, name("endpoint"));
    assert_eq!(attempt.ended, NOW);
    assert!(attempt.latency_ms.is_some_and(|ms| ms >= 0.0));
    assert!(!attempt.reported);
    let error = attempt.error.as_ref().map(ToString::to_string);
    let Usage {
        input,
        output,
        estimated,
        ..
    } = attempt.usage;
    (
        error,
        input,
        output,
        estimated,
        attempt.cost.map(NanoUsd::get),
    )
}

/// Error, tokens in and out, whether they are estimates, cost in nano-dollars.
type Expected<'a> = (Option<&'a str>, u32, u32, bool, i64);

fn check_recorded(log: &List, (error, input, output, estimated, cost): Expected<'_>) {
    let expected = (
        error.map(Into::into),
        Some(input),
        Some(output),
        estimated,
        Some(cost),
    );
    assert_eq!(recorded(log), expected);
}

async fn check_whole(whole: Result<Answer, Error>, expected: Expected<'_>) {
    let log = Arc::new(List::default());
    let provider = scripted(whole.clone(), Vec::new());
    let outcome = attempts(&log)
        .whole(&provider, target(), prompt(), soon())
        .await;
    check_recorded(&log, expected);
    let told = match outcome {
        Ok((answer, attempt)) => {
            assert_eq!(Ok(answer), whole);
            attempt
        }
        Err(failed) => {
            assert_eq!(Err(failed.error), whole);
            assert_eq!(failed.attempts.len(), 1);
            failed.attempts[0].clone()
        }
    };
    assert_eq!(told, log.kept.lock().unwrap()[0]);
}

/// Reads `take` events, or all, and lets go.
async fn check_stream(
    pieces: Vec<Result<Piece, Error>>,
    take: usize,
    expected: Expected<'_>,
) -> Vec<Result<Event, Kind>> {
    let log = Arc::new(List::default());
    let mut provider = scripted(Ok(answer(Usage::default())), pieces);
    provider.hangs = take < usize::MAX;
    let events = attempts(&log)
        .stream(&provider, target(), prompt(), soon())
        .await
        .unwrap();
    let read: Vec<_> = Events::new(events, Vec::new(), None, (None, None))
        .map_err(|failed| failed.error.kind)
        .take(take)
        .collect()
        .await;
    check_recorded(&log, expected);
    read
}

#[tokio::test]
async fn an_answer_is_recorded_with_the_cost_of_its_usage() {
    // 60 fresh at 1000, 40 cached at 100, 20 out at 10,000.
    let told = told(100, 40, 20);
    check_whole(Ok(answer(told)), (None, 100, 20, false, 264_000)).await;
}

#[tokio::test]
async fn usage_that_was_not_told_is_estimated_and_marked() {
    // 40 characters in, 8 out: 10 and 2 tokens.
    let silent = answer(Usage::default());
    check_whole(Ok(silent), (None, 10, 2, true, 30_000)).await;
    let half = answer(Usage {
        output: Some(5),
        ..Usage::default()
    });
    check_whole(Ok(half), (None, 10, 5, true, 60_000)).await;
}

#[tokio::test]
async fn a_refusal_costs_nothing_and_a_try_that_may_have_worked_costs_its_input() {
    let refused = Err(Error::refused(429, None, None));
    check_whole(refused, (Some("rate_limited"), 0, 0, false, 0)).await;
    let late = Err(Kind::DeadlineExceeded.into());
    check_whole(late, (Some("deadline_exceeded"), 10, 0, true, 10_000)).await;
}

#[tokio::test]
async fn a_caller_who_goes_before_the_answer_is_recorded() {
    let log = Arc::new(List::default());
    let mut provider = scripted(Ok(answer(Usage::default())), Vec::new());
    provider.hangs = true;
    let (attempts, prompt) = (attempts(&log), prompt());
    let mut call = attempts.whole(&provider, target(), prompt, soon()).boxed();
    assert!((&mut call).now_or_never().is_none());
    assert_eq!(log.kept.lock().unwrap().len(), 0);
    drop(call);
    let abandoned = Some("abandoned".to_owned());
    assert_eq!(
        recorded(&log),
        (abandoned, Some(10), Some(0), true, Some(10_000))
    );
}

#[tokio::test]
async fn a_whole_stream_is_recorded_once_before_its_end_is_told() {
    let pieces = vec![text("1234"), text("5678"), done(told(100, 40, 20))];
    let read = check_stream(pieces, usize::MAX, (None, 100, 20, false, 264_000)).await;
    assert_eq!(read.len(), 3);
    assert!(matches!(&read[2], Ok(Event::Done { attempts, .. }) if attempts[0].error.is_none()));
}

#[tokio::test]
async fn a_tool_call_counts_as_words() {
    let call = ToolCall {
        id: "c".into(),
        name: "find".into(),
        arguments_json: "{\"a\":12}".into(),
    };
    let pieces = vec![Ok(Piece::ToolCall(call)), done(Usage::default())];
    // 4 + 8 characters: 3 tokens.
    let read = check_stream(pieces, usize::MAX, (None, 10, 3, true, 40_000)).await;
    assert!(matches!(&read[0], Ok(Event::ToolCall(_))));
}

#[tokio::test]
async fn a_stream_that_fails_or_is_cut_is_recorded_with_what_was_heard() {
    let pieces = vec![text("12345678"), Err(Kind::ServerError.into())];
    let read = check_stream(
        pieces,
        usize::MAX,
        (Some("server_error"), 10, 2, true, 30_000),
    )
    .await;
    assert_eq!(read.last(), Some(&Err(Kind::ServerError)));

    let pieces = vec![text("12345678")];
    let read = check_stream(pieces, usize::MAX, (Some("cut"), 10, 2, true, 30_000)).await;
    assert_eq!(read.last(), Some(&Err(Kind::Cut)));
}

#[tokio::test]
async fn a_caller_who_leaves_a_stream_pays_for_what_was_heard() {
    let pieces = vec![text("1234"), text("5678")];
    check_stream(pieces.clone(), 1, (Some("abandoned"), 10, 1, true, 20_000)).await;
    // The first piece was heard before the stream was handed over.
    check_stream(pieces, 0, (Some("abandoned"), 10, 1, true, 20_000)).await;
}

#[tokio::test]
async fn nothing_follows_the_end() {
    let pieces = vec![done(told(1, 0, 1)), text("more")];
    let read = check_stream(pieces, usize::MAX, (None, 1, 1, false, 11_000)).await;
    assert_eq!(read.len(), 1);
}

#[tokio::test]
async fn a_stream_that_is_refused_is_recorded() {
    let log = Arc::new(List::default());
    let provider = scripted(Err(Error::refused(503, None, None)), Vec::new());
    let outcome = attempts(&log)
        .stream(&provider, target(), prompt(), soon())
        .await;
    assert_eq!(outcome.err().unwrap().error.kind, Kind::Overloaded);
    let overloaded = Some("overloaded".to_owned());
    assert_eq!(
        recorded(&log),
        (overloaded, Some(0), Some(0), false, Some(0))
    );
}

#[tokio::test]
async fn a_full_disk_does_not_take_the_answer_away() {
    let log = Arc::new(List {
        full: true,
        ..List::default()
    });
    let provider = scripted(Ok(answer(told(1, 0, 1))), Vec::new());
    let outcome = attempts(&log)
        .whole(&provider, target(), prompt(), soon())
        .await;
    assert_eq!(outcome.unwrap().1.cost, Some(NanoUsd::new(11_000)));
    assert!(log.kept.lock().unwrap().is_empty());
}
