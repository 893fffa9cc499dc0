//! Certificates, keys and authorities, read from PEM and checked.
//!
//! Invariants: whatever is refused is said of the field that named its file; a key is handed to the library and kept
//! nowhere else.
//!
//! Not here: whether who connects trusts a certificate, or its name fits: that is for who connects to say.

use super::error::{Error, Fault};
use crate::unit::Timestamp;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The files of a server's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// Its certificate, and those between it and what callers trust; PEM.
    pub certificate: PathBuf,
    /// The certificate's private key, PEM.
    pub key: PathBuf,
    /// Who signs the certificates that callers must show, PEM. `None`: none need be shown.
    pub client_ca: Option<PathBuf>,
}

impl Files {
    /// Reads and checks all of them.
    pub fn check(&self, now: Timestamp) -> Result<(), Error> {
        super::identity::configured(self, now).map(|_| ())
    }

    /// What the files hold, in a few bytes; a file that is not there counts as such.
    pub(super) fn print(&self) -> [u8; 32] {
        let mut print = Sha256::new();
        let named = [
            Some(&self.certificate),
            Some(&self.key),
            self.client_ca.as_ref(),
        ];
        for path in named.into_iter().flatten() {
            let content = std::fs::read(path).unwrap_or_default();
            print.update((content.len() as u64).to_le_bytes());
            print.update(content);
        }
        print.finalize().into()
    }
}

/// The cryptography of everything here.
pub(super) fn cryptography() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A file, and the field that names it.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) field: &'static str,
    pub(super) path: &'a Path,
}

impl Named<'_> {
    pub(super) fn fault(self, fault: Fault) -> Error {
        Error {
            field: self.field,
            path: self.path.to_owned(),
            fault,
        }
    }

    /// The certificates that stand there, at least one.
    fn certificates(self) -> Result<Vec<CertificateDer<'static>>, Error> {
        let found = CertificateDer::pem_file_iter(self.path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| self.fault(unread(error, Fault::NoCertificate)))?;
        match found.is_empty() {
            true => Err(self.fault(Fault::NoCertificate)),
            false => Ok(found),
        }
    }

    /// The authorities that stand there.
    pub(super) fn authorities(self) -> Result<RootCertStore, Error> {
        let mut store = RootCertStore::empty();
        for certificate in self.certificates()? {
            let added = store.add(certificate);
            added.map_err(|_| self.fault(Fault::NotACertificate))?;
        }
        Ok(store)
    }
}

/// The certificate of `certificate` with the key of `key`.
pub(super) fn pair(
    certificate: Named<'_>,
    key: Named<'_>,
    now: Timestamp,
    of_server: bool,
) -> Result<CertifiedKey, Error> {
    let chain = certificate.certificates()?;
    let first = chain
        .first()
        .ok_or_else(|| certificate.fault(Fault::NoCertificate))?;
    valid(first, now, of_server).map_err(|fault| certificate.fault(fault))?;
    let secret = PrivateKeyDer::from_pem_file(key.path);
    let secret = secret.map_err(|error| key.fault(unread(error, Fault::NoKey)))?;
    CertifiedKey::from_der(chain, secret, &cryptography()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => key.fault(Fault::Mismatch),
        rustls::Error::InvalidCertificate(_) => certificate.fault(Fault::NotACertificate),
        _ => key.fault(Fault::KeyUnusable),
    })
}

/// Why nothing was read.
fn unread(error: pem::Error, none: Fault) -> Fault {
    match error {
        pem::Error::Io(error) => Fault::Unreadable(error.kind()),
        _ => none,
    }
}

/// That a certificate holds now, and is one for this purpose.
///
/// webpki judges the certificate itself before it looks for who signed it. It is given nobody to find, so that what
/// it says of the certificate comes first, and "signed by nobody known" says that there was nothing: who is known is
/// for who connects to say. A certificate that signed itself as an authority (`openssl req -x509`) is taken.
fn valid(certificate: &CertificateDer<'_>, now: Timestamp, of_server: bool) -> Result<(), Fault> {
    let judged =
        webpki::EndEntityCert::try_from(certificate).map_err(|_| Fault::NotACertificate)?;
    let seconds = u64::try_from(now.micros() / 1_000_000).unwrap_or_default();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let purpose = match of_server {
        true => webpki::KeyUsage::server_auth(),
        false => webpki::KeyUsage::client_auth(),
    };
    match judged.verify_for_usage(&[], &[], &[], at, purpose, None, None) {
        Err(webpki::Error::CertExpired { not_after, .. }) => Err(Fault::Expired(moment(not_after))),
        Err(webpki::Error::CertNotValidYet { not_before, .. }) => {
            Err(Fault::NotYet(moment(not_before)))
        }
        Err(webpki::Error::RequiredEkuNotFoundContext(_)) => Err(Fault::Purpose),
        Err(webpki::Error::BadDer | webpki::Error::BadDerTime) => Err(Fault::NotACertificate),
        _ => Ok(()),
    }
}

fn moment(time: UnixTime) -> Timestamp {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_micros(seconds.saturating_mul(1_000_000))
}
