//! A provider to test against: OpenAI-compatible chat completions that can go wrong at every byte.
//!
//! Invariants: it is reached at one address as long as it lives, also while it refuses connections; no
//! task of it panics, whatever the caller does; all of them end when it is dropped. HTTP is written by
//! hand, for a library would not let it misbehave.
//!
//! Not here: other routes (they are 404), requests without a Content-Length (they are dropped).

mod behaviour;
mod body;
mod request;
mod tests;

pub(crate) use behaviour::Behaviour;
pub(crate) use body::{TOKENS, WORDS, text};

use behaviour::Then;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A provider on a free loopback port.
pub(crate) struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: watch::Receiver<bool>,
    _serving: JoinSet<()>,
}

/// What its connections share.
struct Shared {
    behaviour: watch::Sender<Behaviour>,
    calls: AtomicUsize,
    /// The bodies of requests, at any address.
    asked: Mutex<Vec<String>>,
}

impl Upstream {
    /// Starts one that behaves so until it is told otherwise.
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let door = Door::shut((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        let address = door.address().expect("bound");
        let shared = Arc::new(Shared {
            behaviour: watch::Sender::new(behaviour),
            calls: AtomicUsize::new(0),
            asked: Mutex::default(),
        });
        let (told, listening) = watch::channel(false);
        let mut serving = JoinSet::new();
        serving.spawn(serve(door, Arc::clone(&shared), told));
        let upstream = Self {
            address,
            shared,
            listening,
            _serving: serving,
        };
        upstream.set(behaviour).await;
        upstream
    }

    /// The address without `/chat/completions`, as a configuration has it.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Chat completions that were asked for: read to the end of their body, answered or not.
    pub(crate) fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }

    /// The bodies that it was asked with since this was last called, at any address.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.asked.lock().expect("no task panics"))
    }

    /// From the next request on it behaves so; what it is answering already is not touched, but for
    /// [`Behaviour::Refuse`], which ends every connection.
    pub(crate) async fn set(&self, behaviour: Behaviour) {
        self.shared.behaviour.send_replace(behaviour);
        let wanted = behaviour != Behaviour::Refuse;
        let mut listening = self.listening.clone();
        let now = listening.wait_for(|now| *now == wanted).await;
        now.expect("the port is its own");
    }
}

/// The port: held in both states, so that nobody else can get it.
enum Door {
    /// Bound and not listened on: the kernel refuses connections.
    Shut(TcpSocket),
    Open(TcpListener),
}

impl Door {
    fn shut(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self::Shut(socket))
    }

    fn address(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Shut(socket) => socket.local_addr(),
            Self::Open(listener) => listener.local_addr(),
        }
    }

    fn turned(self, open: bool) -> io::Result<Self> {
        match (self, open) {
            (Self::Shut(socket), true) => Ok(Self::Open(socket.listen(1024)?)),
            (Self::Open(listener), false) => {
                let address = listener.local_addr()?;
                drop(listener);
                Self::shut(address)
            }
            (as_wanted, _) => Ok(as_wanted),
        }
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Self::Shut(_) => std::future::pending().await,
            Self::Open(listener) => Ok(listener.accept().await?.0),
        }
    }
}

/// Accepts until it is dropped, or the port is lost: `told` then goes with it.
async fn serve(mut door: Door, shared: Arc<Shared>, told: watch::Sender<bool>) {
    let mut behaviour = shared.behaviour.subscribe();
    let mut connections = JoinSet::new();
    loop {
        let open = *behaviour.borrow_and_update() != Behaviour::Refuse;
        if !open {
            connections.shutdown().await;
        }
        let Ok(turned) = door.turned(open) else {
            return;
        };
        door = turned;
        told.send_replace(open);
        tokio::select! {
            _ = behaviour.changed() => {}
            _ = connections.join_next(), if !connections.is_empty() => {}
            accepted = door.accept() => {
                // A caller that is gone before it was accepted is no fault.
                if let Ok(stream) = accepted {
                    connections.spawn(connection(stream, Arc::clone(&shared)));
                }
            }
        }
    }
}

/// Answers request after request, as long as both sides want to.
async fn connection(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut unread = Vec::new();
    // Small chunks are to arrive as they were written.
    let _ = stream.set_nodelay(true);
    while let Some(request) = request::read(&mut stream, &mut unread).await {
        if let Ok(mut asked) = shared.asked.lock() {
            asked.push(request.body().to_string());
        }
        let then = if request.is_chat() {
            let call = shared.calls.fetch_add(1, Ordering::SeqCst);
            let now = *shared.behaviour.borrow();
            now.answer(&mut stream, &request, call).await
        } else {
            body::not_found(&mut stream).await
        };
        match then {
            // A caller that left is no fault.
            Err(_) | Ok(Then::Close) => return,
            Ok(Then::Reset) => {
                let _ = stream.set_zero_linger();
                return;
            }
            Ok(Then::Next) if request.last => return,
            Ok(Then::Next) => {}
        }
    }
}
