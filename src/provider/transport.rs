//! HTTP: one client for plain and one for secure addresses, shared by all endpoints.
//!
//! Invariants: no redirect is followed (a key would follow it) and nothing is tried twice; an error
//! names no address, since an address may hold a secret.
//!
//! Not here: time limits of an answer (each call has its own deadline), proxies.

use super::{Error, Kind};
use reqwest::{Client, ClientBuilder, Url};
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(10);
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Why an endpoint cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The base URL cannot be read.
    #[error("base_url is not a URL: allowed http://HOST[:PORT][/PATH] and https://...")]
    BaseUrl,
    /// The key cannot be sent.
    #[error("the API key has characters that a header cannot carry: allowed printable ASCII")]
    ApiKey,
    /// The machine's certificates cannot be read, or the client not be built.
    #[error("the HTTP client cannot be built: {0}")]
    Client(String),
}

/// The clients. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Transport {
    plain: Client,
    secure: Result<Client, SetupError>,
}

impl Transport {
    /// Reads the machine's certificates, once for all endpoints. A machine without any can still
    /// reach plain addresses: the failure is kept until a secure one is asked for.
    pub fn new() -> Result<Self, SetupError> {
        Self::within(CONNECT)
    }

    /// As [`Transport::new`], for endpoints that are waited for no longer than `connect` until they are
    /// connected.
    pub fn within(connect: Duration) -> Result<Self, SetupError> {
        // The TLS library wants its cryptography named once a process; whoever was first is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // No certificates at all: this one never speaks TLS.
        let plain = build(builder(connect).tls_certs_only([]))?;
        let secure = build(builder(connect).https_only(true));
        Ok(Self { plain, secure })
    }

    /// The client for `url`.
    pub(super) fn client(&self, url: &Url) -> Result<Client, SetupError> {
        match url.scheme() {
            "http" => Ok(self.plain.clone()),
            "https" => self.secure.clone(),
            _ => Err(SetupError::BaseUrl),
        }
    }
}

/// `path` below a base URL, whether that ends with a slash or not.
pub(super) fn below<'a>(
    base_url: &str,
    path: impl IntoIterator<Item = &'a str>,
) -> Result<Url, SetupError> {
    let mut url = Url::parse(base_url).map_err(|_| SetupError::BaseUrl)?;
    let mut segments = url.path_segments_mut().map_err(|()| SetupError::BaseUrl)?;
    segments.pop_if_empty().extend(path);
    drop(segments);
    Ok(url)
}

fn builder(connect: Duration) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("bellwether/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(connect)
        .tcp_keepalive(KEEP_ALIVE)
}

fn build(builder: ClientBuilder) -> Result<Client, SetupError> {
    builder
        .build()
        .map_err(|error| SetupError::Client(error.without_url().to_string()))
}

/// What a broken connection means: before the answer's head, nothing was reached; in its body, the
/// answer was cut.
pub(super) fn broken(error: &reqwest::Error) -> Error {
    // A connection that took too long is both; nothing was sent over it.
    let kind = if error.is_connect() {
        Kind::Unreachable
    } else if error.is_timeout() {
        Kind::Timeout
    } else if error.is_builder() {
        Kind::InvalidRequest
    } else {
        Kind::Cut
    };
    kind.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_goes_below_a_base_url_and_cannot_leave_it() {
        let url = |base: &str, path: &[&str]| {
            let url = below(base, path.iter().copied());
            url.map(|url| url.to_string())
        };
        let expected = Ok("http://h/a/v1/x:do".to_owned());
        assert_eq!(url("http://h/a/", &["v1", "x:do"]), expected);
        assert_eq!(url("http://h/a", &["v1", "x:do"]), expected);
        let escaped = Ok("http://h/a%2F..%3Fb".to_owned());
        assert_eq!(url("http://h", &["a/..?b"]), escaped);
        assert_eq!(url("h", &["x"]), Err(SetupError::BaseUrl));
    }

    #[test]
    fn only_http_addresses_have_a_client() {
        let transport = Transport::new().unwrap();
        let client = |url: &str| transport.client(&url.parse().unwrap());
        assert!(client("http://localhost:1").is_ok());
        assert_eq!(
            client("ftp://localhost:1").map(|_| ()),
            Err(SetupError::BaseUrl)
        );
    }
}
