//! Connections: taken, and made secret where there is an identity for it.
//!
//! Invariants: [`Listener::next`] may be dropped at any point and loses no connection that is whole; at most 16,384
//! are there at once, whoever comes then waits with the operating system; at most 512 are being made secret, for at
//! most 10 seconds each: where one more comes, the one that is at it longest is cut, so that strangers who say
//! nothing hold up nobody.
//!
//! Not here: what is said over them.

use super::identity::{Identity, Speaks};
use super::stream::Stream;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::{TlsAcceptor, TlsStream};

/// Most connections at once.
const CONNECTIONS: usize = 16_384;

/// Most connections that are being made secret.
const HANDSHAKES: usize = 512;

/// How long that may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// After a connection could not be taken (no file handles left), before the next is tried.
const PAUSE: Duration = Duration::from_millis(50);

/// A listener at work.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    identity: Option<Identity>,
    speaks: Speaks,
    places: Arc<Semaphore>,
    shaking: JoinSet<Option<Stream>>,
    begun: VecDeque<AbortHandle>,
    most: usize,
}

impl Listener {
    /// Listens at `address`; port 0 takes a free one. Without an identity, connections are as they come.
    pub async fn bind(
        address: SocketAddr,
        speaks: Speaks,
        identity: Option<Identity>,
    ) -> io::Result<Self> {
        let tcp = TcpListener::bind(address).await?;
        Ok(Self {
            address: tcp.local_addr()?,
            tcp,
            identity,
            speaks,
            places: Arc::new(Semaphore::new(CONNECTIONS)),
            shaking: JoinSet::new(),
            begun: VecDeque::new(),
            most: HANDSHAKES,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether connections are made secret.
    pub fn is_secret(&self) -> bool {
        self.identity.is_some()
    }

    /// The next connection that is ready to be spoken over.
    pub async fn next(&mut self) -> Stream {
        loop {
            tokio::select! {
                taken = taken(&self.tcp, &self.places) => match taken {
                    Ok((tcp, place)) => {
                        if let Some(stream) = self.received(tcp, place) {
                            return stream;
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be taken");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
                Some(shaken) = self.shaking.join_next() => {
                    if let Ok(Some(stream)) = shaken {
                        return stream;
                    }
                }
            }
        }
    }

    /// The connection, or nothing where it is to be made secret first.
    fn received(&mut self, tcp: TcpStream, place: OwnedSemaphorePermit) -> Option<Stream> {
        // Replies are small: they are not to wait for each other. A stream without it serves as well.
        let _ = tcp.set_nodelay(true);
        let speaks = self.speaks;
        let Some(identity) = &self.identity else {
            let stream = Stream::plain(tcp).at(place);
            return Some(match speaks {
                Speaks::Http2 => stream.expecting_http2(),
                Speaks::Either => stream,
            });
        };
        let acceptor = TlsAcceptor::from(identity.config(speaks));
        self.make_room();
        let shaking = self.shaking.spawn(async move {
            let shaken = tokio::time::timeout(HANDSHAKE, acceptor.accept(tcp)).await;
            let stream = match shaken {
                Ok(Ok(stream)) => Stream::secret(TlsStream::from(stream)).at(place),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "a connection could not be made secret");
                    return None;
                }
                Err(_) => return None,
            };
            let http2 = speaks == Speaks::Http2 || stream.is_http2();
            Some(if http2 {
                stream.expecting_http2()
            } else {
                stream
            })
        });
        self.begun.push_back(shaking);
        None
    }

    /// Room for one more: cuts the one that is at it longest, if need be.
    fn make_room(&mut self) {
        if self.begun.len() < self.most {
            return;
        }
        self.begun.retain(|shaking| !shaking.is_finished());
        if self.begun.len() >= self.most
            && let Some(oldest) = self.begun.pop_front()
        {
            oldest.abort();
        }
    }
}

/// A connection and its place.
async fn taken(
    tcp: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await;
    let place = place.map_err(io::Error::other)?;
    let (stream, _) = tcp.accept().await?;
    Ok((stream, place))
}

#[cfg(test)]
mod tests {
    use super::super::client::{Connector, Trust};
    use super::super::sample::{Authority, NOW};
    use super::*;
    use std::path::PathBuf;
    use tempfile::TempDir;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const LOCAL: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

    /// A listener with a certificate of `authority`, and the folder of its files.
    async fn listener(speaks: Speaks, mutual: bool) -> (Listener, TempDir, Authority) {
        let (dir, authority) = (tempfile::tempdir().unwrap(), Authority::new("ours"));
        let identity = Identity::read(authority.written(dir.path(), mutual), NOW).unwrap();
        let listener = Listener::bind(LOCAL.into(), speaks, Some(identity)).await;
        (listener.unwrap(), dir, authority)
    }

    fn trust(dir: &TempDir, own: Option<(PathBuf, PathBuf)>) -> Connector {
        let ca = Some(dir.path().join("ca.pem"));
        let (certificate, key) = own.unzip();
        let trust = Trust {
            ca,
            certificate,
            key,
        };
        Connector::new(&trust, NOW).unwrap()
    }

    /// Connects, and echoes one byte; what was agreed on.
    async fn check(listener: &mut Listener, connector: &Connector) -> bool {
        let address = listener.address();
        let caller = async {
            let mut stream = connector
                .connect("localhost", address.port())
                .await
                .unwrap();
            stream.write_all(b"x").await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), b'y');
            stream.is_http2()
        };
        let served = async {
            let mut stream = listener.next().await;
            assert_eq!(stream.read_u8().await.unwrap(), b'x');
            stream.write_all(b"y").await.unwrap();
            stream.flush().await.unwrap();
            stream.is_http2()
        };
        let (said, heard) = tokio::join!(caller, served);
        assert_eq!(said, heard);
        said
    }

    #[tokio::test]
    async fn a_connection_is_made_secret_and_agrees_on_http2() {
        for speaks in [Speaks::Http2, Speaks::Either] {
            let (mut listener, dir, _) = listener(speaks, false).await;
            assert!(listener.is_secret());
            assert!(check(&mut listener, &trust(&dir, None)).await);
        }
    }

    #[tokio::test]
    async fn who_says_nothing_holds_up_nobody_and_gives_way_to_who_comes() {
        let (mut listener, dir, _) = listener(Speaks::Http2, false).await;
        listener.most = 2;
        let address = listener.address();
        let mut silent = Vec::new();
        for _ in 0..5 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        assert!(check(&mut listener, &trust(&dir, None)).await);
        assert!(listener.begun.len() <= 2);
        // The first of them was cut.
        let ended = silent[0].read(&mut [0; 1]).await;
        assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    }

    #[tokio::test]
    async fn a_caller_without_a_certificate_of_the_authority_is_turned_away() {
        let (mut listener, dir, authority) = listener(Speaks::Http2, true).await;
        let put = |name: &str, (certificate, key): (String, String)| {
            let paths = (
                dir.path().join(format!("{name}.pem")),
                dir.path().join(format!("{name}.key")),
            );
            std::fs::write(&paths.0, certificate).unwrap();
            std::fs::write(&paths.1, key).unwrap();
            paths
        };
        let good = put("good", authority.signed(&["caller"], |_| {}));
        let foreign = put(
            "foreign",
            Authority::new("ours").signed(&["caller"], |_| {}),
        );
        for own in [None, Some(foreign)] {
            let connector = trust(&dir, own);
            let address = listener.address();
            let caller = async {
                let mut stream = connector.connect("localhost", address.port()).await?;
                stream.write_all(b"x").await?;
                stream.read_u8().await
            };
            tokio::select! {
                _ = listener.next() => panic!("was let in"),
                refused = caller => assert!(refused.is_err()),
            }
        }
        assert!(check(&mut listener, &trust(&dir, Some(good))).await);
    }

    #[tokio::test]
    async fn a_new_certificate_is_for_new_connections_and_the_old_go_on() {
        let (mut listener, dir, _) = listener(Speaks::Http2, false).await;
        let old = trust(&dir, None);
        let address = listener.address();
        let (caller, served) =
            tokio::join!(old.connect("localhost", address.port()), listener.next());
        let (mut caller, mut served) = (caller.unwrap(), served);
        // Another authority: who trusts the old one no longer trusts who serves.
        Authority::new("theirs").written(dir.path(), false);
        let identity = listener.identity.clone().unwrap();
        assert_eq!(identity.look(NOW), Some(Ok(())));
        caller.write_all(b"x").await.unwrap();
        caller.flush().await.unwrap();
        assert_eq!(served.read_u8().await.unwrap(), b'x');
        assert!(check(&mut listener, &trust(&dir, None)).await);
        tokio::select! {
            _ = listener.next() => panic!("was trusted"),
            refused = old.connect("localhost", address.port()) => {
                assert!(refused.unwrap_err().to_string().contains("UnknownIssuer"));
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_begin_with_http2_is_given_up() {
        let mut listener = Listener::bind(LOCAL.into(), Speaks::Http2, None)
            .await
            .unwrap();
        assert!(!listener.is_secret());
        let mut caller = TcpStream::connect(listener.address()).await.unwrap();
        let mut served = listener.next().await;
        assert_eq!(served.peer(), caller.local_addr().ok());
        let late = served.read_u8().await.unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        caller
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .unwrap();
    }
}
