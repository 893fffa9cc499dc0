//! The provider does what it says, seen through a bare socket.

use super::request::field;
use super::{Behaviour, Upstream, WORDS, text};
use crate::rig::within;
use std::ops::RangeInclusive;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Closed,
    Reset,
}

/// What came of one call.
#[derive(Debug)]
struct Heard {
    /// 0: not a byte came.
    status: u16,
    /// Whether the body has the length, or the last chunk, that HTTP wants.
    whole: bool,
    /// Words of the answer that came.
    words: usize,
    end: End,
    head: String,
    body: String,
}

const NONE: RangeInclusive<usize> = 0..=0;
const EIGHT: RangeInclusive<usize> = 8..=8;
const ALL: RangeInclusive<usize> = 12..=12;
/// Half of the bytes is half of the words, more or less: JSON stands around them.
const ABOUT_HALF: RangeInclusive<usize> = 3..=9;

fn question(streamed: bool, connection: &str) -> String {
    let more = match streamed {
        true => r#","stream":true,"stream_options":{"include_usage":true}"#,
        false => "",
    };
    let body = format!(r#"{{"model":"m-1","messages":[{{"role":"user","content":"hi"}}]{more}}}"#);
    let length = body.len();
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: test\r\nConnection: {connection}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

async fn connected(upstream: &Upstream) -> TcpStream {
    let url = upstream.base_url();
    let address = url
        .strip_prefix("http://")
        .and_then(|url| url.strip_suffix("/v1"));
    let connecting = TcpStream::connect(address.expect("an address"));
    connecting.await.expect("connected")
}

/// Asks once on a connection of its own and reads to its end.
async fn ask(upstream: &Upstream, streamed: bool) -> Heard {
    let mut stream = connected(upstream).await;
    let question = question(streamed, "close");
    stream.write_all(question.as_bytes()).await.expect("sent");
    within("the end of an answer", rest(&mut stream)).await
}

async fn rest(stream: &mut TcpStream) -> Heard {
    let mut bytes = Vec::new();
    let end = match stream.read_to_end(&mut bytes).await {
        Ok(_) => End::Closed,
        Err(_) => End::Reset,
    };
    heard(&String::from_utf8(bytes).expect("text"), end)
}

fn heard(raw: &str, end: End) -> Heard {
    let (head, body) = raw.split_once("\r\n\r\n").unwrap_or((raw, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let whole = match field(head, "content-length") {
        Some(length) => length.parse() == Ok(body.len()),
        None => body.ends_with("0\r\n\r\n"),
    };
    Heard {
        status: status.unwrap_or(0),
        whole,
        words: WORDS.iter().filter(|word| body.contains(**word)).count(),
        end,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// What is expected of a call, in the order of [`Heard`].
type Expected = (u16, bool, RangeInclusive<usize>, End);

fn compare(heard: &Heard, expected: &Expected) {
    let (status, whole, words, end) = expected;
    let same = (heard.status, heard.whole, heard.end) == (*status, *whole, *end);
    assert!(same && words.contains(&heard.words), "{heard:?}");
}

/// One call whole and one in pieces, of a provider that behaves so.
async fn check(behaviour: Behaviour, expected: [Expected; 2]) {
    let upstream = Upstream::start(behaviour).await;
    for (expected, streamed) in expected.iter().zip([false, true]) {
        compare(&ask(&upstream, streamed).await, expected);
    }
    assert_eq!(upstream.calls(), 2);
}

/// As [`check`], where both ways come to the same.
async fn check_both(behaviour: Behaviour, expected: Expected) {
    check(behaviour, [expected.clone(), expected]).await;
}

#[tokio::test]
async fn a_healthy_provider_says_all_words_what_they_used_and_that_it_is_done() {
    check_both(Behaviour::Healthy, (200, true, ALL, End::Closed)).await;
    let upstream = Upstream::start(Behaviour::Healthy).await;
    let whole: serde_json::Value =
        serde_json::from_str(&ask(&upstream, false).await.body).expect("JSON");
    assert_eq!(whole["choices"][0]["message"]["content"], text());
    assert_eq!(whole["usage"]["completion_tokens"], super::TOKENS.1);
    let streamed = ask(&upstream, true).await.body;
    let last = streamed.rfind("\"usage\":{").expect("usage");
    let done = streamed.find("data: [DONE]\n\n").expect("done");
    assert!(last < done, "{streamed}");
}

#[tokio::test]
async fn a_connection_is_kept_and_usage_comes_only_where_it_was_asked_for() {
    let upstream = Upstream::start(Behaviour::Healthy).await;
    let mut stream = connected(&upstream).await;
    // Both at once: the second is read from what came with the first.
    let two = question(false, "keep-alive") + &question(true, "close");
    let two = two.replace("\"include_usage\":true", "\"include_usage\":null");
    stream.write_all(two.as_bytes()).await.expect("sent");
    let both = within("two answers", rest(&mut stream)).await;
    assert_eq!((upstream.calls(), both.words), (2, 12));
    let answers = both.body.split("HTTP/1.1 200 OK").collect::<Vec<_>>();
    let [whole, streamed] = answers.as_slice() else {
        panic!("{both:?}");
    };
    assert_eq!(
        (whole.contains("usage"), streamed.contains("usage")),
        (true, false)
    );
}

#[tokio::test]
async fn a_status_is_sent_and_a_limit_says_when_to_come_again() {
    for status in [500, 503] {
        let behaviour = Behaviour::Status(status);
        check_both(behaviour, (status, true, NONE, End::Closed)).await;
    }
    let limited = Behaviour::RateLimited { retry_after_s: 7 };
    check_both(limited, (429, true, NONE, End::Closed)).await;
    let upstream = Upstream::start(limited).await;
    let heard = ask(&upstream, false).await;
    assert_eq!(field(&heard.head, "retry-after"), Some("7"));
}

#[tokio::test]
async fn a_refusing_port_stays_its_own_and_can_be_opened_and_closed() {
    let upstream = Upstream::start(Behaviour::Refuse).await;
    let url = upstream.base_url();
    let address = url.trim_start_matches("http://").trim_end_matches("/v1");
    let refused = async || {
        let error = TcpStream::connect(address).await.expect_err("refused");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    };
    refused().await;
    upstream.set(Behaviour::Healthy).await;
    let answered = ask(&upstream, false).await;
    compare(&answered, &(200, true, ALL, End::Closed));
    let mut open = connected(&upstream).await;
    let kept = question(false, "keep-alive");
    open.write_all(kept.as_bytes()).await.expect("sent");
    open.readable().await.expect("an answer");
    upstream.set(Behaviour::Refuse).await;
    refused().await;
    let ended = within("the end of an open connection", rest(&mut open)).await;
    assert_eq!((ended.words, upstream.calls()), (12, 2));
}

#[tokio::test]
async fn a_reset_comes_before_a_byte() {
    check_both(Behaviour::Reset, (0, false, NONE, End::Reset)).await;
}

#[tokio::test]
async fn a_cut_body_lacks_what_was_promised() {
    check_both(Behaviour::CutBody, (200, false, ABOUT_HALF, End::Closed)).await;
    check_both(Behaviour::CutChunked, (200, false, ABOUT_HALF, End::Closed)).await;
}

#[tokio::test]
async fn a_cut_stream_has_eight_words_and_no_end() {
    for pause in [Duration::ZERO, Duration::from_micros(1)] {
        let behaviour = Behaviour::CutStream { after: 8, pause };
        let cut = |words| (200, false, words, End::Closed);
        check(behaviour, [cut(ABOUT_HALF), cut(EIGHT)]).await;
    }
}

#[tokio::test]
async fn a_stream_may_end_as_http_wants_it_and_not_be_done() {
    let behaviour = Behaviour::EndStream { after: 8 };
    let ended = |words| (200, true, words, End::Closed);
    check(behaviour, [ended(ABOUT_HALF), ended(EIGHT)]).await;
    let upstream = Upstream::start(behaviour).await;
    let body = ask(&upstream, true).await.body;
    assert!(!body.contains("[DONE]") && !body.contains("stop"), "{body}");
}

#[tokio::test]
async fn garbage_and_pages_for_people_come_with_status_200() {
    for (behaviour, kind) in [
        (Behaviour::Garbage, "text/event-stream"),
        (Behaviour::Html, "text/html"),
    ] {
        check_both(behaviour, (200, true, NONE, End::Closed)).await;
        let upstream = Upstream::start(behaviour).await;
        let heard = ask(&upstream, true).await;
        assert_eq!(field(&heard.head, "content-type"), Some(kind));
    }
}

/// A call that gets this many words and then nothing, while another is answered.
async fn silent_after(behaviour: Behaviour, streamed: bool, words: usize) {
    let upstream = Upstream::start(behaviour).await;
    let mut stream = connected(&upstream).await;
    let question = question(streamed, "close");
    stream.write_all(question.as_bytes()).await.expect("sent");
    let mut bytes = Vec::with_capacity(1 << 16);
    let begun = async {
        // Up to the end of the chunk that has the last word.
        while heard(&String::from_utf8_lossy(&bytes), End::Closed).words < words
            || !(bytes.is_empty() || bytes.ends_with(b"\n\n\r\n"))
        {
            assert!(stream.read_buf(&mut bytes).await.expect("read") > 0);
        }
        while upstream.calls() == 0 {
            tokio::task::yield_now().await;
        }
    };
    within("what is said before the silence", begun).await;
    let said = heard(&String::from_utf8_lossy(&bytes), End::Closed);
    assert_eq!((said.words, said.whole), (words, false));
    upstream.set(Behaviour::Healthy).await;
    for _ in 0..3 {
        let neighbour = ask(&upstream, streamed).await;
        compare(&neighbour, &(200, true, ALL, End::Closed));
    }
    let more = stream.try_read_buf(&mut bytes);
    let kind = more.map_err(|error| error.kind());
    assert_eq!(kind, Err(std::io::ErrorKind::WouldBlock));
    // Only its own end ends the silence, and adds nothing.
    drop(upstream);
    let added = within("the end", rest(&mut stream)).await;
    assert_eq!((added.status, added.words), (0, 0));
}

#[tokio::test]
async fn a_hanging_provider_reads_and_says_nothing() {
    for streamed in [false, true] {
        silent_after(Behaviour::Hang, streamed, 0).await;
    }
}

#[tokio::test]
async fn a_stalling_provider_stays_open_after_eight_words() {
    silent_after(Behaviour::Stall { after: 8 }, true, 8).await;
}

#[tokio::test]
async fn a_flaky_provider_fails_in_its_share_of_calls_and_the_same_ones_again() {
    let behaviour = Behaviour::Flaky {
        per_cent: 30,
        seed: 1,
    };
    let mut runs = Vec::new();
    for _ in 0..2 {
        let upstream = Upstream::start(behaviour).await;
        let mut statuses = Vec::new();
        for _ in 0..100 {
            statuses.push(ask(&upstream, false).await.status);
        }
        runs.push(statuses);
    }
    let failed = runs[0].iter().filter(|status| **status == 500).count();
    let answered = runs[0].iter().filter(|status| **status == 200).count();
    // Five standard deviations of 100 draws at 30 % are 23.
    assert!((7..=53).contains(&failed), "{failed} of 100");
    assert_eq!((failed + answered, &runs[0]), (100, &runs[1]));
}

#[tokio::test]
async fn other_routes_are_not_there_and_are_not_counted() {
    let upstream = Upstream::start(Behaviour::Healthy).await;
    let mut stream = connected(&upstream).await;
    let question = "GET /v1/models HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    stream.write_all(question.as_bytes()).await.expect("sent");
    let heard = within("the end of an answer", rest(&mut stream)).await;
    assert_eq!((heard.status, upstream.calls()), (404, 0));
}
