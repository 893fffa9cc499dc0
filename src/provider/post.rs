//! Posting bytes to an address that is no provider: the same connections and the same care.
//!
//! Invariants: those of `transport`; of a reply at most 64 KiB are read.
//!
//! Not here: what is posted, time limits, trying again.

use super::transport::{SetupError, Transport, broken};
use super::{Error, Kind};
use bytes::Bytes;
use http::{Request, Response};
use reqwest::Client;

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
        let request = request
            .try_into()
            .map_err(|_| Error::from(Kind::InvalidRequest))?;
        let mut reply = self.0.execute(request).await.map_err(|e| broken(&e))?;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = reply.status();
        std::mem::swap(answer.headers_mut(), reply.headers_mut());
        let mut body = Vec::new();
        while let Some(piece) = reply.chunk().await.map_err(|e| broken(&e))? {
            let room = MOST.saturating_sub(body.len());
            body.extend(piece.iter().take(room));
            if body.len() >= MOST {
                break;
            }
        }
        *answer.body_mut() = body.into();
        Ok(answer)
    }
}
