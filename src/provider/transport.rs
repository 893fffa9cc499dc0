//! HTTP: one client for plain and one for secure addresses, shared by all endpoints.
//!
//! It is hyper's own pooled client with as little around it as a gateway needs: what a friendlier client adds
//! (redirects, cookies, retries, addresses parsed again for each call) was a tenth of the CPU of a call.
//!
//! Invariants: no redirect is followed (a key would follow it) and nothing that may have been sent is sent
//! twice; an error names no address, since an address may hold a secret.
//!
//! Proxies: secure addresses are reached through the one that `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name, by
//! a tunnel; it is spoken to in plain HTTP, and one of another kind is refused at the start. Plain addresses are reached directly: they are on the operator's own network, or should be.
//!
//! Not here: time limits of an answer (each call has its own deadline).

mod dial;

use super::{Error, Kind};
use bytes::Bytes;
use dial::Dial;
use http::Uri;
use http_body_util::Full;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::Url;

const CONNECT: Duration = Duration::from_secs(10);

/// A connection that is not used is kept for so long: most providers close theirs a little later.
const IDLE: Duration = Duration::from_secs(55);

/// A client. Cheap to clone; clones share their connections.
pub(super) type Client = legacy::Client<dial::Within<HttpsConnector<Dial>>, Full<Bytes>>;

/// Why an endpoint cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The base URL cannot be read.
    #[error("base_url is not a URL: allowed http://HOST[:PORT][/PATH] and https://...")]
    BaseUrl,
    /// The base URL names a user.
    #[error("base_url holds a user name or a password: allowed none; name the key in api_key_env")]
    UserInfo,
    /// The key cannot be sent.
    #[error("the API key has characters that a header cannot carry: allowed printable ASCII")]
    ApiKey,
    /// The machine's certificates cannot be read, or the client not be built.
    #[error("the HTTP client cannot be built: {0}")]
    Client(String),
    /// The environment names a proxy that is not spoken to in plain HTTP.
    #[error(
        "HTTPS_PROXY or ALL_PROXY names a proxy of another kind: allowed http://[USER:PASSWORD@]HOST[:PORT]"
    )]
    Proxy,
}

/// The clients. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Transport {
    plain: Client,
    /// Made at the first secure address: reading the machine's certificates takes longer than all else here.
    secure: Arc<OnceLock<Result<Client, SetupError>>>,
    connect: Duration,
}

impl Transport {
    /// Connects to nothing yet.
    pub fn new() -> Self {
        Self::within(CONNECT)
    }

    /// As [`Transport::new`], for endpoints that are waited for no longer than `connect` until they are
    /// connected.
    pub fn within(connect: Duration) -> Self {
        // The TLS library wants its cryptography named once a process; whoever was first is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // No certificates at all: this one never speaks TLS.
        let none = ClientConfig::builder()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        Self {
            plain: client(none, connect),
            secure: Arc::default(),
            connect,
        }
    }

    /// The client for `url`. A machine without certificates can still reach plain addresses.
    pub(super) fn client(&self, url: &Url) -> Result<Client, SetupError> {
        match url.scheme() {
            "http" => Ok(self.plain.clone()),
            "https" if !dial::can_pass(&uri(url)?) => Err(SetupError::Proxy),
            "https" => self.secure.get_or_init(|| secure(self.connect)).clone(),
            _ => Err(SetupError::BaseUrl),
        }
    }
}

impl Default for Transport {
    fn default() -> Self {
        Self::new()
    }
}

/// A client that trusts whom the machine trusts.
fn secure(connect: Duration) -> Result<Client, SetupError> {
    match ClientConfig::builder().try_with_platform_verifier() {
        Ok(config) => Ok(client(config.with_no_client_auth(), connect)),
        Err(error) => Err(SetupError::Client(error.to_string())),
    }
}

fn client(tls: ClientConfig, connect: Duration) -> Client {
    let https = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(Dial::new(connect));
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .build(dial::Within::new(https, connect))
}

/// `path` below a base URL, whether that ends with a slash or not.
pub(super) fn below<'a>(
    base_url: &str,
    path: impl IntoIterator<Item = &'a str>,
) -> Result<Url, SetupError> {
    let mut url = Url::parse(base_url).map_err(|_| SetupError::BaseUrl)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(SetupError::UserInfo);
    }
    let mut segments = url.path_segments_mut().map_err(|()| SetupError::BaseUrl)?;
    segments.pop_if_empty().extend(path);
    drop(segments);
    Ok(url)
}

/// A URL as requests carry it.
pub(super) fn uri(url: &Url) -> Result<Uri, SetupError> {
    Uri::try_from(url.as_str()).map_err(|_| SetupError::BaseUrl)
}

/// What a request that brought no head of an answer means: never connected, or cut.
pub(super) fn broken(error: &legacy::Error) -> Error {
    // A connection that took too long was none; nothing was sent over it.
    match error.is_connect() {
        true => Kind::Unreachable.into(),
        false => Kind::Cut.into(),
    }
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
        assert_eq!(url("http://me:sk@h", &["x"]), Err(SetupError::UserInfo));
    }

    #[test]
    fn only_http_addresses_have_a_client() {
        let transport = Transport::new();
        let client = |url: &str| transport.client(&url.parse().unwrap());
        assert!(client("http://localhost:1").is_ok());
        assert_eq!(
            client("ftp://localhost:1").map(|_| ()),
            Err(SetupError::BaseUrl)
        );
    }
}
