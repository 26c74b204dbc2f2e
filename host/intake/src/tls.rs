//! TLS towards clients: the certificate that listeners show, and how a connection is described.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost_smtp::server::Secured;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ProtocolVersion, ServerConfig, ServerConnection};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use gatepost_config::Tls;

/// Why listeners cannot speak TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read or holds no PEM of the kind.
    #[error("cannot read {what} from {}: {source}; give a readable PEM file", file.display())]
    Pem {
        /// What was looked for.
        what: &'static str,
        /// The file as configured.
        file: PathBuf,
        /// What went wrong.
        source: pem::Error,
    },
    /// Certificate and key do not go together, or are of a kind that cannot be used.
    #[error("cannot use the certificate {} with the key {}: {source}", certificate.display(), key.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What went wrong.
        source: rustls::Error,
    },
}

/// Makes the acceptor of all listeners from the configured PEM files. TLS 1.2 and 1.3 only
/// (RFC 8996); nobody is asked for a client certificate.
///
/// # Errors
/// If a file cannot be read, or certificate and key do not go together.
pub fn acceptor(tls: &Tls) -> Result<TlsAcceptor, TlsError> {
    let unreadable = |what, file: &Path| {
        let file = file.to_owned();
        move |source| TlsError::Pem { what, file, source }
    };
    let certificates = read(&tls.certificate)
        .and_then(|octets| CertificateDer::pem_slice_iter(&octets).collect::<Result<Vec<_>, _>>())
        .map_err(unreadable("certificates", &tls.certificate))?;
    let key = read(&tls.key)
        .and_then(|octets| PrivateKeyDer::from_pem_slice(&octets))
        .map_err(unreadable("the private key", &tls.key))?;
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| {
            config
                .with_no_client_auth()
                .with_single_cert(certificates, key)
        })
        .map(|config| TlsAcceptor::from(Arc::new(config)))
        .map_err(|source| TlsError::Unusable {
            certificate: tls.certificate.clone(),
            key: tls.key.clone(),
            source,
        })
}

/// The octets of a PEM file, which are wiped when they have been read: one has the private key.
fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, pem::Error> {
    let octets = gatepost_files::read(file, gatepost_files::SETTINGS);
    Ok(Zeroizing::new(
        octets.map_err(|error| pem::Error::Io(error.into()))?,
    ))
}

/// The exporter that a log-in is bound to (RFC 9266 section 4.2).
const BINDING: &[u8] = b"EXPORTER-Channel-Binding";

/// What an established connection has become.
pub fn secured(connection: &ServerConnection) -> Secured {
    let has_exporter = connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
    let exported = || connection.export_keying_material([0; 32], BINDING, None);
    Secured {
        by: describe(connection),
        binding: has_exporter.then(exported).and_then(Result::ok),
    }
}

/// Protocol and cipher, such as `TLSv1.3 TLS13_AES_256_GCM_SHA384`.
fn describe(connection: &ServerConnection) -> String {
    let version = connection.protocol_version().and_then(|v| v.as_str());
    let suite = connection
        .negotiated_cipher_suite()
        .and_then(|suite| suite.suite().as_str());
    format!(
        "{} {}",
        version.unwrap_or("TLS").replace('_', "."),
        suite.unwrap_or("unknown")
    )
}
