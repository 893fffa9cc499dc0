//! Connections: taken, served one call after another, drained.
//!
//! Invariants: a head that does not come in time, or is too long, ends its connection, and so does a reader
//! that takes nothing; a call that is at work when the server stops is finished, no new one is taken; when
//! the future is dropped, so is every connection.
//!
//! Not here: what a call does (`routes`), how long stopping may take (the server).

use super::key::Peer;
use super::routes::{Answered, Door};
use super::socket::Patient;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Most connections at once.
const CONNECTIONS: usize = 16_384;

/// Room for a head, and for what of an answer waits to be sent: an event stream is not asked for more than
/// this ahead of its reader.
const BUFFER_BYTES: usize = 64 << 10;

/// After a connection could not be taken (no file handles left), before the next is tried.
const PAUSE: Duration = Duration::from_millis(50);

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
pub async fn serve(listener: TcpListener, door: Arc<Door>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            taken = listener.accept(), if connections.len() < CONNECTIONS => match taken {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&door), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = stop.cancelled() => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: TcpStream, door: Arc<Door>, stop: CancellationToken) {
    // Replies are small: they are not to wait for each other. A stream without it serves as well.
    let _ = stream.set_nodelay(true);
    let limits = door.limits();
    let peer = stream.peer_addr().map(|address| Peer(address.ip())).ok();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let door = Arc::clone(&door);
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        async move { Answered::Ok(door.answer(request).await) }
    });
    let mut builder = http1::Builder::new();
    let builder = builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_header_size(BUFFER_BYTES)
        .max_buf_size(BUFFER_BYTES);
    let io = TokioIo::new(Patient::new(stream, limits.write_silence));
    let mut serving = pin!(builder.serve_connection(io, service));
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        // Callers come and go; what became of their calls is on record.
        tracing::debug!(%error, "a connection ended badly");
    }
}
