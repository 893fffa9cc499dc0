//! A collector that reads what it is sent, and answers as often as it is let.
//!
//! Not here: gRPC; a body without its length.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// A collector on a free loopback port.
pub(super) struct Collector {
    pub(super) endpoint: String,
    pub(super) answers: Arc<Semaphore>,
    seen: Arc<Mutex<Seen>>,
    _serving: JoinSet<()>,
}

/// What it was sent.
#[derive(Default, Clone)]
pub(super) struct Seen {
    pub(super) spans: Vec<Span>,
    pub(super) events: Vec<LogRecord>,
    /// Attributes of whoever sent it.
    pub(super) resource: BTreeMap<String, String>,
    /// Every byte.
    pub(super) raw: Vec<u8>,
}

impl Collector {
    /// Answers so often.
    pub(super) async fn start(answers: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let (answers, seen) = (Arc::new(Semaphore::new(answers)), Arc::default());
        let (permits, kept) = (Arc::clone(&answers), Arc::clone(&seen));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("accepted");
                let (permits, kept) = (Arc::clone(&permits), Arc::clone(&kept));
                connections.spawn(serve(stream, permits, kept));
            }
        });
        Self {
            endpoint,
            answers,
            seen,
            _serving: serving,
        }
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().expect("whole").clone()
    }
}

async fn serve(mut stream: TcpStream, answers: Arc<Semaphore>, seen: Arc<Mutex<Seen>>) {
    let mut unread = Vec::new();
    while let Some((path, body)) = read(&mut stream, &mut unread).await {
        answers.acquire().await.expect("open").forget();
        seen.lock().expect("whole").take(&path, &body);
        let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        if stream.write_all(reply).await.is_err() {
            return;
        }
    }
}

/// One request; `None`: the connection has ended.
async fn read(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let end = loop {
        if let Some(at) = unread.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(unread.drain(..end + 4).collect()).expect("text");
    let head = head.to_ascii_lowercase();
    assert!(
        head.contains("content-type: application/x-protobuf"),
        "{head}"
    );
    let path = head.split(' ').nth(1).expect("a path").to_owned();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.expect("a length").parse().expect("a number");
    while unread.len() < length {
        if stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    }
    Some((path, unread.drain(..length).collect()))
}

impl Seen {
    fn take(&mut self, path: &str, body: &[u8]) {
        self.raw.extend_from_slice(body);
        match path {
            "/v1/traces" => {
                let request = ExportTraceServiceRequest::decode(body).expect("spans");
                for of in request.resource_spans {
                    let resource = of.resource.expect("a resource");
                    self.resource.extend(attributes(&resource.attributes));
                    let scopes = of.scope_spans.into_iter();
                    self.spans.extend(scopes.flat_map(|scope| scope.spans));
                }
            }
            "/v1/logs" => {
                let request = ExportLogsServiceRequest::decode(body).expect("events");
                for of in request.resource_logs {
                    let scopes = of.scope_logs.into_iter();
                    self.events
                        .extend(scopes.flat_map(|scope| scope.log_records));
                }
            }
            path => panic!("nothing is sent to {path}"),
        }
    }
}

/// Attributes by name, as text.
pub(super) fn attributes(all: &[KeyValue]) -> BTreeMap<String, String> {
    let said = |kv: &KeyValue| {
        let value = kv.value.as_ref().and_then(|value| value.value.as_ref());
        (kv.key.clone(), value.map_or_else(String::new, text))
    };
    all.iter().map(said).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::StringValue(text) => text.clone(),
        Value::BoolValue(flag) => flag.to_string(),
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        Value::ArrayValue(list) => {
            let items = list.values.iter().filter_map(|item| item.value.as_ref());
            items.map(text).collect::<Vec<_>>().join(",")
        }
        other => format!("{other:?}"),
    }
}
