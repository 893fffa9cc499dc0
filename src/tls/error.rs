//! What is wrong with a certificate, a key or an authority, said of the field that named its file.

use crate::unit::Timestamp;
use std::path::PathBuf;

/// A file that does not serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} ({}): {fault}; allowed {}", path.display(), fault.allowed())]
pub struct Error {
    /// The field or option that names the file.
    pub field: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::ErrorKind),
    /// There is no certificate in it.
    #[error("holds no certificate")]
    NoCertificate,
    /// There is no private key in it.
    #[error("holds no private key")]
    NoKey,
    /// What stands there is no certificate.
    #[error("holds a certificate that cannot be read")]
    NotACertificate,
    /// The key is of a kind that cannot sign here.
    #[error("holds a key that cannot be used")]
    KeyUnusable,
    /// The certificate is of another key.
    #[error("does not belong to the certificate")]
    Mismatch,
    /// The certificate has run out.
    #[error("expired on {}", day(.0))]
    Expired(Timestamp),
    /// The certificate does not hold yet.
    #[error("is not valid before {}", day(.0))]
    NotYet(Timestamp),
    /// The certificate says what it may be used for, and this is not among it.
    #[error("is a certificate for another purpose")]
    Purpose,
    /// The library refuses it for a reason of its own.
    #[error("cannot be used: {0}")]
    Refused(String),
}

impl Fault {
    /// What may stand there instead.
    pub fn allowed(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "a file that this process may read",
            Self::NoCertificate | Self::NotACertificate => {
                "PEM: one or more `BEGIN CERTIFICATE`, the server's own first"
            }
            Self::NoKey => {
                "PEM: `BEGIN PRIVATE KEY`, `BEGIN EC PRIVATE KEY` or `BEGIN RSA PRIVATE KEY`"
            }
            Self::KeyUnusable => "an ECDSA (P-256, P-384), Ed25519 or RSA (2048 bits or more) key",
            Self::Mismatch => "the private key that the certificate was made for",
            Self::Expired(_) | Self::NotYet(_) => "a certificate that is valid now",
            Self::Purpose => "a certificate without extended key usage, or with that of a server",
            Self::Refused(_) => "certificates of X.509 version 3 and their keys",
        }
    }
}

fn day(time: &Timestamp) -> String {
    let (year, month, day) = time.date();
    format!("{year:04}-{month:02}-{day:02}")
}
