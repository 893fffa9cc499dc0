//! Posting bytes to an address that is no provider: the same connections and the same care.
//!
//! Invariants: those of `transport`; of a reply at most 64 KiB are read.
//!
//! Not here: what is posted, time limits, trying again.

use super::transport::{Client, SetupError, Transport, broken};
use super::{Error, Kind};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};

/// Most that is read of a reply.
const MOST: usize = 64 << 10;

/// Posts to addresses that begin as one.
#[derive(Debug, Clone)]
pub struct Post(Client);

impl Post {
    /// For addresses with the scheme of `address`.
    pub fn new(transport: &Transport, address: &str) -> Result<Self, SetupError> {
        let url = address.parse().map_err(|_| SetupError::BaseUrl)?;
        transport.client(&url).map(Self)
    }

    /// Sends a request; every status is a reply.
    pub async fn send(self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let sent = self.0.request(request.map(Full::from));
        let (head, mut upstream) = sent.await.map_err(|e| broken(&e))?.into_parts();
        let mut body = Vec::new();
        while body.len() < MOST
            && let Some(frame) = upstream.frame().await
        {
            let frame = frame.map_err(|_| Error::from(Kind::Cut))?;
            if let Ok(piece) = frame.into_data() {
                body.extend(piece.iter().take(MOST - body.len()));
            }
        }
        Ok(Response::from_parts(head, body.into()))
    }
}
