//! What a provider said of the tokens before its stream ended too early: as pieces, and read by its own client.

use super::*;
use crate::provider::testing::{Server, events, in_time};
use crate::provider::{
    Anthropic, AnthropicSettings, Gemini, GeminiSettings, OpenAi, OpenAiSettings, Transport,
};

/// 60 fresh tokens and 40 cached: 64,000 nano-dollars.
const START: &str = r#"{"type":"message_start","message":{"usage":{"input_tokens":60,"cache_read_input_tokens":40,"output_tokens":1}}}"#;
const OPEN: &str =
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
const WORDS: &str =
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"12345678"}}"#;
const END: &str =
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":20}}"#;

/// How a stream ends too early.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Cut,
    Stalled,
    Left,
}

/// What is recorded of a stream of these pieces.
async fn check(pieces: Vec<Result<Piece, Error>>, expected: Expected<'_>) {
    check_stream(pieces, usize::MAX, expected).await;
}

/// What is recorded of a stream that `client` of a server's address reads.
async fn check_read(
    client: impl FnOnce(&str, &Transport) -> Box<dyn Provider>,
    (data, way): (&[&str], Way),
    expected: Expected<'_>,
) {
    let server = Server::start(events(data), way != Way::Cut);
    let client = client(&server.base_url, &Transport::new());
    let log = Arc::new(List::default());
    let patience = match way {
        Way::Stalled => Patience {
            idle: Duration::from_millis(200),
            ..in_time()
        },
        _ => in_time(),
    };
    let attempts = attempts(&log);
    let opening = attempts.stream(client.as_ref(), target(), prompt(), patience);
    if let Ok(opening) = opening.await {
        let events = Events::new(opening, Vec::new(), None, (None, None));
        let most = if way == Way::Left { 1 } else { usize::MAX };
        let read: Vec<_> = events.take(most).collect().await;
        let told = |event: &Result<Event, _>| matches!(event, Ok(Event::Text(_)) | Err(_));
        assert!(read.iter().all(told), "{read:?}");
    }
    check_recorded(&log, expected);
    drop(client);
    server.sent().await;
}

fn anthropic(url: &str, transport: &Transport) -> Box<dyn Provider> {
    Box::new(Anthropic::new(AnthropicSettings::new(url, None), transport).unwrap())
}

fn gemini(url: &str, transport: &Transport) -> Box<dyn Provider> {
    Box::new(Gemini::new(GeminiSettings::new(url, None), transport).unwrap())
}

fn openai(url: &str, transport: &Transport) -> Box<dyn Provider> {
    Box::new(OpenAi::new(OpenAiSettings::new(url, None), transport).unwrap())
}

fn so_far(usage: Usage) -> Result<Piece, Error> {
    Ok(Piece::Told(usage))
}

#[tokio::test]
async fn what_was_told_stands_and_what_was_heard_since_is_added() {
    let start = so_far(told(100, 40, 1));
    // 1 told and 2 heard; the same where it fails at no cost of its own.
    let cut = vec![start.clone(), text("12345678")];
    check(cut, (Some("cut"), 100, 3, true, 94_000)).await;
    let broke = vec![start.clone(), text("1234"), Err(Kind::ServerError.into())];
    check(broke, (Some("server_error"), 100, 2, true, 84_000)).await;
    let later = so_far(Usage {
        output: Some(20),
        ..Usage::default()
    });
    let cut = vec![start.clone(), text("12345678"), later, text("1234")];
    check(cut, (Some("cut"), 100, 21, true, 274_000)).await;
    // An end that says nothing more.
    let silent = vec![start, text("12345678"), done(Usage::default())];
    check(silent, (None, 100, 3, true, 94_000)).await;
}

#[tokio::test]
async fn an_end_that_says_more_says_the_last_word() {
    let pieces = vec![so_far(told(7, 0, 1)), text("1"), done(told(100, 40, 20))];
    let read = check_stream(pieces, usize::MAX, (None, 100, 20, false, 264_000)).await;
    assert_eq!(
        read.len(),
        2,
        "what is told of tokens is no event: {read:?}"
    );
}

#[tokio::test]
async fn a_failure_before_the_first_word_costs_what_was_told() {
    for kind in [Kind::Timeout, Kind::Overloaded, Kind::Cut] {
        let log = Arc::new(List::default());
        let pieces = vec![so_far(told(100, 40, 1)), Err(kind.into())];
        let provider = scripted(Ok(answer(Usage::default())), pieces);
        let attempts = attempts(&log);
        let failed = attempts.stream(&provider, target(), prompt(), soon());
        assert_eq!(failed.await.err().unwrap().error.kind, kind);
        check_recorded(&log, (Some(kind.as_str()), 100, 1, true, 74_000));
    }
}

#[tokio::test]
async fn a_caller_who_leaves_before_the_first_word_pays_what_was_told() {
    let log = Arc::new(List::default());
    let pieces = vec![so_far(told(100, 40, 1))];
    let mut provider = scripted(Ok(answer(Usage::default())), pieces);
    provider.hangs = true;
    let (attempts, prompt) = (attempts(&log), prompt());
    let mut call = attempts.stream(&provider, target(), prompt, soon()).boxed();
    assert!((&mut call).now_or_never().is_none());
    drop(call);
    check_recorded(&log, (Some("abandoned"), 100, 1, true, 74_000));
}

#[tokio::test]
async fn anthropics_first_word_on_tokens_outlives_a_cut_a_stall_and_a_caller_who_leaves() {
    let heard = [START, OPEN, WORDS];
    let case = |way| (&heard[..], way);
    check_read(
        anthropic,
        case(Way::Cut),
        (Some("cut"), 100, 3, true, 94_000),
    )
    .await;
    let stalled = (Some("timeout"), 100, 3, true, 94_000);
    check_read(anthropic, case(Way::Stalled), stalled).await;
    let left = (Some("abandoned"), 100, 3, true, 94_000);
    check_read(anthropic, case(Way::Left), left).await;
    let nothing = (&[START][..], Way::Cut);
    check_read(anthropic, nothing, (Some("cut"), 100, 1, true, 74_000)).await;
    let nearly = (&[START, OPEN, WORDS, END][..], Way::Cut);
    check_read(anthropic, nearly, (Some("cut"), 100, 20, true, 264_000)).await;
    let broke = r#"{"type":"error","error":{"type":"overloaded_error","message":"words"}}"#;
    let broke = (&[START, broke][..], Way::Cut);
    check_read(anthropic, broke, (Some("overloaded"), 100, 1, true, 74_000)).await;
}

#[tokio::test]
async fn what_gemini_and_openai_tell_with_a_piece_outlives_a_cut() {
    let counted = r#"{"candidates":[{"content":{"parts":[{"text":"1234"}]}}],"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":40,"candidatesTokenCount":7,"thoughtsTokenCount":5}}"#;
    let more = r#"{"candidates":[{"content":{"parts":[{"text":"12345678"}]}}]}"#;
    let cut = (&[counted, more][..], Way::Cut);
    check_read(gemini, cut, (Some("cut"), 100, 14, true, 204_000)).await;
    let said = r#"{"choices":[{"delta":{"content":"12345678"},"finish_reason":"stop"}]}"#;
    let counted = r#"{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":20,"prompt_tokens_details":{"cached_tokens":40}}}"#;
    let cut = (&[said, counted][..], Way::Cut);
    check_read(openai, cut, (Some("cut"), 100, 20, true, 264_000)).await;
}
