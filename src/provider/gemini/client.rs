//! A Gemini endpoint.
//!
//! Not here: bodies (`request`, `reply`, `delta`, `embedding`), the call itself (`call`).

use super::delta::Gathered;
use super::thinking::Thinking;
use super::{embedding, reply, request, turns};
use crate::provider::call::Caller;
use crate::provider::transport::{SetupError, Transport, below, uri};
use crate::provider::{
    Answer, Embedded, Error, Kind, Patience, Pieces, Prompt, Provider, settings,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Uri;
use http::header::HeaderName;
use std::fmt;
use url::Url;

/// How to reach an endpoint: the address before `/v1beta`; the key is sent as `x-goog-api-key`.
pub type Settings = settings::Settings<Thinking>;

impl Settings {
    /// Google's own address.
    pub const BASE_URL: &'static str = "https://generativelanguage.googleapis.com";
}

/// The provider.
pub struct Gemini {
    caller: Caller,
    base: Url,
    thinking: Thinking,
}

impl fmt::Debug for Gemini {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a secret too.
        f.debug_struct("Gemini")
            .field("host", &self.base.host_str())
            .finish_non_exhaustive()
    }
}

impl Gemini {
    /// Checks the settings; connects to nothing yet.
    pub fn new(settings: Settings, transport: &Transport) -> Result<Self, SetupError> {
        let base = below(&settings.base_url, ["v1beta"])?;
        let most = settings.max_answer_bytes;
        let key = settings.api_key.as_ref();
        let caller = Caller::new(&base, transport, most, reply::refused)?;
        Ok(Self {
            caller: caller.with_key(HeaderName::from_static("x-goog-api-key"), "", key)?,
            base,
            thinking: settings.thinking,
        })
    }

    /// The address of a method of a model.
    fn at(&self, model: &str, method: &str, streamed: bool) -> Result<Uri, Error> {
        let called = format!("{}:{method}", resource(model));
        let url = below(self.base.as_str(), called.split('/')).and_then(|mut url| {
            if streamed {
                url.query_pairs_mut().append_pair("alt", "sse");
            }
            uri(&url)
        });
        url.map_err(|_| Kind::InvalidRequest.into())
    }
}

/// A model's full name: `models/NAME`, unless it is a full name already (`tunedModels/...`).
fn resource(model: &str) -> String {
    match model.contains('/') {
        true => model.to_owned(),
        false => format!("models/{model}"),
    }
}

impl Provider for Gemini {
    fn complete<'a>(
        &'a self,
        prompt: Prompt<'a>,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Answer, Error>> {
        async move {
            let to = self.at(prompt.model, "generateContent", false)?;
            let body = request::body(&prompt, self.thinking)?;
            let number = turns::next_number(prompt.messages);
            let read = |body: &[u8]| reply::read(body, number);
            self.caller.answer(&to, body, patience, read).await
        }
        .boxed()
    }

    fn stream<'a>(
        &'a self,
        prompt: Prompt<'a>,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Pieces, Error>> {
        async move {
            let to = self.at(prompt.model, "streamGenerateContent", true)?;
            let body = request::body(&prompt, self.thinking)?;
            let gathered = Gathered::new(turns::next_number(prompt.messages));
            self.caller.pieces(&to, body, patience, gathered).await
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
            let to = self.at(model, "batchEmbedContents", false)?;
            let body = embedding::body(&resource(model), texts, dimensions)?;
            let (body, _) = self.caller.whole(&to, body, patience).await?;
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
    use crate::provider::call::ApiKey;
    use crate::provider::testing::{KEY, Server, events, hi, in_time, streamed, whole};
    use crate::provider::{FinishReason, Piece};
    use std::time::Duration;

    const HELLO: &str = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"hello"}]}}],"usageMetadata":{"promptTokenCount":5}}"#;
    const STOP: &str = r#"{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2}}"#;
    const END: &str = "0\r\n\r\n";

    fn client(server: &Server) -> Gemini {
        let settings = Settings::new(&server.base_url, Some(ApiKey::new(KEY)));
        Gemini::new(settings, &Transport::new()).unwrap()
    }

    /// How many pieces come of these events, and how the stream ends where the connection ends well or not.
    async fn check_stream(data: &[&str], ends_well: bool, expected: (usize, Option<Kind>)) {
        let mut parts = events(data);
        parts.extend(ends_well.then(|| END.to_owned()));
        let server = Server::start(parts, false);
        let (pieces, end) = streamed(&client(&server), in_time()).await;
        assert_eq!((pieces.len(), end), expected, "{pieces:?}");
        server.sent().await;
    }

    #[tokio::test]
    async fn an_answer_comes_back_and_the_key_went_in_its_header() {
        let body = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"hello"}]},
            "finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":1}}"#;
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
        assert!(request.starts_with("POST /v1beta/models/m:generateContent HTTP/1.1\r\n"));
        assert!(request.contains("x-goog-api-key: sk-very-secret\r\n"));
        assert!(request.ends_with(r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#));
    }

    #[tokio::test]
    async fn a_whole_stream_ends_with_the_connection_after_its_reason() {
        let mut parts = events(&[HELLO, STOP]);
        parts.push(END.into());
        let server = Server::start(parts, false);
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
        let first = Usage {
            output: None,
            ..usage
        };
        let hello = Piece::Text("hello".into());
        let (first, told) = (Piece::Told(first), Piece::Told(usage));
        assert_eq!(pieces, [hello, first, told, done]);
        assert_eq!(end, None);
        let request = server.sent().await;
        let line = "POST /v1beta/models/m:streamGenerateContent?alt=sse HTTP/1.1\r\n";
        assert!(request.starts_with(line));
    }

    #[tokio::test]
    async fn a_stream_that_stops_early_never_looks_whole() {
        let cut = Some(Kind::Cut);
        // After the one piece of the answer the tokens are told, and at the reason once more.
        check_stream(&[HELLO], true, (2, cut)).await;
        check_stream(&[HELLO], false, (2, cut)).await;
        // The reason came, but the connection broke: more may have been on its way.
        check_stream(&[HELLO, STOP], false, (3, cut)).await;
        check_stream(&[], true, (0, cut)).await;
    }

    #[tokio::test]
    async fn a_spent_quota_says_how_long_to_wait_in_its_body() {
        let body = r#"{"error":{"code":429,"message":"quota, sk-very-secret","status":"RESOURCE_EXHAUSTED",
            "details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[]},
            {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"27s"}]}}"#;
        let server = Server::start(whole("429 Too Many Requests", "", body), false);
        let client = client(&server);
        let messages = hi();
        let error = client
            .complete(Prompt::new("m", &messages), in_time())
            .await;
        let expected = Error {
            retry_after: Some(Duration::from_secs(27)),
            status: Some(429),
            code: Some("resource_exhausted".into()),
            ..Kind::RateLimited.into()
        };
        assert_eq!(error, Err(expected));
        server.sent().await;
    }

    #[tokio::test]
    async fn texts_become_vectors() {
        let body = r#"{"embeddings":[{"values":[1,2]},{"values":[3,4]}]}"#;
        let server = Server::start(whole("200 OK", "", body), false);
        let texts = ["a".to_owned(), "b".to_owned()];
        let client = client(&server);
        let embedded = client.embed("m", &texts, None, in_time()).await.unwrap();
        assert_eq!(embedded.vectors, [[1.0, 2.0], [3.0, 4.0]]);
        let request = server.sent().await;
        assert!(request.starts_with("POST /v1beta/models/m:batchEmbedContents HTTP/1.1\r\n"));
    }

    #[test]
    fn an_address_is_made_of_the_model_and_cannot_leave_the_base() {
        let settings = Settings::new("https://example.org/", None);
        let client = Gemini::new(settings, &Transport::new()).unwrap();
        let url = |model: &str| client.at(model, "do", false).unwrap().to_string();
        assert_eq!(url("a b?"), "https://example.org/v1beta/models/a%20b%3F:do");
        assert_eq!(
            url("tunedModels/x"),
            "https://example.org/v1beta/tunedModels/x:do"
        );
        let wrong = Settings::new("localhost", None);
        let refused = Gemini::new(wrong, &Transport::new());
        assert_eq!(refused.err(), Some(SetupError::BaseUrl));
    }
}
