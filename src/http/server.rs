//! Connections: taken, served, drained. HTTP/1.1, and HTTP/2 with who agreed on it over TLS.
//!
//! Invariants: a head that does not come in time, or is too long, ends its connection, and so does a reader
//! that takes nothing; who passes a limit of HTTP/2 is turned away, and nobody else notices; a call that is at work
//! when the server stops is finished, no new one is taken; when the future is dropped, so is every connection.
//!
//! One hole: over HTTP/2 who answers pings and opens no window is not told from a slow reader, and while hyper waits for
//! room it asks the answer for nothing, its deadline neither. Such a caller, who has a key, keeps up to 256 answers of
//! a connection waiting until it goes. Nor does an idle HTTP/2 connection end that answers pings.
//!
//! Not here: how connections come, how many, and how they are made secret (`tls`), what a call does (`routes`), how
//! long stopping may take (the server).

use super::key::Peer;
use super::routes::{Answered, Door};
use super::socket::Patient;
use crate::tls::{Listener, Stream};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Room for a head, and for what of an answer waits to be sent: an event stream is not asked for more than
/// this ahead of its reader.
const BUFFER_BYTES: usize = 64 << 10;

/// What an HTTP/2 connection may take of a server, at whichever door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Http2 {
    /// Calls at once. One more is refused by itself, and may be sent again.
    pub streams: u32,
    /// Bytes of a call's head, names, values and 32 for each (RFC 9113, section 6.5.2).
    pub head_bytes: u32,
    /// Calls that the caller took back before the server had looked at them. One more ends the connection: calls
    /// that are begun and taken back by the thousand cost the caller nothing ("rapid reset", CVE-2023-44487).
    pub taken_back: usize,
    /// Calls that the server had to reset, for what the caller sent was wrong. One more ends the connection.
    pub wrong: usize,
    /// Bytes of one call's body that may come before they are read.
    pub ahead_bytes: u32,
    /// The same of all calls of a connection together.
    pub ahead_of_all_bytes: u32,
    /// Bytes of an answer that wait to be sent, each call.
    pub unsent_bytes: usize,
    /// Silence after which the caller is asked whether it is still there.
    pub silence: Duration,
    /// Longest time for it to say so; else the connection ends.
    pub sign_of_life: Duration,
}

/// The limits of every HTTP/2 door. What a connection can make a server hold, beside what calls that were let in have
/// read, is 1 MiB of bodies that nobody reads yet (one window, however many calls share it), 256 heads of 16 KiB and
/// 256 answers of 64 KiB: 21 MiB. That pings and settings are answered one at a time, however many come, that a head
/// in many pieces ends, and that pieces with next to nothing in them are counted, is the library's own doing (h2
/// 0.4.20, read in its source), and not to be set.
pub const HTTP2: Http2 = Http2 {
    // Agents of one process share a connection; what more there is waits at the caller's end.
    streams: 256,
    // A key is 512 bytes at most, and the longest head of a known SDK some 2 KiB.
    head_bytes: 16 << 10,
    // What an honest caller takes back, it takes back later than at once, and not twenty together.
    taken_back: 20,
    // An honest library never sends what must be reset.
    wrong: 100,
    ahead_bytes: 1 << 20,
    ahead_of_all_bytes: 1 << 20,
    unsent_bytes: BUFFER_BYTES,
    // A minute after somebody has gone without a word, its calls are let go.
    silence: Duration::from_secs(30),
    sign_of_life: Duration::from_secs(20),
};

/// What a connection may take of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest body.
    pub message_bytes: usize,
    /// Longest time for a head to come, and between two calls.
    pub head: Duration,
    /// Longest silence while a body comes.
    pub body_silence: Duration,
    /// Longest time for a whole body to come.
    pub body_total: Duration,
    /// Longest time that a reader may take nothing.
    pub write_silence: Duration,
}

impl Limits {
    /// 30 seconds each, a minute for a reader, five for a body: 16 MiB at half a megabit a second.
    pub const fn new(message_bytes: usize) -> Self {
        Self {
            message_bytes,
            head: Duration::from_secs(30),
            body_silence: Duration::from_secs(30),
            body_total: Duration::from_secs(300),
            write_silence: Duration::from_secs(60),
        }
    }
}

/// Serves until told to stop, and until all calls that were at work then are finished.
pub async fn serve(mut listener: Listener, door: Arc<Door>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            stream = listener.next() => {
                connections.spawn(connection(stream, Arc::clone(&door), stop.clone()));
            }
            Some(_) = connections.join_next() => {}
            () = stop.cancelled() => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: Stream, door: Arc<Door>, stop: CancellationToken) {
    let ended = match stream.is_http2() {
        true => by_http2(stream, door, stop).await,
        false => by_http1(stream, door, stop).await,
    };
    if let Err(error) = ended {
        // Callers come and go; what became of their calls is on record.
        tracing::debug!(%error, "a connection ended badly");
    }
}

fn peer(stream: &Stream) -> Option<Peer> {
    stream.peer().map(|address| Peer(address.ip()))
}

/// A request, with who sent it.
fn from(peer: Option<Peer>, mut request: Request<Incoming>) -> Request<Incoming> {
    if let Some(peer) = peer {
        request.extensions_mut().insert(peer);
    }
    request
}

async fn by_http1(stream: Stream, door: Arc<Door>, stop: CancellationToken) -> hyper::Result<()> {
    let limits = door.limits();
    let peer = peer(&stream);
    let service = service_fn(move |request| {
        let (door, request) = (Arc::clone(&door), from(peer, request));
        async move { Answered::Ok(door.answer(request).await) }
    });
    // A head has at most 100 fields, hyper's own limit: to set one costs an allocation a call.
    let mut builder = http1::Builder::new();
    let builder = builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_header_size(BUFFER_BYTES)
        .max_buf_size(BUFFER_BYTES);
    let io = TokioIo::new(Patient::new(stream, limits.write_silence));
    let mut serving = pin!(builder.serve_connection(io, service));
    tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    }
}

async fn by_http2(stream: Stream, door: Arc<Door>, stop: CancellationToken) -> hyper::Result<()> {
    let limits = door.limits();
    let peer = peer(&stream);
    let service = service_fn(move |request| {
        let (door, request) = (Arc::clone(&door), from(peer, request));
        async move { Answered::Ok(door.answer(request).await) }
    });
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let builder = builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2.streams)
        .max_header_list_size(HTTP2.head_bytes)
        .max_pending_accept_reset_streams(HTTP2.taken_back)
        .max_local_error_reset_streams(HTTP2.wrong)
        .initial_stream_window_size(HTTP2.ahead_bytes)
        .initial_connection_window_size(HTTP2.ahead_of_all_bytes)
        .max_send_buf_size(HTTP2.unsent_bytes)
        .keep_alive_interval(HTTP2.silence)
        .keep_alive_timeout(HTTP2.sign_of_life);
    let io = TokioIo::new(Patient::new(stream, limits.write_silence));
    let mut serving = pin!(builder.serve_connection(io, service));
    tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    }
}
