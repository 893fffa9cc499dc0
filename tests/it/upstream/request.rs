//! A request, read from the socket.

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest request that is read.
const MOST_BYTES: usize = 16 << 20;

/// What was asked.
pub(super) struct Request {
    /// Method and path.
    line: String,
    /// Whether the caller closes after the answer.
    pub(super) last: bool,
    body: Value,
}

impl Request {
    pub(super) fn is_chat(&self) -> bool {
        self.line.starts_with("POST ") && self.line.contains("/chat/completions ")
    }

    pub(super) fn body(&self) -> &Value {
        &self.body
    }

    pub(super) fn streamed(&self) -> bool {
        self.body["stream"] == true
    }

    pub(super) fn wants_usage(&self) -> bool {
        self.body["stream_options"]["include_usage"] == true
    }

    pub(super) fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or("unnamed")
    }
}

/// The next request; what came after it stays in `unread`. None: the caller has no more, or nothing
/// that can be read.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    unread: &mut Vec<u8>,
) -> Option<Request> {
    let head = until(stream, unread, end_of_head).await?;
    let text = String::from_utf8(unread.get(..head)?.to_vec()).ok()?;
    let length = match field(&text, "content-length") {
        Some(length) => length.parse().ok()?,
        None => 0,
    };
    if length > MOST_BYTES {
        return None;
    }
    let end = head + length;
    until(stream, unread, |bytes| (bytes.len() >= end).then_some(end)).await?;
    let body = serde_json::from_slice(unread.get(head..end)?).unwrap_or_default();
    unread.drain(..end);
    Some(Request {
        line: text.lines().next()?.to_owned(),
        last: field(&text, "connection").is_some_and(|how| how.eq_ignore_ascii_case("close")),
        body,
    })
}

/// Reads until `found` finds something in all that is unread.
async fn until(
    stream: &mut (impl AsyncRead + Unpin),
    unread: &mut Vec<u8>,
    found: impl Fn(&[u8]) -> Option<usize>,
) -> Option<usize> {
    loop {
        if let Some(place) = found(unread) {
            return Some(place);
        }
        if unread.len() > 2 * MOST_BYTES || stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    at.map(|at| at + 4)
}

/// The value of a header.
pub(super) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let found = fields.find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim())
}
