//! What a connection is: secret where it should be, held within limits, let go in order, and served on while
//! certificates and keys change. Everything over real sockets; certificates are made when a test runs.

mod certs;
mod drain;
mod frames;
mod limits;
mod process;
mod reload;

use crate::rig::{CODING, about, configured, refusal, within};
use bellwether::clock::{Clock, SystemClock};
use bellwether::config::Params;
use bellwether::grpc::client::{self, ClientError, Keyed};
use bellwether::proto::v1::{
    self, admin_service_client::AdminServiceClient, router_service_client::RouterServiceClient,
};
use bellwether::server::{self, Running};
use bellwether::tls::{Connector, Stream, Trust};
use certs::Authority;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const LOCAL: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

/// A server with both doors over TLS, and who signed its certificate.
struct Secret {
    running: Running,
    params: Params,
    authority: Authority,
    trust: Trust,
    dir: TempDir,
}

impl Secret {
    async fn start() -> Self {
        Self::start_with(false).await
    }

    async fn start_with(mutual: bool) -> Self {
        let (dir, mut params) = configured("group");
        let authority = Authority::new("ours");
        params.server.tls = Some(authority.server(dir.path(), mutual));
        params.server.http_listen = Some(LOCAL.into());
        Self {
            running: started(&params).await,
            trust: authority.trust(dir.path(), None),
            params,
            authority,
            dir,
        }
    }

    fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn address(&self) -> String {
        format!("https://localhost:{}", self.running.address().port())
    }

    /// The doors: gRPC, HTTP.
    fn doors(&self) -> [SocketAddr; 2] {
        let http = self.running.http_address().expect("a door");
        [self.running.address(), http]
    }

    /// A caller that trusts and shows what `trust` says.
    async fn caller(&self, trust: &Trust) -> Result<RouterServiceClient<Keyed>, ClientError> {
        let channel = client::connect_with(&self.address(), Some(CODING), trust).await?;
        Ok(RouterServiceClient::new(channel))
    }

    /// That a call is served.
    async fn serves(&self) {
        let mut caller = self.caller(&self.trust).await.expect("connected");
        let routed = within("a decision", caller.route(about("fix-test"))).await;
        routed.expect("routed");
    }

    /// A connection that speaks HTTP/2.
    async fn connect(&self, door: SocketAddr) -> Stream {
        let connector = Connector::new(&self.trust, SystemClock.now()).expect("trusted");
        let connected = connector.connect("localhost", door.port()).await;
        let stream = connected.expect("connected");
        assert!(stream.is_http2());
        stream
    }

    async fn stop(self) {
        within("the end", self.running.stop())
            .await
            .expect("a clean end");
    }
}

async fn started(params: &Params) -> Running {
    let opened = server::open(params, &SystemClock).expect("opened");
    let running = server::serve(opened, params.clone(), Arc::new(SystemClock)).await;
    running.expect("served")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_over_tls_is_served_and_a_plain_one_is_not() {
    let secret = Secret::start().await;
    secret.serves().await;
    // Nobody that this machine trusts signed it.
    let refused = secret.caller(&Trust::default()).await;
    assert!(matches!(refused, Err(ClientError::Connect { .. })));
    let other = Authority::new("other").trust(secret.dir(), None);
    let refused = secret.caller(&other).await.expect_err("refused");
    assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
    let plain = format!("http://{}", secret.running.address());
    let channel = client::connect(&plain, Some(CODING)).await;
    if let Ok(channel) = channel {
        let mut caller = RouterServiceClient::new(channel);
        // Whatever the connection's end is called at this end: nothing that a service said.
        let (_, reason) = refusal(within("a refusal", caller.route(about("fix-test"))).await);
        assert!(reason.starts_with("no reason"), "{reason}");
    }
    secret.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_authority_of_callers_a_certificate_opens_the_connection_and_a_key_the_door() {
    let secret = Secret::start_with(true).await;
    let shown = secret
        .authority
        .trust(secret.dir(), Some(&secret.authority));
    let mut caller = secret.caller(&shown).await.expect("connected");
    caller.route(about("fix-test")).await.expect("routed");
    let channel = client::connect_with(&secret.address(), None, &shown).await;
    let mut keyless = RouterServiceClient::new(channel.expect("connected"));
    let refused = refusal(keyless.route(about("fix-test")).await);
    assert_eq!(refused, (Code::Unauthenticated, "KEY_UNKNOWN".to_owned()));
    let foreign = Authority::new("ours");
    for trust in [
        secret.trust.clone(),
        secret.authority.trust(secret.dir(), Some(&foreign)),
    ] {
        // In TLS 1.3 a caller hears of it with the first call.
        if let Ok(mut caller) = secret.caller(&trust).await {
            let refused = within("a refusal", caller.route(about("fix-test"))).await;
            assert_ne!(refused.expect_err("refused").code(), Code::Unauthenticated);
        }
    }
    secret.stop().await;
}

/// Speaks HTTP/1.1 over TLS to the HTTP door; the reply.
async fn by_http1(secret: &Secret, door: SocketAddr) -> String {
    use rustls::pki_types::pem::PemObject;
    let ca = secret.trust.ca.as_deref().expect("a file");
    let mut roots = rustls::RootCertStore::empty();
    let ca = rustls::pki_types::CertificateDer::from_pem_file(ca).expect("a certificate");
    roots.add(ca).expect("added");
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let tcp = TcpStream::connect(door).await.expect("connected");
    let name = "localhost".try_into().expect("a name");
    let mut stream = connector.connect(name, tcp).await.expect("secret");
    let head = format!(
        "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {CODING}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut reply = Vec::new();
    let _ = within("a reply", stream.read_to_end(&mut reply)).await;
    String::from_utf8_lossy(&reply).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_http_door_speaks_what_its_caller_asks_for() {
    let secret = Secret::start().await;
    let [_, door] = secret.doors();
    let reply = by_http1(&secret, door).await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    let stream = secret.connect(door).await;
    let (mut calls, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let asked = http::Request::get("https://localhost/v1/models")
        .header("authorization", format!("Bearer {CODING}"))
        .body(())
        .expect("a request");
    let talk = async {
        let (reply, _) = calls.send_request(asked, true).expect("sent");
        let reply = reply.await.expect("a reply");
        assert_eq!(
            (reply.status(), reply.version()),
            (http::StatusCode::OK, http::Version::HTTP_2)
        );
        assert!(reply.headers().contains_key("x-request-id"));
    };
    tokio::select! {
        () = within("a reply", talk) => {}
        ended = connection => panic!("{ended:?}"),
    }
    secret.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administration_has_a_listener_of_its_own_where_it_is_told() {
    let (_dir, mut params) = configured("group");
    params.server.admin_listen = Some(LOCAL.into());
    let running = started(&params).await;
    let (main, admin) = (running.address(), running.admin_address().expect("its own"));
    assert_ne!(main, admin);
    let channel = async |at: SocketAddr| {
        let channel = client::connect(&format!("http://{at}"), Some(CODING)).await;
        channel.expect("connected")
    };
    for (at, is_admin) in [(main, false), (admin, true)] {
        let channel = channel(at).await;
        let team = "coding".to_owned();
        let asked = v1::GetTeamRequest { team };
        let shown = AdminServiceClient::new(channel.clone())
            .get_team(asked)
            .await;
        let routed = RouterServiceClient::new(channel.clone())
            .route(about("fix-test"))
            .await;
        let absent = |status: tonic::Status| status.code() == Code::Unimplemented;
        match is_admin {
            true => assert!(shown.is_ok() && routed.is_err_and(absent)),
            false => assert!(routed.is_ok() && shown.is_err_and(absent)),
        }
        let service = String::new();
        let health = HealthClient::new(channel)
            .check(HealthCheckRequest { service })
            .await;
        assert_eq!(health.expect("told").into_inner().status, 1);
    }
    within("the end", running.stop())
        .await
        .expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_do_not_serve_keep_a_server_from_starting_and_are_named() {
    let (dir, mut params) = configured("group");
    let mut files = Authority::new("ours").server(dir.path(), false);
    let (_, other) = Authority::new("other").write(dir.path(), "other");
    files.key = other;
    params.server.tls = Some(files);
    let opened = server::open(&params, &SystemClock).expect("opened");
    let refused = server::serve(opened, params, Arc::new(SystemClock)).await;
    let refused = refused.expect_err("refused").to_string();
    assert!(refused.starts_with("server.tls.key ("), "{refused}");
    assert!(
        refused.contains("does not belong to the certificate"),
        "{refused}"
    );
}
