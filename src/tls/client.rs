//! Ours to other servers of ours: whom to trust, and what to show.
//!
//! Not here: what is asked (`grpc::client`), connections to providers (`provider`).

use super::error::{Error, Fault};
use super::files::{Named, cryptography, pair};
use super::stream::Stream;
use crate::unit::Timestamp;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls_platform_verifier::BuilderVerifierExt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream};

/// How long a connection may take to be there and secret.
const CONNECTED: Duration = Duration::from_secs(20);

/// Whom to trust, and what to show, of a server spoken to over `https://`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Who signs the server's certificate, PEM. `None`: whom the machine trusts.
    pub ca: Option<PathBuf>,
    /// A certificate to show, PEM, with its key.
    pub certificate: Option<PathBuf>,
    /// The certificate's private key, PEM.
    pub key: Option<PathBuf>,
}

/// Makes connections secret.
#[derive(Clone)]
pub struct Connector(TlsConnector);

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector(..)")
    }
}

/// An option, and the file that it names.
fn named<'a>(field: &'static str, path: &'a Option<PathBuf>) -> Named<'a> {
    let path = path.as_deref().unwrap_or(Path::new(""));
    Named { field, path }
}

impl Connector {
    /// With what `trust` names; a problem is said of the command line's options.
    pub fn new(trust: &Trust, now: Timestamp) -> Result<Self, Error> {
        let ca = named("--tls-ca", &trust.ca);
        let refused = |error: rustls::Error| ca.fault(Fault::Refused(error.to_string()));
        let builder = ClientConfig::builder_with_provider(cryptography())
            .with_safe_default_protocol_versions()
            .map_err(refused)?;
        let builder = match &trust.ca {
            Some(_) => builder.with_root_certificates(ca.authorities()?),
            None => builder.with_platform_verifier().map_err(refused)?,
        };
        let mut config = match (&trust.certificate, &trust.key) {
            (None, None) => builder.with_no_client_auth(),
            (certificate, key) => {
                let certificate = named("--tls-cert", certificate);
                let pair = pair(certificate, named("--tls-key", key), now, false)?;
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair)))
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Connects to a host, which its certificate must name.
    pub async fn connect(&self, host: &str, port: u16) -> io::Result<Stream> {
        // An address of version 6 is in brackets.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connected = tokio::time::timeout(CONNECTED, async {
            let tcp = TcpStream::connect((host, port)).await?;
            tcp.set_nodelay(true)?;
            let stream = self.0.connect(name, tcp).await?;
            Ok(Stream::secret(TlsStream::from(stream)))
        });
        connected
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// As [`Connector::connect`], as the HTTP library takes it.
    pub async fn reach(&self, host: &str, port: u16) -> io::Result<TokioIo<Stream>> {
        self.connect(host, port).await.map(TokioIo::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::sample::NOW;

    fn check(trust: &Trust, expected: &str) {
        let refused = Connector::new(trust, NOW).unwrap_err();
        assert_eq!(format!("{}: {}", refused.field, refused.fault), expected);
    }

    #[test]
    fn a_file_that_does_not_serve_is_said_of_its_option() {
        let gone = Some(PathBuf::from("no/such/file.pem"));
        let ca = Trust {
            ca: gone.clone(),
            ..Trust::default()
        };
        check(&ca, "--tls-ca: cannot be read: entity not found");
        let alone = Trust {
            certificate: gone,
            ..Trust::default()
        };
        check(&alone, "--tls-cert: cannot be read: entity not found");
    }
}
