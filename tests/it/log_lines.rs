//! Lines of log as an operator reads them: which call each is of.

use crate::openai_door::caller::{post, send};
use crate::repeats::{Endpoint, arm, asking};
use crate::rig::{CODING, Rig, configured_with, within};
use bellwether::grpc::REQUEST_ID;
use bellwether::proto::v1;
use bellwether::store::simulated::SimulatedDisk;
use bellwether::telemetry::{Format, log};
use serde_json::{Value, json};
use std::io;
use std::sync::{Arc, Mutex};
use tonic::Request;
use tracing::level_filters::LevelFilter;

/// Lines that were written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("whole").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn read(&self) -> Vec<Value> {
        let bytes = self.0.lock().expect("whole").clone();
        let text = String::from_utf8(bytes).expect("text");
        let line = |line| serde_json::from_str(line).expect("an object");
        text.lines().map(line).collect()
    }
}

/// A call with an id of the caller's.
fn named<T>(id: &str, body: T) -> Request<T> {
    let mut request = Request::new(body);
    let id = id.parse().expect("ASCII");
    request.metadata_mut().insert(REQUEST_ID, id);
    request
}

async fn grpc_whole(rig: &Rig, id: &str) -> String {
    let mut router = rig.caller(CODING).await.router;
    let reply = router.complete(named(id, asking(id))).await;
    said(reply.expect("answered").metadata())
}

async fn grpc_streamed(rig: &Rig, id: &str) -> String {
    let mut router = rig.caller(CODING).await.router;
    let request = v1::StreamCompleteRequest {
        request: Some(asking(id)),
    };
    let reply = router.stream_complete(named(id, request)).await;
    let (head, mut events, _) = reply.expect("a stream").into_parts();
    while events.message().await.expect("an event").is_some() {}
    said(&head)
}

fn said(head: &tonic::metadata::MetadataMap) -> String {
    let id = head.get(REQUEST_ID).expect("an id");
    id.to_str().expect("ASCII").to_owned()
}

async fn http(rig: &Rig, id: Option<&str>, stream: bool) -> String {
    let body = json!({"model": "bellwether/auto", "stream": stream,
        "messages": [{"role": "user", "content": "six times seven?"}]});
    let headers: Vec<_> = id.map(|id| (REQUEST_ID, id)).into_iter().collect();
    let body = body.to_string();
    let bytes = post(
        "/v1/chat/completions",
        Some(CODING),
        &headers,
        body.as_bytes(),
    );
    let reply = send(rig, &bytes).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.head[REQUEST_ID].clone()
}

#[tokio::test]
async fn a_line_of_a_call_carries_the_id_that_its_reply_carries_over_both_doors() {
    let kept = Lines::default();
    let writer = kept.clone();
    let to = move || writer.clone();
    let lines = log::lines(Format::Json, LevelFilter::INFO, false, to);
    // Of this thread, which all of the server runs on here.
    let _logging = tracing::dispatcher::set_default(&lines);
    let endpoint = Endpoint::start("200 OK").await;
    let disk = SimulatedDisk::new();
    let (dir, mut params) = configured_with("group", &arm(&endpoint));
    params.server.http_listen = Some(([127, 0, 0, 1], 0).into());
    let rig = Rig::start_on(Arc::new(disk.clone()), dir, params).await;

    // The disk dies while all of them wait for the model, so that no attempt can be kept.
    let dies = async {
        while endpoint.asked() < 5 {
            tokio::task::yield_now().await;
        }
        disk.crash();
        endpoint.answers.add_permits(5);
    };
    let calls = async {
        tokio::join!(
            grpc_whole(&rig, "grpc-1"),
            grpc_streamed(&rig, "grpc-2"),
            http(&rig, Some("http-1"), false),
            http(&rig, Some("http-2"), true),
            http(&rig, None, false),
            dies,
        )
    };
    let (a, b, c, d, ours, ()) = within("five answers", calls).await;
    rig.abandon().await;

    assert_eq!(
        [&*a, &*b, &*c, &*d],
        ["grpc-1", "grpc-2", "http-1", "http-2"]
    );
    let is_hex = ours.bytes().all(|b| b.is_ascii_hexdigit());
    assert!(ours.len() == 16 && is_hex, "{ours}");
    let lines = kept.read();
    let of_calls = lines.iter().filter(|line| line.get("decision").is_some());
    let mut ids: Vec<_> = of_calls.map(|line| line["request_id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut expected = ["grpc-1", "grpc-2", "http-1", "http-2", &ours].map(Some);
    expected.sort_unstable();
    assert_eq!(ids, expected, "{lines:#?}");
}
