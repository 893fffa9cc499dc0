//! One call of a chat-completions endpoint over HTTP.
//!
//! Invariants: nothing is read past [`Settings::max_answer_bytes`] or the caller's deadline, and no
//! silence is borne longer than [`Settings::patience`]; the key is in one header, marked sensitive,
//! and in no `Debug`.
//!
//! Not here: bodies (`request`, `reply`, `delta`).

use super::delta::Gathered;
use super::{reply, request};
use crate::provider::contract::within;
use crate::provider::sse::Events;
use crate::provider::transport::{SetupError, Transport, broken};
use crate::provider::{Answer, Error, Kind, Piece, Pieces, Prompt, Provider};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// A secret that never shows.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes the key.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// The field that carries the most output tokens; servers refuse the one that they do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputLimit {
    /// `max_completion_tokens`, today's name.
    #[default]
    MaxCompletionTokens,
    /// `max_tokens`, the older name.
    MaxTokens,
}

/// How to reach an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Address up to and without `/chat/completions`, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The key. Absent: no `Authorization` is sent.
    pub api_key: Option<ApiKey>,
    /// Which field carries the output limit.
    pub output_limit: OutputLimit,
    /// Longest silence before the answer and within it. A model may think for minutes.
    pub patience: Duration,
    /// Most bytes of a whole answer.
    pub max_answer_bytes: usize,
}

impl Settings {
    /// For `base_url`: 5 minutes of patience, 16 MiB of answer.
    pub fn new(base_url: impl Into<String>, api_key: Option<ApiKey>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key,
            output_limit: OutputLimit::default(),
            patience: Duration::from_secs(300),
            max_answer_bytes: 16 << 20,
        }
    }
}

/// A refusal's body is read this far, and this long.
const MAX_REFUSAL_BYTES: usize = 64 << 10;
const REFUSAL_PATIENCE: Duration = Duration::from_secs(2);

/// The provider.
pub struct OpenAi {
    client: Client,
    url: Url,
    headers: HeaderMap,
    settings: Settings,
}

impl fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a secret too.
        f.debug_struct("OpenAi")
            .field("host", &self.url.host_str())
            .finish_non_exhaustive()
    }
}

impl OpenAi {
    /// Checks the settings; connects to nothing yet.
    pub fn new(settings: Settings, transport: &Transport) -> Result<Self, SetupError> {
        let base = settings.base_url.trim_end_matches('/');
        let url =
            Url::parse(&format!("{base}/chat/completions")).map_err(|_| SetupError::BaseUrl)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(ApiKey(key)) = &settings.api_key {
            let mut value =
                HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| SetupError::ApiKey)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(Self {
            client: transport.client(&url)?,
            url,
            headers,
            settings,
        })
    }

    /// Sends the prompt and waits for the head of an accepted answer.
    async fn send(
        &self,
        prompt: &Prompt,
        stream: bool,
        deadline: Instant,
    ) -> Result<Response, Error> {
        let body = request::body(prompt, stream, self.settings.output_limit)?;
        let accept = if stream {
            "text/event-stream"
        } else {
            "application/json"
        };
        let call = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(ACCEPT, accept)
            .body(body)
            .send();
        let response = within(deadline, self.settings.patience, call)
            .await?
            .map_err(|error| broken(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response, deadline).await)
    }

    async fn answer(&self, prompt: &Prompt, deadline: Instant) -> Result<Answer, Error> {
        let started = Instant::now();
        let mut response = self.send(prompt, false, deadline).await?;
        let mut body = Vec::new();
        while let Some(bytes) = chunk(&mut response, deadline, self.settings.patience).await? {
            if body.len() + bytes.len() > self.settings.max_answer_bytes {
                return Err(Kind::TooLarge.into());
            }
            body.extend_from_slice(&bytes);
        }
        let (message, finish_reason, usage) = reply::read(&body)?;
        Ok(Answer {
            message,
            finish_reason,
            usage,
            latency: started.elapsed(),
        })
    }
}

impl Provider for OpenAi {
    fn complete<'a>(
        &'a self,
        prompt: &'a Prompt,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Answer, Error>> {
        self.answer(prompt, deadline).boxed()
    }

    fn stream<'a>(
        &'a self,
        prompt: &'a Prompt,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Pieces, Error>> {
        async move {
            let response = self.send(prompt, true, deadline).await?;
            let upstream = Upstream::new(response, deadline, self.settings.patience);
            let pieces = stream::try_unfold(upstream, |mut upstream| async move {
                let piece = upstream.next().await?;
                Ok(piece.map(|piece| (piece, upstream)))
            });
            Ok(pieces.boxed())
        }
        .boxed()
    }
}

/// A streamed answer being read.
struct Upstream {
    response: Response,
    deadline: Instant,
    patience: Duration,
    events: Events,
    gathered: Gathered,
    ready: VecDeque<Piece>,
}

impl Upstream {
    fn new(response: Response, deadline: Instant, patience: Duration) -> Self {
        Self {
            response,
            deadline,
            patience,
            events: Events::default(),
            gathered: Gathered::default(),
            ready: VecDeque::new(),
        }
    }

    async fn next(&mut self) -> Result<Option<Piece>, Error> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Ok(Some(piece));
            }
            if self.gathered.done() {
                return Ok(None);
            }
            if let Some(data) = self.events.next()? {
                self.gathered.take(&data, &mut self.ready)?;
                continue;
            }
            match chunk(&mut self.response, self.deadline, self.patience).await? {
                Some(bytes) => self.events.push(&bytes),
                // The connection ended well, but the answer did not.
                None => return Err(Kind::Cut.into()),
            }
        }
    }
}

/// The next bytes of a body; `None` at its end.
async fn chunk(
    response: &mut Response,
    deadline: Instant,
    patience: Duration,
) -> Result<Option<bytes::Bytes>, Error> {
    within(deadline, patience, response.chunk())
        .await?
        .map_err(|error| broken(&error))
}

/// Reads what a refusal says. Its status stands, whatever becomes of its body.
async fn refusal(mut response: Response, deadline: Instant) -> Error {
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse::<u32>().ok())
        .map(|seconds| Duration::from_secs(seconds.into()));
    let mut body = Vec::new();
    while body.len() < MAX_REFUSAL_BYTES
        && let Ok(Some(bytes)) = chunk(&mut response, deadline, REFUSAL_PATIENCE).await
    {
        body.extend_from_slice(&bytes);
    }
    let code = reply::refusal_code(&body);
    Error::refused(status, code.as_deref(), retry_after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Message, Role};
    use crate::decision::Usage;
    use crate::provider::FinishReason;
    use futures_util::TryStreamExt;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread::JoinHandle;

    const KEY: &str = "sk-very-secret";

    /// A server on a free port that reads one request, answers with `parts` and, unless `hangs`,
    /// closes. Returns what it was sent.
    struct Server {
        settings: Settings,
        thread: JoinHandle<String>,
    }

    impl Server {
        fn start(parts: Vec<String>, hangs: bool) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let thread = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read_request(&mut stream);
                for part in parts {
                    stream.write_all(part.as_bytes()).unwrap();
                    stream.flush().unwrap();
                }
                if hangs {
                    // Until the client gives up and closes.
                    let _ = stream.read(&mut [0; 1]);
                }
                request
            });
            let base_url = format!("http://{address}/v1");
            Self {
                settings: Settings::new(base_url, Some(ApiKey::new(KEY))),
                thread,
            }
        }

        /// What the client sent. Waits beside the runtime, which has to close the connection.
        async fn sent(self) -> String {
            let joined = tokio::task::spawn_blocking(|| self.thread.join().unwrap());
            joined.await.unwrap()
        }

        fn client(&self) -> OpenAi {
            OpenAi::new(self.settings.clone(), &Transport::new().unwrap()).unwrap()
        }
    }

    fn read_request(stream: &mut TcpStream) -> String {
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = stream.read(&mut buffer).unwrap();
            request.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&request).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if read == 0 || body.len() >= length.unwrap().parse().unwrap() {
                return text;
            }
        }
    }

    fn whole(status: &str, headers: &str, body: &str) -> Vec<String> {
        let length = body.len();
        vec![format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n{body}"
        )]
    }

    /// A chunked event stream, without the terminating chunk.
    fn events(data: &[&str]) -> Vec<String> {
        let mut parts = vec!["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned()];
        for event in data {
            let event = format!("data: {event}\n\n");
            // Every event in two chunks, so that none comes whole.
            let (a, b) = event.split_at(event.len() / 2);
            parts.push(format!("{:x}\r\n{a}\r\n", a.len()));
            parts.push(format!("{:x}\r\n{b}\r\n", b.len()));
        }
        parts
    }

    const HELLO: &str = r#"{"choices":[{"delta":{"content":"hello"}}]}"#;
    const STOP: &str = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1}}"#;
    const END: &str = "0\r\n\r\n";

    fn prompt() -> Prompt {
        Prompt::new("m", vec![Message::text(Role::User, "hi")])
    }

    fn in_time() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    async fn check_refused(answer: Vec<String>, expected: Error) {
        let server = Server::start(answer, false);
        let error = server.client().complete(&prompt(), in_time()).await;
        let error = error.unwrap_err();
        assert_eq!(error, expected);
        assert!(!format!("{error:?} {error}").contains(KEY));
        server.sent().await;
    }

    /// The pieces before the end of the stream, and how it ended.
    async fn streamed(server: &Server, deadline: Instant) -> (Vec<Piece>, Option<Kind>) {
        let client = server.client();
        let mut stream = match client.stream(&prompt(), deadline).await {
            Ok(stream) => stream,
            Err(error) => return (Vec::new(), Some(error.kind)),
        };
        let mut pieces = Vec::new();
        loop {
            match stream.try_next().await {
                Ok(Some(piece)) => pieces.push(piece),
                Ok(None) => return (pieces, None),
                Err(error) => return (pieces, Some(error.kind)),
            }
        }
    }

    async fn check_stream(parts: Vec<String>, expected: (usize, Option<Kind>)) {
        let server = Server::start(parts, false);
        let (pieces, end) = streamed(&server, in_time()).await;
        assert_eq!((pieces.len(), end), expected, "{pieces:?}");
        server.sent().await;
    }

    #[tokio::test]
    async fn an_answer_comes_back_and_the_key_went_in_its_header() {
        let body = r#"{"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}],
            "usage":{"prompt_tokens":5,"completion_tokens":1}}"#;
        let server = Server::start(whole("200 OK", "", body), false);
        let client = server.client();
        let answer = client.complete(&prompt(), in_time()).await.unwrap();
        assert_eq!(answer.message, Message::text(Role::Assistant, "hello"));
        assert_eq!(answer.usage.input, Some(5));
        let shown = format!("{client:?} {:?}", server.settings);
        assert!(!shown.contains(KEY));
        let request = server.sent().await;
        assert!(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
        assert!(request.contains("authorization: Bearer sk-very-secret\r\n"));
        assert!(request.ends_with(r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#));
    }

    #[tokio::test]
    async fn a_429_says_how_long_to_wait() {
        let body = r#"{"error":{"message":"slow down, sk-very-secret","type":"requests","code":"rate_limit_exceeded"}}"#;
        check_refused(
            whole("429 Too Many Requests", "retry-after: 7\r\n", body),
            Error {
                retry_after: Some(Duration::from_secs(7)),
                status: Some(429),
                code: Some("rate_limit_exceeded".into()),
                ..Kind::RateLimited.into()
            },
        )
        .await;
    }

    #[tokio::test]
    async fn a_500_with_any_body_is_the_providers_fault() {
        check_refused(
            whole("500 Internal Server Error", "", "<html>oops</html>"),
            Error {
                status: Some(500),
                ..Kind::ServerError.into()
            },
        )
        .await;
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        check_refused(
            whole("302 Found", "location: http://127.0.0.1:1/\r\n", ""),
            Error {
                status: Some(302),
                ..Kind::ModelUnknown.into()
            },
        )
        .await;
    }

    #[tokio::test]
    async fn a_body_cut_short_is_a_cut() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"choices\":[";
        check_refused(vec![head.into()], Kind::Cut.into()).await;
    }

    #[tokio::test]
    async fn an_answer_larger_than_allowed_is_not_read() {
        let mut server = Server::start(whole("200 OK", "", &"x".repeat(1000)), false);
        server.settings.max_answer_bytes = 999;
        let answer = server.client().complete(&prompt(), in_time()).await;
        assert_eq!(answer.unwrap_err(), Kind::TooLarge.into());
    }

    /// A listener that nobody serves: connections are taken by the system, and then nothing.
    fn silent() -> (TcpListener, Settings) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        (listener, Settings::new(base_url, None))
    }

    #[tokio::test]
    async fn silence_before_the_answer_ends_at_the_deadline_or_with_our_patience() {
        let (_listener, mut settings) = silent();
        let transport = Transport::new().unwrap();
        let client = OpenAi::new(settings.clone(), &transport).unwrap();
        let soon = Instant::now() + Duration::from_millis(1);
        let answer = client.complete(&prompt(), soon).await;
        assert_eq!(answer.unwrap_err(), Kind::DeadlineExceeded.into());
        let stream = client.stream(&prompt(), soon).await;
        assert_eq!(stream.err(), Some(Kind::DeadlineExceeded.into()));

        settings.patience = Duration::from_millis(1);
        let client = OpenAi::new(settings, &transport).unwrap();
        let answer = client.complete(&prompt(), in_time()).await;
        assert_eq!(answer.unwrap_err(), Kind::Timeout.into());
    }

    #[tokio::test]
    async fn silence_within_the_answer_ends_at_the_deadline_or_with_our_patience() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{";
        let server = Server::start(vec![head.into()], true);
        let client = server.client();
        let mut response = client.send(&prompt(), false, in_time()).await.unwrap();
        let patience = client.settings.patience;
        let first = chunk(&mut response, in_time(), patience).await;
        assert_eq!(first, Ok(Some("{".into())));
        // The head is here and no more will come, so a deadline that has passed waits for nothing.
        let rest = chunk(&mut response, Instant::now(), patience).await;
        assert_eq!(rest, Err(Kind::DeadlineExceeded.into()));
        let rest = chunk(&mut response, in_time(), Duration::ZERO).await;
        assert_eq!(rest, Err(Kind::Timeout.into()));
        drop(response);
        server.sent().await;
    }

    #[tokio::test]
    async fn nobody_listening_is_unreachable() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let transport = Transport::new().unwrap();
        let client = OpenAi::new(Settings::new(base_url, None), &transport).unwrap();
        let answer = client.complete(&prompt(), in_time()).await;
        assert_eq!(answer.unwrap_err(), Kind::Unreachable.into());
    }

    #[tokio::test]
    async fn a_whole_stream_ends_with_its_usage() {
        let mut parts = events(&[HELLO, STOP, USAGE, "[DONE]"]);
        parts.push(END.into());
        let server = Server::start(parts, false);
        let (pieces, end) = streamed(&server, in_time()).await;
        let usage = Usage {
            input: Some(5),
            output: Some(1),
            ..Usage::default()
        };
        let done = Piece::Done {
            finish_reason: FinishReason::Stop,
            usage,
        };
        assert_eq!(pieces, [Piece::Text("hello".into()), done]);
        assert_eq!(end, None);
        let request = server.sent().await;
        assert!(request.contains(r#""stream_options":{"include_usage":true}"#));
    }

    #[tokio::test]
    async fn a_stream_that_stops_early_never_looks_whole() {
        // The connection dies after a piece; after the reason; and ends well but without [DONE].
        check_stream(events(&[HELLO]), (1, Some(Kind::Cut))).await;
        check_stream(events(&[HELLO, STOP]), (1, Some(Kind::Cut))).await;
        let mut parts = events(&[HELLO, STOP]);
        parts.push(END.into());
        check_stream(parts, (1, Some(Kind::Cut))).await;
    }

    #[tokio::test]
    async fn a_stream_that_stalls_ends_at_the_deadline() {
        let server = Server::start(events(&[HELLO]), true);
        let client = server.client();
        let response = client.send(&prompt(), true, in_time()).await.unwrap();
        let mut upstream = Upstream::new(response, in_time(), client.settings.patience);
        let first = upstream.next().await;
        assert_eq!(first, Ok(Some(Piece::Text("hello".into()))));
        upstream.deadline = Instant::now();
        assert_eq!(upstream.next().await, Err(Kind::DeadlineExceeded.into()));
        drop(upstream);
        server.sent().await;
    }

    #[test]
    fn wrong_settings_are_refused_before_any_call() {
        let transport = Transport::new().unwrap();
        let refused = |url: &str, key: &str| {
            OpenAi::new(Settings::new(url, Some(ApiKey::new(key))), &transport).err()
        };
        assert_eq!(refused("localhost", KEY), Some(SetupError::BaseUrl));
        assert_eq!(refused("ftp://localhost", KEY), Some(SetupError::BaseUrl));
        let two_lines = refused("http://localhost", "a\nb");
        assert_eq!(two_lines, Some(SetupError::ApiKey));
    }
}
