//! How a provider behaves, and each fault byte by byte.

use super::body::{ending, framed, refusal, sized, spoken, whole};
use super::request::Request;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How it behaves. What is said of a stream's chunks is, for a whole answer, said of half its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// As it should.
    Healthy,
    /// Answers with this status.
    Status(u16),
    /// Answers 429, with the seconds after which to come again.
    RateLimited { retry_after_s: u32 },
    /// Nobody listens on the port.
    Refuse,
    /// Reads the request and says nothing.
    Hang,
    /// Reads the request and resets the connection.
    Reset,
    /// Sends half of the length that it promised, and closes.
    CutBody,
    /// Sends half in chunks, and closes without the last one.
    CutChunked,
    /// Closes after this many words of a stream, with a pause before each.
    CutStream { after: usize, pause: Duration },
    /// Ends the stream after this many words as HTTP wants it, but without a finish reason or `[DONE]`.
    EndStream { after: usize },
    /// Falls silent after this many words, and stays.
    Stall { after: usize },
    /// Status 200, of the right type, and nothing that can be read.
    Garbage,
    /// Status 200 with a page for people.
    Html,
    /// Status 500 for this share of the calls, drawn by seed and number of the call.
    Flaky { per_cent: u64, seed: u64 },
}

/// What becomes of the connection.
pub(super) enum Then {
    Next,
    Close,
    Reset,
}

const JSON: &str = "200 OK\r\ncontent-type: application/json\r\n";
const EVENTS: &str = "200 OK\r\ncontent-type: text/event-stream\r\n";

impl Behaviour {
    /// Answers the call of this number.
    pub(super) async fn answer(
        self,
        stream: &mut TcpStream,
        request: &Request,
        call: usize,
    ) -> io::Result<Then> {
        match self {
            Self::Healthy => healthy(stream, request).await,
            Self::Status(status) => refusal(stream, status, "").await,
            Self::RateLimited { retry_after_s } => {
                let fields = format!("retry-after: {retry_after_s}\r\n");
                refusal(stream, 429, &fields).await
            }
            // A request that was under way when the port was closed.
            Self::Refuse => Ok(Then::Close),
            Self::Hang => silence(stream).await,
            Self::Reset => Ok(Then::Reset),
            Self::CutBody => {
                let body = full(request);
                let half = body.as_bytes().get(..body.len() / 2).unwrap_or_default();
                sized(stream, kind(request), body.len(), half).await
            }
            Self::CutChunked => {
                half_in_chunks(stream, request).await?;
                Ok(Then::Close)
            }
            Self::CutStream { after, pause } => {
                words(stream, request, after, pause).await?;
                Ok(Then::Close)
            }
            Self::EndStream { after } => {
                words(stream, request, after, Duration::ZERO).await?;
                stream.write_all(b"0\r\n\r\n").await?;
                Ok(Then::Next)
            }
            Self::Stall { after } => {
                words(stream, request, after, Duration::ZERO).await?;
                silence(stream).await
            }
            Self::Garbage => {
                let body = "data: {\"choices\":[{\"delta\":{\"con\n\ndata: ]}\u{7f}{[\n\n";
                sized(stream, kind(request), body.len(), body.as_bytes()).await
            }
            Self::Html => {
                let body = "<html><body><h1>Welcome</h1></body></html>";
                let head = "200 OK\r\ncontent-type: text/html\r\n";
                sized(stream, head, body.len(), body.as_bytes()).await
            }
            Self::Flaky { per_cent, seed } if fails(per_cent, seed, call) => {
                refusal(stream, 500, "").await
            }
            Self::Flaky { .. } => healthy(stream, request).await,
        }
    }
}

async fn healthy(stream: &mut TcpStream, request: &Request) -> io::Result<Then> {
    if !request.streamed() {
        let body = whole(request);
        return sized(stream, JSON, body.len(), body.as_bytes()).await;
    }
    let mut bytes = chunked_head(request);
    for event in spoken(request).iter().chain(&ending(request)) {
        bytes.push_str(&framed(event));
    }
    bytes.push_str("0\r\n\r\n");
    stream.write_all(bytes.as_bytes()).await?;
    Ok(Then::Next)
}

/// The body that a healthy provider would send.
fn full(request: &Request) -> String {
    match request.streamed() {
        true => [spoken(request), ending(request)].concat().concat(),
        false => whole(request),
    }
}

fn kind(request: &Request) -> &'static str {
    match request.streamed() {
        true => EVENTS,
        false => JSON,
    }
}

fn chunked_head(request: &Request) -> String {
    format!(
        "HTTP/1.1 {}transfer-encoding: chunked\r\n\r\n",
        kind(request)
    )
}

async fn half_in_chunks(stream: &mut TcpStream, request: &Request) -> io::Result<()> {
    let body = full(request);
    // All of it is ASCII, so that there is a character's end everywhere.
    let half = body.get(..body.len() / 2).unwrap_or_default();
    let bytes = chunked_head(request) + &framed(half);
    stream.write_all(bytes.as_bytes()).await
}

/// Begins a stream and says so many words, each in a write of its own.
async fn words(
    stream: &mut TcpStream,
    request: &Request,
    count: usize,
    pause: Duration,
) -> io::Result<()> {
    if !request.streamed() {
        return half_in_chunks(stream, request).await;
    }
    let events = spoken(request);
    let (role, words) = events.split_at(1);
    let head = chunked_head(request) + &framed(&role.concat());
    stream.write_all(head.as_bytes()).await?;
    for word in words.iter().take(count) {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        stream.write_all(framed(word).as_bytes()).await?;
    }
    Ok(())
}

/// Says nothing until the caller leaves.
async fn silence(stream: &mut TcpStream) -> io::Result<Then> {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(Then::Close)
}

/// Whether the call of this number is drawn to fail: the finaliser of SplitMix64 on both numbers.
fn fails(per_cent: u64, seed: u64, call: usize) -> bool {
    let mut mixed = (call as u64)
        .wrapping_add(seed.wrapping_mul(0xd134_2543_de82_ef95))
        .wrapping_add(1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % 100 < per_cent
}
