//! A throw-away certificate.

use std::fs;
use std::path::{Path, PathBuf};

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
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(names)
            .unwrap_or_else(|error| panic!("no certificate: {error}"));
        let files = Self {
            certificate: directory.join("certificate.pem"),
            key: directory.join("key.pem"),
        };
        write(&files.certificate, &made.cert.pem());
        write(&files.key, &made.signing_key.serialize_pem());
        files
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
