//! Revocation under load: no call that begins after the reply of RevokeKey is let in, at either door, over
//! connections that were open before; one that was let in before runs to its end.
//!
//! Events are compared by their order, not by a clock: each caller looks whether its key's end was acknowledged,
//! and only then begins its next call. The promise is one second; what is held here is none at all.

use super::{create, revoke, rig, rotate, wanted};
use crate::openai_door::caller::get;
use crate::repeats::{self, Endpoint, asking};
use crate::rig::{Rig, about, configured_with, refusal, within};
use bellwether::clock::SystemClock;
use bellwether::proto::v1::{self, stream_complete_response::Event};
use bellwether::server;
use futures_util::future::join_all;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Keys, and callers of each at each door.
const KEYS: usize = 8;
const CALLERS: usize = 2;

/// Calls that a key is let in with before it ends, and that are refused to each caller afterwards.
const BEFORE: usize = 40;
const AFTER: usize = 20;

/// A key under load.
#[derive(Default)]
struct Loaded {
    text: String,
    let_in: AtomicUsize,
    /// Its end was acknowledged.
    over: AtomicBool,
}

impl Loaded {
    /// Calls until the key's end was acknowledged and some calls more; what was let in too late.
    async fn call(&self, mut once: impl AsyncFnMut() -> bool) -> usize {
        let (mut late, mut after) = (0, 0);
        while after < AFTER {
            let over = self.over.load(Ordering::SeqCst);
            let let_in = once().await;
            self.let_in.fetch_add(usize::from(let_in), Ordering::SeqCst);
            late += usize::from(over && let_in);
            after += usize::from(over);
        }
        late
    }

    async fn over_grpc(&self, rig: &Rig) -> usize {
        let mut caller = rig.caller(&self.text).await;
        let once = async || match caller.ask(about("fix")).await {
            Ok(_) => true,
            refused => {
                assert_eq!(refusal(refused).1, "KEY_UNKNOWN");
                false
            }
        };
        self.call(once).await
    }

    /// Over one connection that stays open.
    async fn over_http(&self, rig: &Rig) -> usize {
        let stream = TcpStream::connect(rig.http_address()).await;
        let mut stream = BufReader::new(stream.expect("connected"));
        let text = String::from_utf8(get("/v1/models", Some(&self.text))).expect("ASCII");
        let text = text.replace("connection: close\r\n", "");
        let once = async || {
            stream.write_all(text.as_bytes()).await.expect("sent");
            match status(&mut stream).await {
                200 => true,
                status => {
                    assert_eq!(status, 401);
                    false
                }
            }
        };
        self.call(once).await
    }
}

/// Reads one reply and leaves the connection open; its status.
async fn status(stream: &mut BufReader<TcpStream>) -> u16 {
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("a line");
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(rest) = line.strip_prefix("http/1.1 ") {
            status = rest[..3].parse().expect("a status");
        } else if let Some(rest) = line.strip_prefix("content-length: ") {
            length = rest.parse().expect("a length");
        } else if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("a body");
    status
}

/// Ends each key as soon as it has been let in some times: every second by a rotation without overlap.
async fn end_all(rig: &Rig, keys: &[Loaded]) {
    for (index, key) in keys.iter().enumerate() {
        while key.let_in.load(Ordering::SeqCst) < BEFORE {
            tokio::task::yield_now().await;
        }
        let name = format!("k-{index}");
        match index % 2 {
            0 => drop(revoke(rig, &name).await),
            _ => drop(rotate(rig, &name, 0).await),
        }
        key.over.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_that_begins_after_a_revocation_was_acknowledged_is_let_in_at_either_door() {
    let rig = rig().await;
    let mut keys = Vec::new();
    for index in 0..KEYS {
        let name = format!("k-{index}");
        let text = create(&rig, wanted(&name, &[v1::Scope::Route])).await;
        keys.push(Loaded {
            text,
            ..Default::default()
        });
    }
    let callers = keys.iter().flat_map(|key| [key; CALLERS]);
    let grpc = join_all(callers.clone().map(|key| key.over_grpc(&rig)));
    let http = join_all(callers.map(|key| key.over_http(&rig)));
    let load = async { tokio::join!(grpc, http, end_all(&rig, &keys)) };
    let (grpc, http, ()) = within("the load", load).await;
    let late: usize = grpc.iter().chain(&http).sum();
    let let_in: usize = keys
        .iter()
        .map(|key| key.let_in.load(Ordering::SeqCst))
        .sum();
    let refused = KEYS * CALLERS * 2 * AFTER;
    println!(
        "{KEYS} keys ended under load: {let_in} calls let in, {late} of {refused} after the end"
    );
    assert_eq!(late, 0);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_let_in_runs_to_its_end_and_the_next_one_is_refused() {
    let endpoint = Endpoint::start("200 OK").await;
    let (dir, params) = configured_with("group", &repeats::arm(&endpoint));
    let opened = server::open(&params, &SystemClock).expect("opened");
    let rig = Rig::serve(dir, params, opened).await;
    let key = create(&rig, wanted("ci", &[v1::Scope::Complete])).await;
    let mut router = rig.caller(&key).await.router;
    let request = |id: &str| v1::StreamCompleteRequest {
        request: Some(asking(id)),
    };
    let streamed = async {
        let reply = router.stream_complete(request("r-1")).await;
        let mut events = reply.expect("let in").into_inner();
        let mut last = None;
        while let Some(event) = events.message().await.expect("an event") {
            last = event.event;
        }
        last
    };
    // The model answers when the key is revoked, no sooner.
    let revoked = async {
        while endpoint.asked() == 0 {
            tokio::task::yield_now().await;
        }
        revoke(&rig, "ci").await;
        endpoint.answers.add_permits(1);
    };
    let both = async { tokio::join!(streamed, revoked) };
    let (last, ()) = within("the stream", both).await;
    assert!(matches!(last, Some(Event::Done(_))), "{last:?}");
    let refused = router.stream_complete(request("r-2")).await;
    assert_eq!(refusal(refused.map(drop)).1, "KEY_UNKNOWN");
    rig.stop().await;
}
