//! A throw-away certificate.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use sha2::{Digest as _, Sha256};

/// A self-signed certificate for `localhost` and the relay's usual test name, as PEM files.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// Certificate; also the root to trust.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

impl Certificate {
    /// Makes a certificate in `directory`.
    pub fn make(directory: &Path) -> Self {
        Self::make_for(directory, &["localhost", "127.0.0.1", "mx.desk.example"])
    }

    /// Makes a certificate for other names in `directory`.
    pub fn make_for(directory: &Path, names: &[&str]) -> Self {
        Self::made(directory, names, |_| ())
    }

    /// Makes a certificate for these names that expired long ago.
    pub fn make_expired(directory: &Path, names: &[&str]) -> Self {
        Self::made(directory, names, |of| {
            of.not_before = rcgen::date_time_ymd(2001, 1, 1);
            of.not_after = rcgen::date_time_ymd(2002, 1, 1);
        })
    }

    fn made(
        directory: &Path,
        names: &[&str],
        change: impl FnOnce(&mut rcgen::CertificateParams),
    ) -> Self {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let make = || {
            let mut of = rcgen::CertificateParams::new(names)?;
            change(&mut of);
            let signing_key = rcgen::KeyPair::generate()?;
            let cert = of.self_signed(&signing_key)?;
            Ok::<_, rcgen::Error>(rcgen::CertifiedKey { cert, signing_key })
        };
        let made = make().unwrap_or_else(|error| panic!("no certificate: {error}"));
        let files = Self {
            certificate: directory.join("certificate.pem"),
            key: directory.join("key.pem"),
        };
        write(&files.certificate, &made.cert.pem());
        write(&files.key, &made.signing_key.serialize_pem());
        files
    }

    /// Returns the certificate in base64, as it stands in its PEM file.
    pub fn base64(&self) -> String {
        let pem = fs::read_to_string(&self.certificate);
        let pem = pem.unwrap_or_else(|error| panic!("{}: {error}", self.certificate.display()));
        pem.lines().filter(|line| !line.starts_with('-')).collect()
    }

    /// Returns the SHA-256 of its public key, in base64.
    pub fn pin(&self) -> String {
        let der = STANDARD.decode(self.base64());
        let der = der
            .unwrap_or_else(|error| panic!("no certificate: {error}"))
            .into();
        let parsed = ParsedCertificate::try_from(&der);
        let parsed = parsed.unwrap_or_else(|error| panic!("no certificate: {error}"));
        STANDARD.encode(Sha256::digest(parsed.subject_public_key_info()))
    }

    /// Returns the TLS of a server with it.
    pub(crate) fn server_tls(&self) -> ServerConfig {
        let read = || {
            let certificates = CertificateDer::pem_file_iter(&self.certificate).ok()?;
            let certificates = certificates.collect::<Result<Vec<_>, _>>().ok()?;
            let key = PrivateKeyDer::from_pem_file(&self.key).ok()?;
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .ok()?
                .with_no_client_auth();
            config.with_single_cert(certificates, key).ok()
        };
        read().unwrap_or_else(|| panic!("no TLS by {}", self.certificate.display()))
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
