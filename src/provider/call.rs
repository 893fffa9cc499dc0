//! One call over HTTP, whatever the dialect: a body goes out, a whole answer or the pieces of a streamed
//! one come back.
//!
//! Invariants: nothing is read past [`Caller`]'s limit of bytes or past the [`Patience`]; the key is in
//! one header, marked sensitive, and in no `Debug`; a stream whose connection ends before its dialect says
//! so is [`Kind::Cut`].
//!
//! Not here: bodies (each dialect's own files), connections (`transport`).

use super::asked_wait::Asked;
use super::patience::{Patience, Waiting};
use super::sse::Events;
use super::transport::{Client, SetupError, Transport, broken};
use super::{Answer, Error, FinishReason, Kind, Piece, Pieces};
use crate::chat::Message;
use crate::decision::Usage;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::{
    ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue, USER_AGENT,
};
use http::{Method, Request, Response, Uri};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;
use url::Url;

/// A secret that never shows.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes the key.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// As the value of a header, after `scheme` (`"Bearer "`, or nothing).
    fn header(&self, scheme: &str) -> Result<HeaderValue, InvalidHeaderValue> {
        let mut value = HeaderValue::from_str(&format!("{scheme}{}", self.0))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// What a dialect makes of the events of a streamed answer.
pub(super) trait Gather: Send + 'static {
    /// Takes the data of one event, adds the pieces that it completes, and says whether the answer came
    /// on: an event that only says that the provider is alive did not bring it on.
    fn take(&mut self, data: &str, out: &mut VecDeque<Piece>) -> Result<bool, Error>;

    /// Whether [`Piece::Done`] has been added.
    fn done(&self) -> bool;

    /// The connection ended well: the end of the answer where the dialect has no other sign of it.
    fn end(&mut self, _out: &mut VecDeque<Piece>) -> Result<(), Error> {
        Err(Kind::Cut.into())
    }
}

/// What the body of a refusal says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Refused {
    /// Its code; or ours, where its words say what its code does not.
    pub(super) code: Option<String>,
    /// How long it asks us to wait.
    pub(super) retry_after: Option<Duration>,
}

/// A whole answer is read this far, unless an endpoint's settings say otherwise.
pub(super) const MAX_ANSWER_BYTES: usize = 16 << 20;

/// A streamed answer is read this far: events repeat what frames them, so it may be larger than a whole one.
const MAX_STREAM_BYTES: usize = 128 << 20;

/// How long the end of a body is waited for whose answer is over, so that its connection can be used again.
const END_PATIENCE: Duration = Duration::from_millis(100);

/// A refusal's body is read this far, and this long.
const MAX_REFUSAL_BYTES: usize = 64 << 10;
const REFUSAL_PATIENCE: Duration = Duration::from_secs(2);

const AGENT: &str = concat!("bellwether/", env!("CARGO_PKG_VERSION"));

/// Makes calls to one endpoint.
pub(super) struct Caller {
    client: Client,
    headers: HeaderMap,
    max_answer_bytes: usize,
    /// Reads the body of a refusal.
    refused: fn(&[u8]) -> Refused,
}

impl Caller {
    /// To `url`'s scheme and host. Connects to nothing yet.
    pub(super) fn new(
        url: &Url,
        transport: &Transport,
        max_answer_bytes: usize,
        refused: fn(&[u8]) -> Refused,
    ) -> Result<Self, SetupError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        Ok(Self {
            client: transport.client(url)?,
            headers,
            max_answer_bytes,
            refused,
        })
    }

    /// Sends the key in this header.
    pub(super) fn with_key(
        mut self,
        header: HeaderName,
        scheme: &str,
        key: Option<&ApiKey>,
    ) -> Result<Self, SetupError> {
        if let Some(key) = key {
            let value = key.header(scheme).map_err(|_| SetupError::ApiKey)?;
            self.headers.insert(header, value);
        }
        Ok(self)
    }

    /// Sends this header too.
    pub(super) fn with_header(mut self, header: HeaderName, value: &'static str) -> Self {
        self.headers.insert(header, HeaderValue::from_static(value));
        self
    }

    /// Sends `body` and has the whole answer read by `read`.
    pub(super) async fn answer(
        &self,
        to: &Uri,
        body: Vec<u8>,
        patience: Patience,
        read: impl FnOnce(&[u8]) -> Result<(Message, FinishReason, Usage), Error>,
    ) -> Result<Answer, Error> {
        let (body, latency) = self.whole(to, body, patience).await?;
        let (message, finish_reason, usage) = read(&body)?;
        Ok(Answer {
            message,
            finish_reason,
            usage,
            latency,
        })
    }

    /// Sends `body` and reads the whole answer, with how long it took.
    pub(super) async fn whole(
        &self,
        to: &Uri,
        body: Vec<u8>,
        patience: Patience,
    ) -> Result<(Bytes, Duration), Error> {
        let mut waiting = Waiting::whole(patience);
        let response = self
            .send(to, body, "application/json", &mut waiting)
            .await?;
        let mut upstream = response.into_body();
        let mut answer = chunk(&mut upstream, &mut waiting)
            .await?
            .unwrap_or_default();
        // Most answers are one chunk, which is not copied.
        if !upstream.is_end_stream() {
            let mut gathered = Vec::from(answer);
            while gathered.len() <= self.max_answer_bytes
                && let Some(bytes) = chunk(&mut upstream, &mut waiting).await?
            {
                gathered.extend_from_slice(&bytes);
            }
            answer = gathered.into();
        }
        if answer.len() > self.max_answer_bytes {
            return Err(Kind::TooLarge.into());
        }
        Ok((answer, waiting.elapsed()))
    }

    /// Sends `body`; ready when the answer's head has come. `gather` makes pieces of its events.
    pub(super) async fn pieces(
        &self,
        to: &Uri,
        body: Vec<u8>,
        patience: Patience,
        gather: impl Gather,
    ) -> Result<Pieces, Error> {
        let mut waiting = Waiting::streamed(patience);
        let response = self
            .send(to, body, "text/event-stream", &mut waiting)
            .await?;
        Ok(read(response.into_body(), waiting, gather))
    }

    /// Sends the body and waits for the head of an accepted answer.
    async fn send(
        &self,
        to: &Uri,
        body: Vec<u8>,
        accept: &'static str,
        waiting: &mut Waiting,
    ) -> Result<Response<Incoming>, Error> {
        let mut request = Request::new(Full::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = to.clone();
        *request.headers_mut() = self.headers.clone();
        let accept = HeaderValue::from_static(accept);
        request.headers_mut().insert(ACCEPT, accept);
        let sent = waiting.on(self.client.request(request));
        let response = sent.await?.map_err(|error| broken(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refusal(response, waiting).await)
    }

    /// Reads what a refusal says. Its status stands, whatever becomes of its body.
    async fn refusal(&self, response: Response<Incoming>, waiting: &mut Waiting) -> Error {
        let status = response.status().as_u16();
        let asked = Asked::of(response.headers());
        let mut upstream = response.into_body();
        let mut body = Vec::new();
        let read = async {
            while body.len() < MAX_REFUSAL_BYTES
                && let Ok(Some(bytes)) = chunk(&mut upstream, waiting).await
            {
                body.extend_from_slice(&bytes);
            }
        };
        // What has come by then is what there is.
        let _ = tokio::time::timeout(REFUSAL_PATIENCE, read).await;
        let said = (self.refused)(&body);
        let retry_after = asked.wait(status, said.retry_after);
        Error::refused(status, said.code.as_deref(), retry_after)
    }
}

/// The pieces of an answer whose head has come.
pub(super) fn read<B>(body: B, waiting: Waiting, gather: impl Gather) -> Pieces
where
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Send,
{
    let upstream = Upstream {
        body: Some(body),
        read: 0,
        waiting,
        events: Events::default(),
        gather,
        ready: VecDeque::new(),
    };
    let pieces = stream::try_unfold(upstream, |mut upstream| async move {
        let piece = upstream.next().await?;
        Ok(piece.map(|piece| (piece, upstream)))
    });
    pieces.boxed()
}

/// A streamed answer being read.
struct Upstream<B, G> {
    /// Absent where the answer is over.
    body: Option<B>,
    /// Bytes read.
    read: usize,
    waiting: Waiting,
    events: Events,
    gather: G,
    ready: VecDeque<Piece>,
}

impl<B, G: Gather> Upstream<B, G>
where
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Send,
{
    async fn next(&mut self) -> Result<Option<Piece>, Error> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Ok(Some(piece));
            }
            let Some(body) = self.body.as_mut().filter(|_| !self.gather.done()) else {
                return Ok(None);
            };
            if let Some(data) = self.events.next()? {
                if self.gather.take(&data, &mut self.ready)? {
                    self.waiting.came_on();
                }
                if self.gather.done()
                    && let Some(body) = self.body.take()
                {
                    end(body);
                }
                continue;
            }
            match chunk(body, &mut self.waiting).await? {
                Some(bytes) => {
                    self.read = self.read.saturating_add(bytes.len());
                    if self.read > MAX_STREAM_BYTES {
                        return Err(Kind::TooLarge.into());
                    }
                    self.events.push(&bytes);
                }
                // The connection ended well, but the answer may not have.
                None => self.gather.end(&mut self.ready)?,
            }
        }
    }
}

/// Reads on to the end of a body whose answer is over, a little, and nobody waits for it: until then its
/// connection is of no use to the next call, and many providers send the end apart from the last event.
#[expect(
    clippy::disallowed_methods,
    reason = "it holds a connection for a tenth of a second and nothing of the server's: no drain waits for it"
)]
fn end<B>(mut body: B)
where
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Send,
{
    if !body.is_end_stream() {
        let read = async move { while let Some(Ok(_)) = body.frame().await {} };
        tokio::spawn(tokio::time::timeout(END_PATIENCE, read));
    }
}

/// The next bytes of a body; `None` at its end. One that breaks was cut.
async fn chunk<B>(body: &mut B, waiting: &mut Waiting) -> Result<Option<Bytes>, Error>
where
    B: Body<Data = Bytes> + Unpin,
{
    loop {
        match waiting.on(body.frame()).await? {
            None => return Ok(None),
            Some(Err(_)) => return Err(Kind::Cut.into()),
            // Trailers say nothing that is asked for.
            Some(Ok(frame)) => match frame.into_data() {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(_) => continue,
            },
        }
    }
}
