//! A stop over TLS and HTTP/2: calls at work finish, nobody new is taken.

use super::Secret;
use crate::rig::{CODING, about, within};
use bytes::Bytes;
use h2::client::SendRequest;
use prost::Message;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A call's head and its body.
fn call(door: usize) -> (http::Request<()>, Bytes) {
    let (path, kind, body) = match door {
        0 => {
            let message = about("fix-test").encode_to_vec();
            let mut body = vec![0];
            body.extend(u32::try_from(message.len()).expect("short").to_be_bytes());
            body.extend(message);
            (
                "bellwether.v1.RouterService/Route",
                "application/grpc",
                body,
            )
        }
        _ => {
            let body = br#"{"model": "bellwether/auto", "messages": [{"role": "user", "content": "hello"}]}"#;
            ("v1/chat/completions", "application/json", body.to_vec())
        }
    };
    let head = http::Request::post(format!("https://localhost/{path}"))
        .header("content-type", kind)
        .header("te", "trailers")
        .header("authorization", format!("Bearer {CODING}"))
        .body(())
        .expect("a request");
    (head, body.into())
}

/// Waits until the server has said that it takes no more calls on this connection.
async fn told_to_go(calls: &SendRequest<Bytes>) {
    while calls.clone().ready().await.is_ok() {
        tokio::task::yield_now().await;
    }
}

/// Waits until nobody can connect.
async fn shut(door: std::net::SocketAddr) {
    while TcpStream::connect(door).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_at_work_is_finished_and_nobody_new_is_taken() {
    let secret = Secret::start().await;
    let doors = secret.doors();
    let mut connections = JoinSet::new();
    let mut at_work = Vec::new();
    for (door, address) in doors.into_iter().enumerate() {
        let stream = secret.connect(address).await;
        let (calls, mut connection) = h2::client::handshake(stream).await.expect("HTTP/2");
        let mut arrived = connection.ping_pong().expect("the first");
        connections.spawn(connection);
        let mut calls = calls.ready().await.expect("a place");
        let (head, body) = call(door);
        // The head comes, the body does not yet: the server is at work on it.
        let (reply, sending) = calls.send_request(head, false).expect("sent");
        // It has arrived: what was sent after it is answered.
        let answered = within("an answer", arrived.ping(h2::Ping::opaque()));
        answered.await.expect("alive");
        at_work.push((calls, reply, sending, body));
    }
    let Secret { running, .. } = secret;
    let mut stopping = JoinSet::new();
    stopping.spawn(running.stop());
    for (address, (calls, ..)) in doors.into_iter().zip(&at_work) {
        within("the doors to shut", shut(address)).await;
        within("being told to go", told_to_go(calls)).await;
    }
    assert!(
        stopping.try_join_next().is_none(),
        "waits for the calls at work"
    );
    for (_, reply, mut sending, body) in at_work {
        sending.send_data(body, true).expect("sent");
        let reply = within("a reply", reply).await.expect("a reply");
        assert_eq!(reply.status(), http::StatusCode::OK);
        assert!(
            reply
                .headers()
                .get("grpc-status")
                .is_none_or(|status| status == "0")
        );
        let mut body = reply.into_body();
        while let Some(data) = within("the rest", body.data()).await {
            let data = data.expect("whole");
            body.flow_control()
                .release_capacity(data.len())
                .expect("released");
        }
    }
    let stopped = within("the end", stopping.join_next())
        .await
        .expect("a task");
    stopped.expect("no panic").expect("a clean end");
}
