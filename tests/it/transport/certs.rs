//! Certificates, made when a test runs.

use bellwether::tls::{Files, Trust};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::path::{Path, PathBuf};

/// Who signs.
pub(crate) struct Authority {
    pem: String,
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("signed");
        let pem = certificate.pem();
        Self { pem, params, key }
    }

    /// Writes a new certificate and its key as NAME.pem and NAME.key.
    pub(crate) fn write(&self, dir: &Path, name: &str) -> (PathBuf, PathBuf) {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).expect("parameters");
        let key = KeyPair::generate().expect("a key");
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).expect("signed");
        let paths = (
            dir.join(format!("{name}.pem")),
            dir.join(format!("{name}.key")),
        );
        // The key first, as the pair is read when the certificate changes.
        std::fs::write(&paths.1, key.serialize_pem()).expect("written");
        std::fs::write(&paths.0, certificate.pem()).expect("written");
        paths
    }

    /// Its own certificate as ca.pem.
    fn own(&self, dir: &Path) -> PathBuf {
        let path = dir.join("ca.pem");
        std::fs::write(&path, &self.pem).expect("written");
        path
    }

    /// A server's files.
    pub(crate) fn server(&self, dir: &Path, mutual: bool) -> Files {
        let (certificate, key) = self.write(dir, "server");
        Files {
            certificate,
            key,
            client_ca: mutual.then(|| self.own(dir)),
        }
    }

    /// Trusts this authority, and shows a certificate of `shown`, where there is one.
    pub(crate) fn trust(&self, dir: &Path, shown: Option<&Self>) -> Trust {
        let own = shown.map(|authority| authority.write(dir, "caller"));
        let (certificate, key) = own.unzip();
        Trust {
            ca: Some(self.own(dir)),
            certificate,
            key,
        }
    }
}
