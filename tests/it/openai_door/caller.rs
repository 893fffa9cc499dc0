//! A caller that writes its own HTTP, so that it can write it wrong, and that sees how a reply ends.

use crate::rig::{CODING, Rig, within};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A reply, taken apart.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: BTreeMap<String, String>,
    pub(crate) body: String,
    /// Whether the body came to its stated end.
    pub(crate) whole: bool,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The data of its events.
    pub(crate) fn events(&self) -> Vec<String> {
        let data = |event: &str| event.strip_prefix("data: ").expect("data").to_owned();
        self.body.split_terminator("\n\n").map(data).collect()
    }

    fn parse(bytes: &[u8]) -> Self {
        let split = bytes
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .expect("a head");
        let text = std::str::from_utf8(&bytes[..split]).expect("ASCII");
        let mut lines = text.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .expect("a status");
        let head: BTreeMap<_, _> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let rest = &bytes[split + 4..];
        let (body, whole) = match head.get("content-length") {
            Some(length) => (rest.to_vec(), length.parse() == Ok(rest.len())),
            None => unchunked(rest),
        };
        Self {
            status: status.parse().expect("a number"),
            body: String::from_utf8(body).expect("UTF-8"),
            head,
            whole,
        }
    }
}

/// The data of a chunked body, and whether its last chunk came.
fn unchunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut data = Vec::new();
    while let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).expect("a size");
        let size = usize::from_str_radix(size, 16).expect("a size");
        if size == 0 {
            return (data, true);
        }
        let Some(chunk) = rest.get(end + 2..end + 2 + size) else {
            break;
        };
        data.extend_from_slice(chunk);
        rest = rest.get(end + 4 + size..).unwrap_or_default();
    }
    (data, false)
}

/// A call's bytes; the server is to hang up after it.
fn call(line: &str, key: Option<&str>, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    if let Some(key) = key {
        text.push_str(&format!("authorization: Bearer {key}\r\n"));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}

pub(crate) fn get(path: &str, key: Option<&str>) -> Vec<u8> {
    call(&format!("GET {path}"), key, &[], b"")
}

pub(crate) fn post(
    path: &str,
    key: Option<&str>,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let length = body.len().to_string();
    let stated = [
        ("content-length", length.as_str()),
        ("content-type", "application/json"),
    ];
    call(
        &format!("POST {path}"),
        key,
        &[&stated, headers].concat(),
        body,
    )
}

/// Sends bytes and reads until the server hangs up.
pub(crate) async fn exchange(rig: &Rig, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(rig.http_address())
        .await
        .expect("connected");
    // A server that has heard enough does not read the rest.
    let _ = stream.write_all(bytes).await;
    let mut reply = Vec::new();
    // It may cut the connection; what came before is the reply.
    let _ = within("a reply", stream.read_to_end(&mut reply)).await;
    reply
}

/// Sends one call and takes the reply apart.
pub(crate) async fn send(rig: &Rig, bytes: &[u8]) -> Reply {
    Reply::parse(&exchange(rig, bytes).await)
}

/// Posts JSON with the key of team `coding`.
pub(crate) async fn ask(rig: &Rig, path: &str, body: &Value) -> Reply {
    send(
        rig,
        &post(path, Some(CODING), &[], body.to_string().as_bytes()),
    )
    .await
}
