//! Who a server says it is: read from files, swapped whole while it serves.
//!
//! Invariants: what new connections get is the last set that was whole; a swap forgets the sessions of the set before,
//! so that nobody resumes past an authority that is gone.
//!
//! Not here: when to look again (`server`).

use super::error::{Error, Fault};
use super::files::{Files, Named, cryptography, pair};
use crate::unit::Timestamp;
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::SingleCertAndKey;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What is spoken at a door, as ALPN has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// HTTP/2 alone: gRPC.
    Http2,
    /// HTTP/1.1, and HTTP/2 with who asks for it over TLS.
    Either,
}

/// A server's certificate, key and the authority of its callers. Clones are one.
#[derive(Debug, Clone)]
pub struct Identity {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    configured: ArcSwap<Configured>,
    read: Mutex<Read>,
}

/// What was last tried.
#[derive(Debug)]
struct Read {
    files: Files,
    print: [u8; 32],
}

/// A whole set, for each door.
pub(super) struct Configured {
    http2: Arc<ServerConfig>,
    either: Arc<ServerConfig>,
}

impl fmt::Debug for Configured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Configured(..)")
    }
}

impl Identity {
    /// Reads it.
    pub fn read(files: Files, now: Timestamp) -> Result<Self, Error> {
        let print = files.print();
        let configured = ArcSwap::from_pointee(configured(&files, now)?);
        let read = Mutex::new(Read { files, print });
        let shared = Arc::new(Shared { configured, read });
        Ok(Self { shared })
    }

    /// Reads it anew from `files`: from the next connection on it is this. Where they do not serve, nothing changes.
    pub fn replace(&self, files: Files, now: Timestamp) -> Result<(), Error> {
        let mut read = self
            .shared
            .read
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let print = files.print();
        self.shared
            .configured
            .store(Arc::new(configured(&files, now)?));
        *read = Read { files, print };
        Ok(())
    }

    /// Reads it anew if its files hold something else than when they were last read; `None`: they do not. Where what
    /// they hold does not serve, nothing changes, and it is said once.
    pub fn look(&self, now: Timestamp) -> Option<Result<(), Error>> {
        let mut read = self
            .shared
            .read
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let print = read.files.print();
        if print == read.print {
            return None;
        }
        read.print = print;
        let configured = configured(&read.files, now);
        Some(configured.map(|whole| self.shared.configured.store(Arc::new(whole))))
    }

    pub(super) fn config(&self, speaks: Speaks) -> Arc<ServerConfig> {
        let configured = self.shared.configured.load();
        match speaks {
            Speaks::Http2 => Arc::clone(&configured.http2),
            Speaks::Either => Arc::clone(&configured.either),
        }
    }
}

/// Reads and checks a set.
pub(super) fn configured(files: &Files, now: Timestamp) -> Result<Configured, Error> {
    let certificate = Named {
        field: "certificate",
        path: &files.certificate,
    };
    let key = Named {
        field: "key",
        path: &files.key,
    };
    let pair = pair(certificate, key, now, true)?;
    let refused = |at: Named<'_>, why: String| at.fault(Fault::Refused(why));
    let builder = ServerConfig::builder_with_provider(cryptography())
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(certificate, error.to_string()))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let field = "client_ca";
            let at = Named { field, path };
            let roots = Arc::new(at.authorities()?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, cryptography());
            let verifier = verifier.build();
            builder.with_client_cert_verifier(verifier.map_err(|e| refused(at, e.to_string()))?)
        }
    };
    let mut http2 = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    http2.alpn_protocols = vec![b"h2".to_vec()];
    let mut either = http2.clone();
    either.alpn_protocols.push(b"http/1.1".to_vec());
    Ok(Configured {
        http2: Arc::new(http2),
        either: Arc::new(either),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::sample::{Authority, NOW};
    use std::path::Path;

    /// The field and the fault of a set, after `spoil` was at its files.
    fn check(spoil: impl FnOnce(&Path), expected: Result<(), (&str, Fault)>) {
        let dir = tempfile::tempdir().unwrap();
        let files = Authority::new("ours").written(dir.path(), true);
        spoil(dir.path());
        let found = files.check(NOW).map_err(|error| {
            assert!(!format!("{error} {error:?}").contains("BEGIN PRIVATE KEY-----"));
            (error.field, error.fault)
        });
        assert_eq!(found, expected);
    }

    fn write(dir: &Path, file: &str, text: &str) {
        std::fs::write(dir.join(file), text).unwrap();
    }

    #[test]
    fn a_whole_set_is_taken_and_an_authority_is_not_needed() {
        check(|_| {}, Ok(()));
        let dir = tempfile::tempdir().unwrap();
        let files = Authority::new("ours").written(dir.path(), false);
        assert_eq!(files.check(NOW), Ok(()));
    }

    #[test]
    fn each_file_that_does_not_serve_is_said_with_its_field() {
        let unreadable = Fault::Unreadable(std::io::ErrorKind::NotFound);
        for (file, field) in [
            ("cert.pem", "certificate"),
            ("key.pem", "key"),
            ("ca.pem", "client_ca"),
        ] {
            let gone = |dir: &Path| std::fs::remove_file(dir.join(file)).unwrap();
            check(gone, Err((field, unreadable.clone())));
        }
        check(
            |dir| write(dir, "cert.pem", "words"),
            Err(("certificate", Fault::NoCertificate)),
        );
        check(|dir| write(dir, "key.pem", ""), Err(("key", Fault::NoKey)));
        check(
            |dir| write(dir, "ca.pem", "words"),
            Err(("client_ca", Fault::NoCertificate)),
        );
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        check(
            |dir| write(dir, "cert.pem", junk),
            Err(("certificate", Fault::NotACertificate)),
        );
        check(
            |dir| write(dir, "ca.pem", junk),
            Err(("client_ca", Fault::NotACertificate)),
        );
        let junk = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        check(
            |dir| write(dir, "key.pem", junk),
            Err(("key", Fault::KeyUnusable)),
        );
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let (_, key) = Authority::new("other").signed(&["localhost"], |_| {});
        check(
            |dir| write(dir, "key.pem", &key),
            Err(("key", Fault::Mismatch)),
        );
    }

    #[test]
    fn a_certificate_that_ran_out_or_does_not_hold_yet_is_refused() {
        let made = |from: i32, to: i32| {
            Authority::new("ours").signed(&["localhost"], |params| {
                params.not_before = rcgen::date_time_ymd(from, 1, 1);
                params.not_after = rcgen::date_time_ymd(to, 1, 1);
            })
        };
        let day = |micros: i64| Timestamp::from_micros(micros * 1_000_000);
        for (from, to, fault) in [
            (2019, 2020, Fault::Expired(day(1_577_836_800))),
            (2090, 2091, Fault::NotYet(day(3_786_912_000))),
        ] {
            let (certificate, key) = made(from, to);
            check(
                |dir| {
                    write(dir, "cert.pem", &certificate);
                    write(dir, "key.pem", &key);
                },
                Err(("certificate", fault)),
            );
        }
        assert_eq!(
            Fault::Expired(day(1_577_836_800)).to_string(),
            "expired on 2020-01-01"
        );
    }

    #[test]
    fn a_certificate_for_clients_alone_is_refused_and_one_that_signed_itself_is_taken() {
        let (certificate, key) = Authority::new("ours").signed(&["localhost"], |params| {
            params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        });
        let both = |dir: &Path, certificate: &str, key: &str| {
            write(dir, "cert.pem", certificate);
            write(dir, "key.pem", key);
        };
        let refused = Err(("certificate", Fault::Purpose));
        check(|dir| both(dir, &certificate, &key), refused);
        let own = Authority::new("ours");
        check(|dir| both(dir, &own.pem(), &own.key()), Ok(()));
    }

    #[test]
    fn files_that_changed_are_read_and_a_bad_set_is_said_once_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let files = Authority::new("one").written(dir.path(), false);
        let identity = Identity::read(files, NOW).unwrap();
        let served = || Arc::as_ptr(&identity.config(Speaks::Http2));
        let first = served();
        assert_eq!(identity.look(NOW), None);
        // The certificate is there already, its key is not.
        let (certificate, key) = Authority::new("two").signed(&["localhost"], |_| {});
        write(dir.path(), "cert.pem", &certificate);
        let refused = identity.look(NOW).unwrap().unwrap_err();
        assert_eq!((refused.field, refused.fault), ("key", Fault::Mismatch));
        assert_eq!((identity.look(NOW), served()), (None, first));
        write(dir.path(), "key.pem", &key);
        assert_eq!(identity.look(NOW), Some(Ok(())));
        assert_ne!(served(), first);
        assert_eq!(identity.look(NOW), None);
    }

    #[test]
    fn each_door_says_what_it_speaks() {
        let dir = tempfile::tempdir().unwrap();
        let identity = Identity::read(Authority::new("a").written(dir.path(), true), NOW).unwrap();
        let said = |speaks| identity.config(speaks).alpn_protocols.clone();
        assert_eq!(said(Speaks::Http2), [b"h2".to_vec()]);
        assert_eq!(said(Speaks::Either), [b"h2".to_vec(), b"http/1.1".to_vec()]);
    }
}
