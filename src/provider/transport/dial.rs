//! How a connection is made: TCP, through the machine's proxy if one is named for the address, within a limit.
//!
//! Not here: TLS (the library's), what is sent.

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tower::Service;

/// An idle connection is asked for a sign of life after so long, and so often, and is given up after [`PROBES`]
/// without one: well before a kept one is used again.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;

/// Longest time that what was sent may stay unacknowledged: a network that is gone is no slow provider.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Connects to a host, or to the proxy that leads there.
#[derive(Debug, Clone)]
pub(in crate::provider) struct Dial {
    tcp: HttpConnector,
    proxies: Arc<Matcher>,
}

impl Dial {
    /// With the proxies that the environment names. Of a host's addresses all are tried within `connect`.
    pub(super) fn new(connect: Duration) -> Self {
        Self::through(Matcher::from_env(), connect)
    }

    fn through(proxies: Matcher, connect: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connect));
        tcp.set_keepalive(Some(KEEP_ALIVE));
        tcp.set_keepalive_interval(Some(KEEP_ALIVE));
        tcp.set_keepalive_retries(Some(PROBES));
        #[cfg(any(target_os = "linux", target_os = "android", target_os = "fuchsia"))]
        tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        Self {
            tcp,
            proxies: Arc::new(proxies),
        }
    }
}

/// Whether we can speak to the proxy that the environment names for this address, if it names one: in plain HTTP.
/// (To another one a password would go in clear, or nothing would be understood.)
pub(super) fn can_pass(to: &Uri) -> bool {
    is_plain(&Matcher::from_env(), to)
}

fn is_plain(proxies: &Matcher, to: &Uri) -> bool {
    let proxy = proxies.intercept(to);
    proxy.is_none_or(|proxy| proxy.uri().scheme_str() == Some("http"))
}

impl Service<Uri> for Dial {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let secure = to.scheme_str() == Some("https");
        let proxy = secure.then(|| self.proxies.intercept(&to)).flatten();
        let Some(proxy) = proxy else {
            let connecting = self.tcp.call(to);
            return Box::pin(async move { Ok(connecting.await?) });
        };
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.tcp.clone());
        if let Some(auth) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(auth.clone());
        }
        let connecting = tunnel.call(to);
        Box::pin(async move { Ok(connecting.await?) })
    }
}

/// Connects within a limit, TLS included.
#[derive(Debug, Clone)]
pub(in crate::provider) struct Within<C> {
    connector: C,
    limit: Duration,
}

impl<C> Within<C> {
    pub(super) fn new(connector: C, limit: Duration) -> Self {
        Self { connector, limit }
    }
}

impl<C> Service<Uri> for Within<C>
where
    C: Service<Uri, Error = BoxError>,
    C::Response: Send + 'static,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Connecting<C::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.limit, self.connector.call(to));
        Box::pin(async move { connecting.await? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// What a proxy hears that is asked for a connection to this address; nothing where it is not asked.
    async fn asked(to: &str, no_proxy: &str) -> Option<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxies = Matcher::builder()
            .all(format!("http://me:pass@{address}"))
            .no(no_proxy)
            .build();
        let mut dial = Dial::through(proxies, Duration::from_secs(10));
        let proxy = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = vec![0; 1024];
            let read = stream.read(&mut heard).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            String::from_utf8_lossy(&heard[..read]).into_owned()
        };
        tokio::select! {
            biased;
            heard = proxy => Some(heard),
            connected = dial.call(to.parse().unwrap()) => {
                assert!(connected.is_err(), "nobody listens there");
                None
            }
        }
    }

    /// An address where nobody listens.
    async fn nobody(scheme: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("{scheme}://{}/v1", listener.local_addr().unwrap())
    }

    #[tokio::test]
    async fn a_secure_address_is_reached_through_the_proxy_with_its_password() {
        let heard = asked("https://api.example.org/v1", "").await.unwrap();
        assert!(
            heard.starts_with("CONNECT api.example.org:443 HTTP/1.1\r\n"),
            "{heard}"
        );
        assert!(heard.contains("Basic bWU6cGFzcw=="), "{heard}");
    }

    #[tokio::test]
    async fn plain_addresses_and_those_that_the_environment_excepts_are_reached_directly() {
        assert_eq!(asked(&nobody("http").await, "").await, None);
        assert_eq!(asked(&nobody("https").await, "127.0.0.1").await, None);
    }

    #[test]
    fn a_proxy_of_another_kind_is_none_that_we_can_pass() {
        let passes = |proxy: &str| {
            let proxies = Matcher::builder().all(proxy).no("here.example.org").build();
            let to = |text: &str| is_plain(&proxies, &text.parse().unwrap());
            assert!(to("https://here.example.org"));
            to("https://there.example.org")
        };
        assert!(passes("http://proxy:3128") && passes("proxy:3128"));
        assert!(!passes("https://proxy") && !passes("socks5://proxy:1080"));
    }

    #[tokio::test(start_paused = true)]
    async fn connecting_ends_at_its_limit() {
        /// Never connects.
        #[derive(Clone)]
        struct Never;
        impl Service<Uri> for Never {
            type Response = ();
            type Error = BoxError;
            type Future = Connecting<()>;
            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
                Poll::Ready(Ok(()))
            }
            fn call(&mut self, _: Uri) -> Self::Future {
                Box::pin(std::future::pending())
            }
        }
        let limit = Duration::from_millis(70);
        let began = tokio::time::Instant::now();
        let connected = Within::new(Never, limit).call(Uri::default()).await;
        assert!(connected.unwrap_err().is::<tokio::time::error::Elapsed>());
        assert_eq!(began.elapsed(), limit);
    }
}
