//! The load generator: raw HTTP/2 over a few connections, a bounded number of calls in flight.
//!
//! Invariants: every reply is read to its trailers and its `grpc-status` is 0, else the run fails.

use crate::{Error, server};
use bellwether::grpc::client;
use bellwether::proto::v1;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use h2::client::SendRequest;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version};
use prost::Message;
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Longest a run may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Prompts are windows of this text.
const PROSE: &str = include_str!("../../../LICENSE");
const PROMPT_BYTES: usize = 300;
const TASKS: [&str; 4] = ["fix-test", "triage", "summarise", "review"];

/// The request of turn `n`: one of 16 prompts, one of 4 tasks.
fn request(n: usize) -> v1::RouteRequest {
    let start = 200 * (n % 16);
    let text = PROSE[start..start + PROMPT_BYTES].to_owned();
    let part = v1::content_part::Part::Text(text);
    let message = v1::Message {
        role: v1::Role::User.into(),
        content: vec![v1::ContentPart { part: Some(part) }],
        ..Default::default()
    };
    let context = v1::RequestContext {
        task: Some(TASKS[n % TASKS.len()].to_owned()),
        messages: vec![message],
        ..Default::default()
    };
    v1::RouteRequest {
        context: Some(context),
        ..Default::default()
    }
}

/// Routes `count` requests and tells the outcome of each: dearer arms do better.
pub(crate) async fn teach(address: &str, count: usize) -> Result<(), Error> {
    let address = format!("http://{address}");
    let mut router = client::router(&address, Some(server::KEY)).await?;
    let mut feedback = client::feedback(&address, Some(server::KEY)).await?;
    for n in 0..count {
        let routed = router.route(request(n)).await?.into_inner();
        let arm = routed
            .arm
            .bytes()
            .last()
            .map_or(0, |b| usize::from(b - b'0'));
        let passes = |signal: usize| (n * 7919 + signal * 31) % 20 < 8 + arm;
        let signals = server::SIGNALS
            .iter()
            .enumerate()
            .map(|(i, name)| v1::Signal {
                name: (*name).to_owned(),
                value: Some(v1::SignalValue {
                    value: Some(v1::signal_value::Value::Flag(passes(i))),
                }),
                kind: 0,
            });
        let item = v1::Feedback {
            subject: Some(v1::feedback::Subject::DecisionId(routed.decision_id)),
            signals: signals.collect(),
            ..Default::default()
        };
        let batch = v1::SubmitFeedbackRequest {
            items: vec![item],
            dry_run: false,
        };
        let replies = feedback.submit_feedback(batch).await?.into_inner().results;
        let accepted = v1::feedback_result::Status::Accepted;
        if replies
            .first()
            .is_none_or(|reply| reply.status() != accepted)
        {
            return Err(format!("feedback was not accepted: {replies:?}").into());
        }
    }
    Ok(())
}

/// What a run came to.
pub(crate) struct Run {
    pub(crate) requests: u32,
    elapsed: Duration,
    /// Sorted.
    latencies: Vec<Duration>,
}

impl Run {
    fn new(elapsed: Duration, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Self {
            requests: u32::try_from(latencies.len()).unwrap_or(u32::MAX),
            elapsed,
            latencies,
        }
    }

    pub(crate) fn rate(&self) -> f64 {
        f64::from(self.requests) / self.elapsed.as_secs_f64()
    }

    /// The latency that this share of the calls did not exceed, in microseconds.
    pub(crate) fn latency_us(&self, share: f64) -> f64 {
        let at = (share * self.latencies.len() as f64) as usize;
        let latency = self.latencies.get(at).or(self.latencies.last());
        latency.map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e6)
    }
}

/// Connections to one server and the requests to send.
pub(crate) struct Load {
    senders: Vec<SendRequest<Bytes>>,
    uri: Uri,
    headers: HeaderMap,
    bodies: Vec<Bytes>,
    reply_bytes: Cell<usize>,
    _connections: JoinSet<()>,
}

impl Load {
    pub(crate) async fn connect(address: &str, connections: usize) -> Result<Self, Error> {
        let mut drivers = JoinSet::new();
        let mut senders = Vec::new();
        for _ in 0..connections {
            let socket = tokio::net::TcpStream::connect(address).await?;
            socket.set_nodelay(true)?;
            let (sender, connection) = h2::client::Builder::new()
                .initial_window_size(1 << 20)
                .initial_connection_window_size(1 << 24)
                .handshake(socket)
                .await?;
            drivers.spawn(async move {
                // It ends with the server; a run in flight tells of an error itself.
                let _ = connection.await;
            });
            senders.push(sender);
        }
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        headers.insert("te", HeaderValue::from_static("trailers"));
        headers.insert(
            "authorization",
            HeaderValue::from_str(&format!("Bearer {}", server::KEY))?,
        );
        Ok(Self {
            senders,
            uri: format!("http://{address}/bellwether.v1.RouterService/Route").parse()?,
            headers,
            bodies: (0..16).map(|n| frame(&request(n))).collect(),
            reply_bytes: Cell::new(0),
            _connections: drivers,
        })
    }

    /// Bytes of the last reply's message.
    pub(crate) fn reply_bytes(&self) -> usize {
        self.reply_bytes.get()
    }

    /// Sends `count` requests, the next as soon as one of `in_flight` is answered.
    pub(crate) async fn full(&self, in_flight: usize, count: u32) -> Result<Run, Error> {
        let left = Cell::new(count);
        let latencies = RefCell::new(Vec::with_capacity(count as usize));
        let begun = Instant::now();
        let worker = |number: usize| {
            let (left, latencies) = (&left, &latencies);
            async move {
                let mut turn = number;
                while let Some(rest) = left.get().checked_sub(1) {
                    left.set(rest);
                    let sent = Instant::now();
                    self.call(turn).await?;
                    latencies.borrow_mut().push(sent.elapsed());
                    turn += in_flight;
                }
                Ok::<(), Error>(())
            }
        };
        let workers = futures_util::future::try_join_all((0..in_flight).map(worker));
        tokio::time::timeout(PATIENCE, workers).await??;
        Ok(Run::new(begun.elapsed(), latencies.take()))
    }

    /// Sends `rate` requests a second, each at its own moment whatever became of those before it, and
    /// counts latency from that moment.
    pub(crate) async fn paced(&self, rate: u32, length: Duration) -> Result<Run, Error> {
        let gap = Duration::from_secs(1) / rate;
        let count = (length.as_secs_f64() * f64::from(rate)) as u32;
        let latencies = RefCell::new(Vec::with_capacity(count as usize));
        let begun = Instant::now();
        let mut calls = FuturesUnordered::new();
        let paced = async {
            for n in 0..count {
                let due = begun + gap * n;
                // Turns instead of a timer, which is too coarse: this core has nothing else to do.
                while Instant::now() < due {
                    if let Some(Some(done)) = calls.next().now_or_never() {
                        done?;
                    }
                    tokio::task::yield_now().await;
                }
                let latencies = &latencies;
                calls.push(async move {
                    self.call(n as usize).await?;
                    latencies.borrow_mut().push(due.elapsed());
                    Ok::<(), Error>(())
                });
            }
            while let Some(done) = calls.next().await {
                done?;
            }
            Ok::<(), Error>(())
        };
        tokio::time::timeout(PATIENCE, paced).await??;
        Ok(Run::new(begun.elapsed(), latencies.take()))
    }

    async fn call(&self, turn: usize) -> Result<(), Error> {
        let sender = self.senders[turn % self.senders.len()].clone();
        let mut sender = sender.ready().await?;
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let (reply, mut body) = sender.send_request(request, false)?;
        body.send_data(self.bodies[turn % self.bodies.len()].clone(), true)?;
        let mut reply = reply.await?.into_body();
        let mut bytes = 0;
        while let Some(chunk) = reply.data().await {
            let length = chunk?.len();
            bytes += length;
            reply.flow_control().release_capacity(length)?;
        }
        let trailers = reply.trailers().await?.unwrap_or_default();
        match trailers.get("grpc-status").map(HeaderValue::as_bytes) {
            Some(b"0") => self.reply_bytes.set(bytes),
            other => return Err(format!("grpc-status {other:?}").into()),
        }
        Ok(())
    }
}

/// A message as gRPC puts it into a body.
fn frame(message: &impl Message) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(message.encoded_len()).unwrap_or(u32::MAX));
    bytes.put_slice(&message.encode_to_vec());
    bytes.freeze()
}
