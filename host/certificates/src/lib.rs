//! Certificates in TLS: those that the relay trusts (the public roots, those of PEM files, a private
//! root, a pinned key), the one that it shows to other servers ([`ClientIdentity`]), and the one that
//! an authority has issued to it ([`IssuedCertificate`]). [`ServerTls`] does the handshakes of its own
//! servers.

#![forbid(unsafe_code)]

mod issued;
mod pin;
mod server_tls;
mod trust;

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};

pub use self::issued::IssuedCertificate;
pub use self::pin::{Pin, PinError};
pub use self::server_tls::{PendingValidations, ServerTls};
pub use self::trust::{ClientIdentity, Trust, client_tls};

/// Reason why certificates cannot be used.
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
    /// The text holds no certificate that can be trusted.
    #[error("the text holds no usable certificate; give at least one CA certificate in PEM")]
    NoRoot,
    /// The relay's own certificate or its key is not PEM.
    #[error("the client certificate or its key is not usable PEM: {source}")]
    ClientIdentity {
        /// Error of reading.
        source: pem::Error,
    },
    /// The TLS library refuses certificate and key, or its own defaults.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
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
        if add(&mut roots, &text).map_err(unreadable)? == 0 {
            return Err(TrustError::NoCertificate {
                file: file.to_owned(),
            });
        }
    }
    Ok(roots)
}

/// Returns the certificates of a text in PEM, and no others: a private CA.
///
/// # Errors
/// It holds no certificate.
pub fn private_roots(text: &[u8]) -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    match add(&mut roots, text) {
        Ok(1..) => Ok(roots),
        Ok(0) | Err(_) => Err(TrustError::NoRoot),
    }
}

/// Adds the certificates of a text in PEM; returns how many could be used.
fn add(roots: &mut RootCertStore, text: &[u8]) -> Result<usize, pem::Error> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    Ok(roots.add_parsable_certificates(certificates?).0)
}
