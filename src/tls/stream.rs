//! A connection, secret or not.
//!
//! Invariants: who is to speak HTTP/2 and does not begin with it in time is given up, which the HTTP/2 library does
//! not do by itself.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep};
use tokio_rustls::TlsStream;

/// Bytes that every HTTP/2 connection begins with (RFC 9113, section 3.4).
const PREFACE: usize = 24;

/// How long they may take to come.
const BEGINNING: Duration = Duration::from_secs(10);

/// A connection. While it is there it holds its place among those that a listener takes.
pub struct Stream {
    io: Io,
    peer: Option<SocketAddr>,
    local: Option<SocketAddr>,
    beginning: Option<Beginning>,
    place: Option<OwnedSemaphorePermit>,
}

enum Io {
    Plain(TcpStream),
    Secret(Box<TlsStream<TcpStream>>),
}

/// What is still to come, and until when.
#[derive(Debug)]
struct Beginning {
    left: usize,
    late: Pin<Box<Sleep>>,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({:?})", self.peer)
    }
}

impl Stream {
    pub(super) fn plain(tcp: TcpStream) -> Self {
        let (peer, local) = (tcp.peer_addr().ok(), tcp.local_addr().ok());
        Self::new(Io::Plain(tcp), (peer, local))
    }

    pub(super) fn secret(stream: TlsStream<TcpStream>) -> Self {
        let tcp = stream.get_ref().0;
        let ends = (tcp.peer_addr().ok(), tcp.local_addr().ok());
        Self::new(Io::Secret(Box::new(stream)), ends)
    }

    fn new(io: Io, (peer, local): (Option<SocketAddr>, Option<SocketAddr>)) -> Self {
        Self {
            io,
            peer,
            local,
            beginning: None,
            place: None,
        }
    }

    pub(super) fn at(mut self, place: OwnedSemaphorePermit) -> Self {
        self.place = Some(place);
        self
    }

    /// Expects HTTP/2, and soon.
    pub(super) fn expecting_http2(mut self) -> Self {
        self.beginning = Some(Beginning {
            left: PREFACE,
            late: Box::pin(sleep(BEGINNING)),
        });
        self
    }

    /// The other end.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// This end.
    pub fn local(&self) -> Option<SocketAddr> {
        self.local
    }

    /// Whether both ends agreed on HTTP/2 when they made it secret.
    pub fn is_http2(&self) -> bool {
        match &self.io {
            Io::Plain(_) => false,
            Io::Secret(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }

    /// What a read came to, unless the beginning is late.
    fn judged(
        &mut self,
        read: Poll<io::Result<()>>,
        bytes: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(beginning) = &mut self.beginning else {
            return read;
        };
        beginning.left = beginning.left.saturating_sub(bytes);
        if beginning.left == 0 {
            self.beginning = None;
            return read;
        }
        match read {
            Poll::Pending => {
                let late = beginning.late.as_mut().poll(cx);
                late.map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
            ready => ready,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_read(cx, into),
            Io::Secret(stream) => Pin::new(stream).poll_read(cx, into),
        };
        let bytes = into.filled().len().saturating_sub(before);
        self.judged(read, bytes, cx)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Io::Secret(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
            Io::Secret(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(stream) => stream.is_write_vectored(),
            Io::Secret(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Io::Secret(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Io::Secret(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
