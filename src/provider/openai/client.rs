//! A chat-completions endpoint.
//!
//! Not here: bodies (`request`, `reply`, `delta`, `embedding`), the call itself (`call`).

use super::delta::Gathered;
use super::{embedding, reply, request};
use crate::provider::call::{ApiKey, Caller, MAX_ANSWER_BYTES};
use crate::provider::transport::{SetupError, Transport, below, uri};
use crate::provider::{Answer, Embedded, Error, Patience, Pieces, Prompt, Provider};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Uri;
use http::header::{AUTHORIZATION, HeaderName};
use std::fmt;
use url::Url;

/// The field that carries the most output tokens; servers refuse the one that they do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputLimit {
    /// `max_completion_tokens`, today's name.
    #[default]
    MaxCompletionTokens,
    /// `max_tokens`, the older name.
    MaxTokens,
}

/// How addresses are made and the key is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scheme {
    /// `BASE/chat/completions`, key as `Authorization: Bearer`.
    #[default]
    Plain,
    /// `BASE/openai/deployments/MODEL/chat/completions?api-version=VERSION`, key as `api-key`.
    Azure {
        /// The deployment.
        deployment: String,
        /// The version of the API, such as `2024-10-21`.
        api_version: String,
    },
}

/// How to reach an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Address up to and without `/chat/completions`, such as `https://api.openai.com/v1`; of Azure
    /// up to and without `/openai`.
    pub base_url: String,
    /// How addresses are made and the key is sent.
    pub scheme: Scheme,
    /// The key. Absent: none is sent.
    pub api_key: Option<ApiKey>,
    /// Which field carries the output limit.
    pub output_limit: OutputLimit,
    /// Most bytes of a whole answer.
    pub max_answer_bytes: usize,
}

impl Settings {
    /// For `base_url`: 16 MiB of answer.
    pub fn new(base_url: impl Into<String>, api_key: Option<ApiKey>) -> Self {
        Self {
            base_url: base_url.into(),
            scheme: Scheme::default(),
            api_key,
            output_limit: OutputLimit::default(),
            max_answer_bytes: MAX_ANSWER_BYTES,
        }
    }

    fn url(&self, what: &str) -> Result<Url, SetupError> {
        let azure = match &self.scheme {
            Scheme::Plain => None,
            Scheme::Azure { deployment, .. } => Some(["openai", "deployments", deployment]),
        };
        let path = azure.into_iter().flatten().chain(what.split('/'));
        let mut url = below(self.base_url.trim_end_matches('/'), path)?;
        if let Scheme::Azure { api_version, .. } = &self.scheme {
            url.query_pairs_mut()
                .append_pair("api-version", api_version);
        }
        Ok(url)
    }
}

/// The provider.
pub struct OpenAi {
    caller: Caller,
    chat: Uri,
    embeddings: Uri,
    output_limit: OutputLimit,
}

impl fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a secret too.
        f.debug_struct("OpenAi")
            .field("host", &self.chat.host())
            .finish_non_exhaustive()
    }
}

impl OpenAi {
    /// Checks the settings; connects to nothing yet.
    pub fn new(settings: Settings, transport: &Transport) -> Result<Self, SetupError> {
        let (chat, embeddings) = (
            settings.url("chat/completions")?,
            settings.url("embeddings")?,
        );
        let (header, scheme) = match settings.scheme {
            Scheme::Plain => (AUTHORIZATION, "Bearer "),
            Scheme::Azure { .. } => (HeaderName::from_static("api-key"), ""),
        };
        let most = settings.max_answer_bytes;
        let caller = Caller::new(&chat, transport, most, reply::refused)?;
        Ok(Self {
            caller: caller.with_key(header, scheme, settings.api_key.as_ref())?,
            chat: uri(&chat)?,
            embeddings: uri(&embeddings)?,
            output_limit: settings.output_limit,
        })
    }
}

impl Provider for OpenAi {
    fn complete<'a>(
        &'a self,
        prompt: Prompt<'a>,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Answer, Error>> {
        async move {
            let body = request::body(&prompt, false, self.output_limit)?;
            self.caller
                .answer(&self.chat, body, patience, reply::read)
                .await
        }
        .boxed()
    }

    fn stream<'a>(
        &'a self,
        prompt: Prompt<'a>,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Pieces, Error>> {
        async move {
            let body = request::body(&prompt, true, self.output_limit)?;
            let gathered = Gathered::default();
            self.caller
                .pieces(&self.chat, body, patience, gathered)
                .await
        }
        .boxed()
    }

    fn embed<'a>(
        &'a self,
        model: &'a str,
        texts: &'a [String],
        dimensions: Option<u32>,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Embedded, Error>> {
        async move {
            let body = embedding::body(model, texts, dimensions)?;
            let (body, _) = self.caller.whole(&self.embeddings, body, patience).await?;
            embedding::read(&body, texts.len())
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Message, Role};
    use crate::decision::Usage;
    use crate::provider::testing::{self, KEY, events, hi, in_time, whole};
    use crate::provider::{FinishReason, Kind, Piece};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::Notify;
    use tokio::time::Instant;

    /// A server and how to reach it.
    struct Server {
        settings: Settings,
        server: testing::Server,
    }

    impl Server {
        fn start(parts: Vec<String>, hangs: bool) -> Self {
            let server = testing::Server::start(parts, hangs);
            let base_url = format!("{}/v1", server.base_url);
            Self {
                settings: Settings::new(base_url, Some(ApiKey::new(KEY))),
                server,
            }
        }

        async fn sent(self) -> String {
            self.server.sent().await
        }

        fn client(&self) -> OpenAi {
            OpenAi::new(self.settings.clone(), &Transport::new()).unwrap()
        }
    }

    const HELLO: &str = r#"{"choices":[{"delta":{"content":"hello"}}]}"#;
    const STOP: &str = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1}}"#;
    const END: &str = "0\r\n\r\n";

    async fn asked(client: &OpenAi, patience: Patience) -> Result<Answer, Error> {
        client.complete(Prompt::new("m", &hi()), patience).await
    }

    async fn check_refused(answer: Vec<String>, expected: Error) {
        let server = Server::start(answer, false);
        let error = asked(&server.client(), in_time()).await.unwrap_err();
        assert_eq!(error, expected);
        assert!(!format!("{error:?} {error}").contains(KEY));
        server.sent().await;
    }

    /// The pieces before the end of the stream, and how it ended.
    async fn streamed(server: &Server, patience: Patience) -> (Vec<Piece>, Option<Kind>) {
        testing::streamed(&server.client(), patience).await
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
        let answer = asked(&client, in_time()).await.unwrap();
        assert_eq!(answer.message, Message::text(Role::Assistant, "hello"));
        assert_eq!(answer.usage.input, Some(5));
        let shown = format!("{client:?} {:?}", server.settings);
        assert!(!shown.contains(KEY));
        let request = server.sent().await;
        assert!(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
        assert!(request.contains("authorization: Bearer sk-very-secret\r\n"));
        assert!(request.ends_with(r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#));
    }

    /// Streams an answer whose last chunk comes apart, once the answer has been read.
    async fn ends_apart(mut stream: tokio::net::TcpStream, (read, ended): &(Notify, Notify)) {
        let answer = events(&[HELLO, STOP, "[DONE]"]).concat();
        let mut request = Vec::new();
        while stream.read_buf(&mut request).await.unwrap() > 0 {
            if request.ends_with(b"}") {
                request.clear();
                stream.write_all(answer.as_bytes()).await.unwrap();
                read.notified().await;
                stream.write_all(END.as_bytes()).await.unwrap();
                ended.notify_one();
            }
        }
    }

    #[tokio::test]
    async fn a_stream_whose_end_comes_apart_leaves_its_connection_to_the_next() {
        const ROUNDS: usize = 20;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let told = Arc::new((Notify::new(), Notify::new()));
        let taken = Arc::new(AtomicUsize::new(0));
        let (heard, counted) = (Arc::clone(&told), Arc::clone(&taken));
        let mut server = tokio::task::JoinSet::new();
        server.spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                let heard = Arc::clone(&heard);
                connections.spawn(async move { ends_apart(stream, &heard).await });
            }
        });
        let client = OpenAi::new(Settings::new(base_url, None), &Transport::new()).unwrap();
        for _ in 0..ROUNDS {
            let (pieces, end) = testing::streamed(&client, in_time()).await;
            assert_eq!((pieces.len(), end), (2, None));
            told.0.notify_one();
            told.1.notified().await;
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
        }
        // One is enough where its end is read before the next call begins, which nothing here can wait for.
        let taken = taken.load(Ordering::Relaxed);
        assert!(taken <= ROUNDS / 2, "{taken} connections");
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
        let answer = asked(&server.client(), in_time()).await;
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
        let (_listener, settings) = silent();
        let client = OpenAi::new(settings, &Transport::new()).unwrap();
        let soon = Patience::until(Instant::now() + Duration::from_millis(1));
        let answer = asked(&client, soon).await;
        assert_eq!(answer.unwrap_err(), Kind::DeadlineExceeded.into());
        let stream = client.stream(Prompt::new("m", &hi()), soon).await;
        assert_eq!(stream.err(), Some(Kind::DeadlineExceeded.into()));
        let short = Duration::from_millis(1);
        let total = Patience {
            total: short,
            ..in_time()
        };
        assert_eq!(asked(&client, total).await, Err(Kind::Timeout.into()));
        let first = Patience {
            first: short,
            ..in_time()
        };
        let stream = client.stream(Prompt::new("m", &hi()), first).await;
        assert_eq!(stream.err(), Some(Kind::Timeout.into()));
    }

    #[tokio::test]
    async fn silence_within_the_answer_ends_with_our_patience() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{";
        let server = Server::start(vec![head.into()], true);
        let total = Patience {
            total: Duration::from_millis(20),
            ..in_time()
        };
        let answer = asked(&server.client(), total).await;
        assert_eq!(answer, Err(Kind::Timeout.into()));
        server.sent().await;
    }

    #[tokio::test]
    async fn nobody_listening_is_unreachable() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let transport = Transport::new();
        let client = OpenAi::new(Settings::new(base_url, None), &transport).unwrap();
        let answer = asked(&client, in_time()).await;
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
        let hello = Piece::Text("hello".into());
        assert_eq!(pieces, [hello, Piece::Told(usage), done]);
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
    async fn a_stream_that_stalls_ends_with_our_patience_whatever_signs_of_life_it_gives() {
        let patience = Patience {
            idle: Duration::from_millis(20),
            ..in_time()
        };
        for alive in [events(&[]), vec!["3\r\n:.\n\r\n".to_owned()]] {
            let mut parts = events(&[HELLO]);
            parts.extend(alive.into_iter().filter(|part| !part.starts_with("HTTP")));
            let server = Server::start(parts, true);
            let (pieces, end) = streamed(&server, patience).await;
            assert_eq!(pieces, [Piece::Text("hello".into())]);
            assert_eq!(end, Some(Kind::Timeout));
            server.sent().await;
        }
    }

    #[test]
    fn an_address_is_made_by_the_scheme() {
        let plain = Settings::new("https://api.example.org/v1/", None);
        let url = |settings: &Settings| settings.url("chat/completions").unwrap().to_string();
        assert_eq!(url(&plain), "https://api.example.org/v1/chat/completions");
        let azure = Settings {
            scheme: Scheme::Azure {
                deployment: "my model".into(),
                api_version: "2024-10-21".into(),
            },
            ..Settings::new("https://me.example.org", None)
        };
        assert_eq!(
            url(&azure),
            "https://me.example.org/openai/deployments/my%20model/chat/completions?api-version=2024-10-21"
        );
    }

    #[test]
    fn wrong_settings_are_refused_before_any_call() {
        let transport = Transport::new();
        let refused = |url: &str, key: &str| {
            OpenAi::new(Settings::new(url, Some(ApiKey::new(key))), &transport).err()
        };
        assert_eq!(refused("localhost", KEY), Some(SetupError::BaseUrl));
        assert_eq!(refused("ftp://localhost", KEY), Some(SetupError::BaseUrl));
        let two_lines = refused("http://localhost", "a\nb");
        assert_eq!(two_lines, Some(SetupError::ApiKey));
    }
}
