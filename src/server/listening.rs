//! The gRPC listeners of a server at work: the main one, and the administration's where it has one.
//!
//! Invariants: a listener that is told to stop takes nobody any more at once, says so to who is connected (GOAWAY),
//! and ends when the calls at work are finished.
//!
//! Not here: what is served there (`grpc`), how connections come (`tls`), how long stopping may take (`running`).

use super::error::Error;
use super::running::Task;
use crate::config;
use crate::grpc::GuardLayer;
use crate::http::HTTP2;
use crate::tls::{Identity, Listener, Speaks, Stream};
use futures_util::stream::unfold;
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// What became of serving.
type Served = Result<(), tonic::transport::Error>;

/// A listener at work.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) address: SocketAddr,
    pub(super) serving: Task<Served>,
}

/// The listeners of gRPC, not answering yet.
#[derive(Debug)]
pub(super) struct Bound {
    main: Listener,
    admin: Option<Listener>,
}

impl Bound {
    /// Takes the addresses.
    pub(super) async fn new(
        server: &config::Server,
        identity: Option<&Identity>,
    ) -> Result<Self, Error> {
        let main = bound(server.listen, Speaks::Http2, identity).await?;
        let admin = match server.admin_listen {
            Some(address) => Some(bound(address, Speaks::Http2, identity).await?),
            None => None,
        };
        Ok(Self { main, admin })
    }

    /// Whether the administration has a listener of its own.
    pub(super) fn apart(&self) -> bool {
        self.admin.is_some()
    }

    /// Answers calls until told to stop: the main one, and the administration's.
    pub(super) fn serve(
        self,
        (main, admin): (Routes, Option<Routes>),
        guard: &GuardLayer,
        tasks: &TaskTracker,
    ) -> (Listening, Option<Listening>) {
        let admin = self.admin.zip(admin);
        let admin = admin.map(|(at, routes)| Listening::new(at, routes, guard.clone(), tasks));
        let main = Listening::new(self.main, main, guard.clone(), tasks);
        (main, admin)
    }
}

/// Listens at `address`.
pub(super) async fn bound(
    address: SocketAddr,
    speaks: Speaks,
    identity: Option<&Identity>,
) -> Result<Listener, Error> {
    let listener = Listener::bind(address, speaks, identity.cloned()).await;
    listener.map_err(|source| Error::Listen { address, source })
}

impl Listening {
    fn new(listener: Listener, routes: Routes, guard: GuardLayer, tasks: &TaskTracker) -> Self {
        let (address, secret) = (listener.address(), listener.is_secret());
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let incoming = unfold(listener, |mut listener| async {
            let stream = listener.next().await;
            Some((Ok::<_, Infallible>(stream), listener))
        });
        let handle = tasks.spawn(async move {
            tonic::transport::Server::builder()
                .max_concurrent_streams(HTTP2.streams)
                .http2_max_header_list_size(HTTP2.head_bytes)
                .http2_max_pending_accept_reset_streams(Some(HTTP2.taken_back))
                .http2_max_local_error_reset_streams(Some(HTTP2.wrong))
                .initial_stream_window_size(HTTP2.ahead_bytes)
                .initial_connection_window_size(HTTP2.ahead_of_all_bytes)
                .http2_keepalive_interval(Some(HTTP2.silence))
                .http2_keepalive_timeout(Some(HTTP2.sign_of_life))
                .accept_http1(false)
                .layer(guard)
                .add_routes(routes)
                .serve_with_incoming_shutdown(incoming, stopped)
                .await
        });
        tracing::info!(%address, secret, "serving");
        let serving = Task { stop, handle };
        Self { address, serving }
    }
}

impl Connected for Stream {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        TcpConnectInfo {
            local_addr: self.local(),
            remote_addr: self.peer(),
        }
    }
}
