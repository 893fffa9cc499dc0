//! Clients of our own API, for the command line and for driving a server.
//!
//! Not here: what is asked.

use super::encode;
use crate::clock::{Clock, SystemClock};
use crate::proto::v1::admin_service_client::AdminServiceClient;
use crate::proto::v1::feedback_service_client::FeedbackServiceClient;
use crate::proto::v1::router_service_client::RouterServiceClient;
use crate::tls::{self, Connector, Trust};
use crate::unit::Timestamp;
use http::Uri;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No server there.
    #[error("cannot reach {address}: {}", root(source))]
    Connect {
        /// The address.
        address: String,
        /// Why.
        source: tonic::transport::Error,
    },
    /// The server refused a call.
    #[error("the server refuses: {message} ({code:?})")]
    Refused {
        /// Its code.
        code: Code,
        /// What it said.
        message: String,
    },
    /// What TLS is to be spoken with does not serve.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The key cannot be sent.
    #[error("the key has characters that no header carries: allowed visible ASCII")]
    Key,
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        let message = match (status.code(), status.message()) {
            (Code::Unimplemented, "") => {
                "this is not served at that address; the administration may have one of its own (`admin_listen`)"
            }
            (_, said) => said,
        };
        Self::Refused {
            code: status.code(),
            message: message.to_owned(),
        }
    }
}

/// What lies at the bottom: the errors above it say no more than "transport error".
fn root(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |e| e.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// Puts the key on every call.
#[derive(Clone)]
pub struct Credentials(Option<MetadataValue<Ascii>>);

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(..)")
    }
}

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(key) = &self.0 {
            request.metadata_mut().insert("authorization", key.clone());
        }
        Ok(request)
    }
}

/// A channel that carries a key.
pub type Keyed = InterceptedService<Channel, Credentials>;

/// Connects to `address` with `key`; over TLS where the address begins with `https://`, trusting whom the machine
/// trusts.
pub async fn connect(address: &str, key: Option<&str>) -> Result<Keyed, ClientError> {
    connect_with(address, key, &Trust::default()).await
}

/// As [`connect`], over TLS with what `trust` names.
pub async fn connect_with(
    address: &str,
    key: Option<&str>,
    trust: &Trust,
) -> Result<Keyed, ClientError> {
    let failed = |source| ClientError::Connect {
        address: address.to_owned(),
        source,
    };
    let endpoint = Endpoint::from_shared(address.to_owned()).map_err(failed)?;
    let endpoint = endpoint.tcp_nodelay(true);
    let channel = match endpoint.uri().scheme_str() {
        Some("https") => {
            // The machine's clock, as the command line has no other: whether a certificate holds is asked of now.
            let connector = Connector::new(trust, SystemClock.now())?;
            let reach = tower::service_fn(move |uri: Uri| {
                let connector = connector.clone();
                async move {
                    let host = uri.host().unwrap_or_default();
                    connector.reach(host, uri.port_u16().unwrap_or(443)).await
                }
            });
            endpoint.connect_with_connector(reach).await
        }
        _ => endpoint.connect().await,
    };
    let channel = channel.map_err(failed)?;
    let bearer = |key: &str| {
        let mut value: MetadataValue<Ascii> = format!("Bearer {key}")
            .parse()
            .map_err(|_| ClientError::Key)?;
        value.set_sensitive(true);
        Ok::<_, ClientError>(value)
    };
    let credentials = Credentials(key.map(bearer).transpose()?);
    Ok(InterceptedService::new(channel, credentials))
}

/// A client of `RouterService`.
pub async fn router(
    address: &str,
    key: Option<&str>,
) -> Result<RouterServiceClient<Keyed>, ClientError> {
    Ok(RouterServiceClient::new(connect(address, key).await?))
}

/// A client of `FeedbackService`.
pub async fn feedback(
    address: &str,
    key: Option<&str>,
) -> Result<FeedbackServiceClient<Keyed>, ClientError> {
    Ok(FeedbackServiceClient::new(connect(address, key).await?))
}

/// Calls of the administration.
pub type Admin = AdminServiceClient<Keyed>;

/// A client of `AdminService`.
pub async fn admin(
    address: &str,
    key: Option<&str>,
) -> Result<AdminServiceClient<Keyed>, ClientError> {
    admin_with(address, key, &Trust::default()).await
}

/// As [`admin`], over TLS with what `trust` names.
pub async fn admin_with(
    address: &str,
    key: Option<&str>,
    trust: &Trust,
) -> Result<AdminServiceClient<Keyed>, ClientError> {
    let channel = connect_with(address, key, trust).await?;
    Ok(AdminServiceClient::new(channel))
}

/// A moment as the wire has it.
pub fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    encode::timestamp(time)
}

/// A moment from the wire, to the microsecond.
pub fn time(said: &prost_types::Timestamp) -> Timestamp {
    let micros = said.seconds.saturating_mul(1_000_000);
    Timestamp::from_micros(micros.saturating_add(i64::from(said.nanos) / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: Code, said: &str, expected: &str) {
        let error = ClientError::from(Status::new(code, said));
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn what_is_served_elsewhere_is_told_of() {
        check(
            Code::NotFound,
            "gone",
            "the server refuses: gone (NotFound)",
        );
        check(
            Code::Unimplemented,
            "",
            "the server refuses: this is not served at that address; the administration may have one of its own \
             (`admin_listen`) (Unimplemented)",
        );
    }
}
