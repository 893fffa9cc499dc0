//! A messages endpoint.
//!
//! Not here: bodies (`request`, `reply`, `delta`), the call itself (`call`).

use super::delta::Gathered;
use super::thinking::Thinking;
use super::{reply, request};
use crate::provider::call::Caller;
use crate::provider::transport::{SetupError, Transport, below, uri};
use crate::provider::{Answer, Error, Patience, Pieces, Prompt, Provider, settings};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Uri;
use http::header::HeaderName;
use std::fmt;

/// The version of the API that this dialect is.
const VERSION: &str = "2023-06-01";

/// How to reach an endpoint: the address before `/v1/messages`; the key is sent as `x-api-key`.
pub type Settings = settings::Settings<Thinking>;

impl Settings {
    /// Anthropic's own address.
    pub const BASE_URL: &'static str = "https://api.anthropic.com";
}

/// The provider.
pub struct Anthropic {
    caller: Caller,
    messages: Uri,
    thinking: Thinking,
}

impl fmt::Debug for Anthropic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a secret too.
        f.debug_struct("Anthropic")
            .field("host", &self.messages.host())
            .finish_non_exhaustive()
    }
}

impl Anthropic {
    /// Checks the settings; connects to nothing yet.
    pub fn new(settings: Settings, transport: &Transport) -> Result<Self, SetupError> {
        let messages = below(&settings.base_url, ["v1", "messages"])?;
        let most = settings.max_answer_bytes;
        let key = settings.api_key.as_ref();
        let caller = Caller::new(&messages, transport, most, reply::refused)?
            .with_key(HeaderName::from_static("x-api-key"), "", key)?
            .with_header(HeaderName::from_static("anthropic-version"), VERSION);
        Ok(Self {
            caller,
            messages: uri(&messages)?,
            thinking: settings.thinking,
        })
    }
}

impl Provider for Anthropic {
    fn complete<'a>(
        &'a self,
        prompt: Prompt<'a>,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Answer, Error>> {
        async move {
            let body = request::body(&prompt, false, self.thinking)?;
            self.caller
                .answer(&self.messages, body, patience, reply::read)
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
            let body = request::body(&prompt, true, self.thinking)?;
            let gathered = Gathered::default();
            self.caller
                .pieces(&self.messages, body, patience, gathered)
                .await
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Message, Role};
    use crate::decision::Usage;
    use crate::provider::call::ApiKey;
    use crate::provider::testing::{KEY, Server, events, hi, in_time, streamed, whole};
    use crate::provider::{FinishReason, Kind, Piece};
    use std::time::Duration;

    const START: &str =
        r#"{"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":1}}}"#;
    const OPEN: &str =
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
    const HELLO: &str =
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hello"}}"#;
    const CLOSE: &str = r#"{"type":"content_block_stop","index":0}"#;
    const REASON: &str = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#;
    const STOP: &str = r#"{"type":"message_stop"}"#;
    const PING: &str = r#"{"type":"ping"}"#;

    fn client(server: &Server) -> Anthropic {
        let settings = Settings::new(&server.base_url, Some(ApiKey::new(KEY)));
        Anthropic::new(settings, &Transport::new()).unwrap()
    }

    /// What [`START`] says of the tokens.
    fn started() -> Piece {
        Piece::Told(Usage {
            input: Some(5),
            output: Some(1),
            ..Usage::default()
        })
    }

    async fn check_stream(data: &[&str], expected: (usize, Option<Kind>)) {
        let server = Server::start(events(data), false);
        let (pieces, end) = streamed(&client(&server), in_time()).await;
        assert_eq!((pieces.len(), end), expected, "{pieces:?}");
        server.sent().await;
    }

    #[tokio::test]
    async fn an_answer_comes_back_and_key_and_version_went_in_their_headers() {
        let body = r#"{"type":"message","role":"assistant","content":[{"type":"text","text":"hello"}],
            "stop_reason":"end_turn","usage":{"input_tokens":5,"output_tokens":1}}"#;
        let server = Server::start(whole("200 OK", "", body), false);
        let client = client(&server);
        let messages = hi();
        let answer = client
            .complete(Prompt::new("m", &messages), in_time())
            .await;
        let answer = answer.unwrap();
        assert_eq!(answer.message, Message::text(Role::Assistant, "hello"));
        assert_eq!(answer.usage.input, Some(5));
        assert!(!format!("{client:?}").contains(KEY));
        let request = server.sent().await;
        assert!(request.starts_with("POST /v1/messages HTTP/1.1\r\n"));
        assert!(request.contains("x-api-key: sk-very-secret\r\n"));
        assert!(request.contains("anthropic-version: 2023-06-01\r\n"));
    }

    #[tokio::test]
    async fn a_whole_stream_ends_with_its_usage() {
        let data = [START, PING, OPEN, HELLO, CLOSE, REASON, STOP];
        let server = Server::start(events(&data), false);
        let (pieces, end) = streamed(&client(&server), in_time()).await;
        let usage = Usage {
            input: Some(5),
            output: Some(2),
            ..Usage::default()
        };
        let done = Piece::Done {
            finish_reason: FinishReason::Stop,
            usage,
        };
        let hello = Piece::Text("hello".into());
        assert_eq!(pieces, [started(), hello, Piece::Told(usage), done]);
        assert_eq!(end, None);
        assert!(server.sent().await.ends_with(r#""stream":true}"#));
    }

    #[tokio::test]
    async fn a_stream_that_stops_early_never_looks_whole() {
        let all = [START, OPEN, HELLO, CLOSE, REASON];
        // The tokens are told before and, of the last one, after the one piece of the answer.
        check_stream(&all[..3], (2, Some(Kind::Cut))).await;
        check_stream(&all[..4], (2, Some(Kind::Cut))).await;
        check_stream(&all, (3, Some(Kind::Cut))).await;
    }

    #[tokio::test]
    async fn a_stream_that_only_says_that_it_is_alive_ends_with_our_patience() {
        let server = Server::start(events(&[START, OPEN, HELLO, PING, PING]), true);
        let patience = Patience {
            idle: Duration::from_millis(20),
            ..in_time()
        };
        let (pieces, end) = streamed(&client(&server), patience).await;
        assert_eq!(pieces, [started(), Piece::Text("hello".into())]);
        assert_eq!(end, Some(Kind::Timeout));
        server.sent().await;
    }

    #[tokio::test]
    async fn a_refusal_says_how_long_to_wait_and_none_of_its_words() {
        let body = r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow, sk-very-secret"}}"#;
        let answer = whole("429 Too Many Requests", "retry-after: 7\r\n", body);
        let server = Server::start(answer, false);
        let messages = hi();
        let client = client(&server);
        let error = client
            .complete(Prompt::new("m", &messages), in_time())
            .await;
        let expected = Error {
            retry_after: Some(Duration::from_secs(7)),
            status: Some(429),
            code: Some("rate_limit_error".into()),
            ..Kind::RateLimited.into()
        };
        assert_eq!(error, Err(expected));
        server.sent().await;
    }

    #[test]
    fn wrong_settings_are_refused_before_any_call() {
        let transport = Transport::new();
        let refused = |url: &str, key: &str| {
            let settings = Settings::new(url, Some(ApiKey::new(key)));
            Anthropic::new(settings, &transport).err()
        };
        assert_eq!(refused("localhost", KEY), Some(SetupError::BaseUrl));
        let two_lines = refused("http://localhost", "a\nb");
        assert_eq!(two_lines, Some(SetupError::ApiKey));
    }
}
