//! What the tests of the dialects, and of attempts at them, share: a server that answers once, and streams read in any chunks.

use super::call::{self, Gather};
use super::patience::Waiting;
use super::{Kind, Patience, Piece, Pieces, Prompt, Provider};
use crate::chat::{Message, Role};
use futures_util::{TryStreamExt, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::time::Instant;

pub(super) const KEY: &str = "sk-very-secret";

/// A server on a free port that reads one request, answers with `parts` and, unless `hangs`,
/// closes. Returns what it was sent.
pub(crate) struct Server {
    pub(crate) base_url: String,
    thread: JoinHandle<String>,
}

impl Server {
    pub(crate) fn start(parts: Vec<String>, hangs: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let request = read_request(&mut stream);
            for part in parts {
                stream.write_all(part.as_bytes()).unwrap();
                stream.flush().unwrap();
            }
            if hangs {
                // Until the client gives up and closes.
                let _ = stream.read(&mut [0; 1]);
            }
            request
        });
        Self {
            base_url: format!("http://{address}"),
            thread,
        }
    }

    /// What the client sent. Waits beside the runtime, which has to close the connection.
    pub(crate) async fn sent(self) -> String {
        let joined = tokio::task::spawn_blocking(|| self.thread.join().unwrap());
        joined.await.unwrap()
    }
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if read == 0 || body.len() >= length.unwrap().parse().unwrap() {
            return text;
        }
    }
}

pub(super) fn whole(status: &str, headers: &str, body: &str) -> Vec<String> {
    let length = body.len();
    vec![format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n{body}"
    )]
}

/// A chunked event stream, without the terminating chunk.
pub(crate) fn events(data: &[&str]) -> Vec<String> {
    let mut parts = vec!["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned()];
    for event in data {
        let event = format!("data: {event}\n\n");
        // Every event in two chunks, so that none comes whole.
        let (a, b) = event.split_at(event.len() / 2);
        parts.push(format!("{:x}\r\n{a}\r\n", a.len()));
        parts.push(format!("{:x}\r\n{b}\r\n", b.len()));
    }
    parts
}

pub(super) fn hi() -> [Message; 1] {
    [Message::text(Role::User, "hi")]
}

pub(crate) fn in_time() -> Patience {
    Patience::until(Instant::now() + Duration::from_secs(60))
}

/// The pieces before the end of the stream, and how it ended.
pub(super) async fn streamed(
    client: &dyn Provider,
    patience: Patience,
) -> (Vec<Piece>, Option<Kind>) {
    match client.stream(Prompt::new("m", &hi()), patience).await {
        Ok(stream) => collected(stream).await,
        Err(error) => (Vec::new(), Some(error.kind)),
    }
}

async fn collected(mut stream: Pieces) -> (Vec<Piece>, Option<Kind>) {
    let mut pieces = Vec::new();
    loop {
        match stream.try_next().await {
            Ok(Some(piece)) => pieces.push(piece),
            Ok(None) => return (pieces, None),
            Err(error) => return (pieces, Some(error.kind)),
        }
    }
}

/// The pieces of an answer whose body comes in these chunks, and how it ended.
pub(super) fn gathered(gather: impl Gather, chunks: Vec<Vec<u8>>) -> (Vec<Piece>, Option<Kind>) {
    let frames = chunks.into_iter().map(|chunk| Frame::data(chunk.into()));
    let body = StreamBody::new(stream::iter(frames.map(Ok::<_, std::io::Error>)));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let waiting = Waiting::streamed(in_time());
        collected(call::read(body, waiting, gather)).await
    })
}

/// A body cut at these places, each taken within its length.
pub(super) fn cut(body: &str, places: &[usize]) -> Vec<Vec<u8>> {
    let bytes = body.as_bytes();
    let mut places: Vec<_> = places.iter().map(|at| at % (bytes.len() + 1)).collect();
    places.sort_unstable();
    let mut start = 0;
    let mut chunks = Vec::new();
    for end in places.into_iter().chain([bytes.len()]) {
        chunks.push(bytes[start..end].to_vec());
        start = end;
    }
    chunks
}

/// A stream of these events, each on one line.
pub(super) fn body(data: &[&str]) -> String {
    data.iter()
        .map(|data| format!("data: {data}\r\n\r\n"))
        .collect()
}

/// That a request has exactly this body.
pub(super) fn golden(body: Vec<u8>, expected: &str) {
    // Golden texts are broken over lines; the body has no white space outside strings.
    let expected: String = expected.lines().map(str::trim).collect();
    assert_eq!(String::from_utf8(body).unwrap(), expected);
}

/// Fuzzes a dialect's stream: `events` are the data of real ones. However their bytes come, pieces end at most once,
/// none is an empty text, and nothing comes after the end.
pub(super) fn fuzz_stream<G: Gather>(dialect: &str, events: &[&str], make: impl Fn() -> G) {
    let whole: String = events
        .iter()
        .map(|data| format!("data: {data}\n\n"))
        .collect();
    let each: Vec<String> = events
        .iter()
        .map(|data| format!("data: {data}\n\n"))
        .collect();
    let inputs: Vec<&[u8]> = [&whole]
        .into_iter()
        .chain(&each)
        .map(String::as_bytes)
        .collect();
    crate::fuzz::fuzz(&format!("{dialect} stream"), 2_000, &inputs, |bytes| {
        let (mut reader, mut gathered) = (super::sse::Events::default(), make());
        let mut pieces = std::collections::VecDeque::new();
        let step = 1 + bytes.first().map_or(0, |byte| usize::from(*byte) * 7);
        let mut heard = || {
            for part in bytes.chunks(step) {
                reader.push(part);
                while let Some(data) = reader.next()? {
                    gathered.take(&data, &mut pieces)?;
                    if gathered.done() {
                        return Ok(());
                    }
                }
            }
            gathered.end(&mut pieces)
        };
        let heard: Result<(), super::Error> = heard();
        let ends = |piece: &&super::Piece| matches!(piece, super::Piece::Done { .. });
        let silent =
            |piece: &super::Piece| matches!(piece, super::Piece::Text(text) if text.is_empty());
        assert!(!pieces.iter().any(silent), "an empty text");
        assert!(pieces.iter().filter(ends).count() <= 1, "two ends");
        if heard.is_ok() {
            assert!(
                pieces.back().as_ref().is_some_and(ends),
                "an end without one"
            );
        }
    });
}
