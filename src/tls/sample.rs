//! Certificates for tests, made when they run.

use super::files::Files;
use crate::unit::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::path::Path;

/// A moment in 2026.
pub(super) const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

/// Who signs.
pub(super) struct Authority {
    certificate: rcgen::Certificate,
    key: KeyPair,
    params: CertificateParams,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            certificate,
            key,
            params,
        }
    }

    pub(super) fn pem(&self) -> String {
        self.certificate.pem()
    }

    pub(super) fn key(&self) -> String {
        self.key.serialize_pem()
    }

    /// A certificate and its key, signed here, as `change` leaves it.
    pub(super) fn signed(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> (String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// A server's files in `dir`: cert.pem, key.pem, ca.pem.
    pub(super) fn written(&self, dir: &Path, mutual: bool) -> Files {
        let (certificate, key) = self.signed(&["localhost", "127.0.0.1"], |_| {});
        let put = |file: &str, text: &str| {
            let path = dir.join(file);
            std::fs::write(&path, text).unwrap();
            path
        };
        let authority = put("ca.pem", &self.pem());
        Files {
            certificate: put("cert.pem", &certificate),
            key: put("key.pem", &key),
            client_ca: mutual.then_some(authority),
        }
    }
}
