//! Certificates that the relay trusts when it calls another server: the public roots, and those of
//! PEM files that the site names.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};

/// Reason why a site's certificates cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read.
    #[error("cannot read trusted certificates from {}: {source}; give a readable PEM file", file.display())]
    Unreadable {
        /// Path as configured.
        file: PathBuf,
        /// Error of reading.
        source: pem::Error,
    },
    /// The file holds no certificate that can be trusted.
    #[error("{} holds no usable certificate; give a PEM file with at least one CA certificate", file.display())]
    NoCertificate {
        /// Path as configured.
        file: PathBuf,
    },
}

/// Returns the public roots and the certificates of these PEM files.
///
/// # Errors
/// A file cannot be read, or holds no certificate.
pub fn trusted_roots<'a>(
    files: impl IntoIterator<Item = &'a Path>,
) -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for file in files {
        let unreadable = |source| TrustError::Unreadable {
            file: file.to_owned(),
            source,
        };
        let read = gatepost_files::read(file, gatepost_files::SETTINGS);
        let text = read.map_err(|error| unreadable(pem::Error::Io(error.into())))?;
        let certificates = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<Vec<_>, _>>()
            .map_err(unreadable)?;
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(TrustError::NoCertificate {
                file: file.to_owned(),
            });
        }
    }
    Ok(roots)
}
