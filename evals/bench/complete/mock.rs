//! The mock: a provider that does nothing but answer, on one thread and raw TCP.
//!
//! Invariants: an answer is a fixed chat completion of about 600 bytes, or the same in sixteen events;
//! a stream's first event is written before the rest. Requests may be pipelined.
//!
//! Not here: any check of what was asked. A POST is a chat completion, anything else the list of models.

use crate::http::find;
use crate::{Error, process};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Words of the answer; streamed, sixteen events of them.
const SAID: &str = "The loop ends one step too early, so the last element is never added to the sum. \
     Let it run up to and including n, or sum over the slice itself, which cannot miss an element. \
     A test with a single element would have found it; one is added below, and another for the empty \
     slice, where the sum is zero. ";
const PIECES: usize = 16;

/// Arguments of `mock`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where to listen; port 0 takes a free one. The address is printed.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// Milliseconds that the model seems to think before it answers.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=600_000))]
    think_ms: u64,
    /// End with the standard input: for a parent that must not leave it behind.
    #[arg(long, hide = true)]
    until_input_ends: bool,
}

/// Serves until it is stopped.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (ended, end) = oneshot::channel();
    if arguments.until_input_ends {
        std::thread::spawn(move || {
            process::wait_for_end_of_input();
            ended.send(())
        });
    } else {
        // It ends with the process.
        std::mem::forget(ended);
    }
    runtime.block_on(async {
        tokio::select! {
            _ = end => Ok(()),
            served = serve(arguments) => served,
        }
    })
}

async fn serve(arguments: &Arguments) -> Result<(), Error> {
    let listener = TcpListener::bind(&arguments.listen).await?;
    println!("{}", listener.local_addr()?);
    let think = Duration::from_millis(arguments.think_ms);
    let answers = Arc::new(Answers::new());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                connections.spawn(connection(stream, Arc::clone(&answers), think));
            }
            // A connection that ends with an error was a caller who left.
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Everything that is ever said, ready to be written.
struct Answers {
    whole: Vec<u8>,
    /// Head and first event, then the rest.
    streamed: [Vec<u8>; 2],
    models: Vec<u8>,
}

impl Answers {
    fn new() -> Self {
        let usage = json!({"prompt_tokens": 75, "completion_tokens": 58, "total_tokens": 133});
        let message = json!({"role": "assistant", "content": SAID, "refusal": null});
        let whole = json!({
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": "mock",
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}],
            "usage": usage.clone(),
        });
        let models = json!({"object": "list", "data": [
            {"id": "mock", "object": "model", "created": 1_700_000_000, "owned_by": "mock"}
        ]});
        Self {
            whole: sized(&whole),
            streamed: events(&usage),
            models: sized(&models),
        }
    }
}

fn sized(body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn events(usage: &Value) -> [Vec<u8>; 2] {
    let chunk = |choices: Value| {
        json!({
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1_700_000_000,
            "model": "mock",
            "choices": choices,
        })
    };
    let delta = |delta: Value| {
        let choice = json!([{"index": 0, "delta": delta, "finish_reason": null}]);
        framed(&chunk(choice).to_string())
    };
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let first = head.to_owned() + &delta(json!({"role": "assistant", "content": ""}));
    let letters: Vec<char> = SAID.chars().collect();
    let pieces = letters.chunks(letters.len().div_ceil(PIECES));
    let mut rest: String = pieces
        .map(|piece| delta(json!({"content": piece.iter().collect::<String>()})))
        .collect();
    let stop = chunk(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]));
    let mut last = chunk(json!([]));
    last["usage"] = usage.clone();
    for event in [stop.to_string(), last.to_string(), "[DONE]".to_owned()] {
        rest.push_str(&framed(&event));
    }
    rest.push_str("0\r\n\r\n");
    [first.into_bytes(), rest.into_bytes()]
}

/// An event in a chunk of its own.
fn framed(data: &str) -> String {
    let event = format!("data: {data}\n\n");
    format!("{:x}\r\n{event}\r\n", event.len())
}

async fn connection(
    mut stream: TcpStream,
    answers: Arc<Answers>,
    think: Duration,
) -> std::io::Result<()> {
    let mut unread = Vec::with_capacity(16 << 10);
    loop {
        while let Some(asked) = asked(&unread) {
            if !think.is_zero() {
                tokio::time::sleep(think).await;
            }
            match asked.what {
                What::Models => stream.write_all(&answers.models).await?,
                What::Whole => stream.write_all(&answers.whole).await?,
                What::Stream => {
                    for part in &answers.streamed {
                        stream.write_all(part).await?;
                    }
                }
            }
            unread.drain(..asked.length);
        }
        if stream.read_buf(&mut unread).await? == 0 {
            return Ok(());
        }
    }
}

/// A request that has come whole.
struct Asked {
    length: usize,
    what: What,
}

enum What {
    Models,
    Whole,
    Stream,
}

/// The first request in `bytes`, once it is whole.
fn asked(bytes: &[u8]) -> Option<Asked> {
    let head = find(bytes, b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).ok()?;
    let field = |name: &str| {
        let mut fields = text.lines().filter_map(|line| line.split_once(':'));
        let found = fields.find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    };
    let length = match field("content-length") {
        Some(length) => head + length.parse::<usize>().ok()?,
        None if field("transfer-encoding").is_some() => {
            head + find(&bytes[head..], b"0\r\n\r\n")? + 5
        }
        None => head,
    };
    let body = bytes.get(head..length)?;
    let what = match text.starts_with("POST ") {
        false => What::Models,
        true if streams(body) => What::Stream,
        true => What::Whole,
    };
    Some(Asked { length, what })
}

/// Whether the body says `"stream": true`. Within a prompt its quotes would be escaped.
fn streams(body: &[u8]) -> bool {
    let name = b"\"stream\"";
    let Some(at) = find(body, name) else {
        return false;
    };
    let rest = body[at + name.len()..].trim_ascii_start();
    let value = rest.strip_prefix(b":").unwrap_or_default();
    value.trim_ascii_start().starts_with(b"true")
}
