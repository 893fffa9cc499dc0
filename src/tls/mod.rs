//! TLS: certificates read and checked, connections taken and made secret, and ours to other servers.
//!
//! One place for the outside crates that it needs (`rustls` with ring's cryptography, `tokio-rustls`, `webpki`): what
//! a certificate may be is judged the same for a start, a check of the configuration, and a change of files while the
//! server is at work. TLS 1.2 and 1.3, with the suites that rustls holds to be safe; nothing of it is to be set.
//!
//! Invariants: a connection is made secret in a task of its own, within 10 seconds, so that nobody who is slow holds
//! up who comes next; what is served is always one whole set of certificate, key and authority, read together: a set
//! that does not hold together is refused, and the one before goes on; a certificate that is changed touches new
//! connections only; no key and nothing of one is shown.
//!
//! Not here: what is said over a connection (`grpc`, `http`), which files there are (`config`), when they are looked
//! at again (`server`), connections to providers (`provider`). A client's certificate opens the connection and no more:
//! who calls, and what for, is still the key's matter (`access`).
//!
//! Source: RFC 8446 (TLS 1.3), RFC 7301 (ALPN), RFC 9113 section 3 (HTTP/2 over TLS is `h2`).

mod client;
mod error;
mod files;
mod identity;
mod listener;
#[cfg(test)]
mod sample;
mod stream;

pub use client::{Connector, Trust};
pub use error::{Error, Fault};
pub use files::Files;
pub use identity::{Identity, Speaks};
pub use listener::Listener;
pub use stream::Stream;
