//! TLS towards clients: the certificates of the listeners (those of files, and the one that the relay
//! has ordered itself), the choice of one by the name that a client asks for, and the description of a
//! connection.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost_certificates::{IssuedCertificate, ServerTls};
use gatepost_smtp::server::Secured;
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    ClientHello, ParsedCertificate, ResolvesServerCert, VerifierBuilderError, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{ProtocolVersion, RootCertStore, ServerConfig, ServerConnection};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use gatepost_config::RelayTls;

/// Error that keeps listeners from speaking TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read or holds no PEM of the kind.
    #[error("cannot read {what} from {}: {source}; give a readable PEM file", file.display())]
    Pem {
        /// Kind of PEM that was looked for.
        what: &'static str,
        /// File as configured.
        file: PathBuf,
        /// Cause.
        source: pem::Error,
    },
    /// Certificate and key do not match, or are of a kind that cannot be used.
    #[error("cannot use the certificate {} with the key {}: {source}", certificate.display(), key.display())]
    Unusable {
        /// File of the certificate.
        certificate: PathBuf,
        /// File of the key.
        key: PathBuf,
        /// Cause.
        source: rustls::Error,
    },
    /// The TLS library refuses its own defaults.
    #[error("cannot set up TLS: {0}")]
    Refused(rustls::Error),
    /// The roots of clients' certificates cannot be used.
    #[error("cannot verify certificates of clients: {0}")]
    Clients(#[from] VerifierBuilderError),
}

/// Makes the TLS of all listeners: with the certificates of the configured PEM files, with the one that
/// is issued to the relay, or with both. A client that asks for a name of the latter is shown that one
/// while it is valid, and otherwise as [`acceptor`] says. Without any, there is no TLS.
///
/// # Errors
/// As [`acceptor`].
pub fn server_tls(
    tls: Option<&RelayTls>,
    issued: Option<IssuedCertificate>,
) -> Result<Option<ServerTls>, TlsError> {
    let certificates = match (tls, &issued) {
        (None, None) => return Ok(None),
        (None, Some(_)) => Vec::new(),
        (Some(tls), _) => certificates(tls)?,
    };
    let awaited = issued.clone().filter(|_| certificates.is_empty());
    let shown = ByName {
        certificates,
        issued,
    };
    let config = server_config(shown, WebPkiClientVerifier::no_client_auth());
    let server = ServerTls::new(Arc::new(config.map_err(TlsError::Refused)?));
    Ok(Some(match awaited {
        Some(certificate) => server.awaiting(certificate),
        None => server,
    }))
}

/// Makes an acceptor from the configured PEM files. A client that asks for a name is
/// shown the certificate that has it (RFC 6066 section 3), or else the first. TLS 1.2 and 1.3 only (RFC
/// 8996); no client certificate is asked for.
///
/// # Errors
/// A file cannot be read, or a certificate and its key do not match.
pub fn acceptor(tls: &RelayTls) -> Result<TlsAcceptor, TlsError> {
    acceptor_for(tls, WebPkiClientVerifier::no_client_auth())
}

/// Makes an acceptor that takes only clients with a certificate from these roots.
///
/// # Errors
/// As [`acceptor`], or there are no roots.
pub fn acceptor_for_clients_of(
    tls: &RelayTls,
    roots: RootCertStore,
) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build();
    acceptor_for(tls, verifier?)
}

fn acceptor_for(
    tls: &RelayTls,
    clients: Arc<dyn ClientCertVerifier>,
) -> Result<TlsAcceptor, TlsError> {
    let shown = ByName {
        certificates: certificates(tls)?,
        issued: None,
    };
    let config = server_config(shown, clients).map_err(TlsError::Refused)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn server_config(
    shown: ByName,
    clients: Arc<dyn ClientCertVerifier>,
) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients);
    Ok(config.with_cert_resolver(Arc::new(shown)))
}

/// Reads the certificates of files, the one for all other names first.
fn certificates(tls: &RelayTls) -> Result<Vec<Arc<CertifiedKey>>, TlsError> {
    let provider = ring::default_provider();
    (tls.pairs())
        .map(|(certificate, key)| certified(&provider, certificate, key))
        .collect()
}

/// Reads a certificate and its key.
fn certified(
    provider: &CryptoProvider,
    certificate: &Path,
    key: &Path,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let unreadable = |what, file: &Path| {
        let file = file.to_owned();
        move |source| TlsError::Pem { what, file, source }
    };
    let chain = read(certificate)
        .and_then(|octets| CertificateDer::pem_slice_iter(&octets).collect::<Result<Vec<_>, _>>())
        .map_err(unreadable("certificates", certificate))?;
    let private = read(key)
        .and_then(|octets| PrivateKeyDer::from_pem_slice(&octets))
        .map_err(unreadable("the private key", key))?;
    CertifiedKey::from_der(chain, private, provider)
        .map(Arc::new)
        .map_err(|source| TlsError::Unusable {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            source,
        })
}

/// The certificates of the listeners: the first one is for clients that ask for no name, and for one
/// that no certificate has.
#[derive(Debug)]
struct ByName {
    certificates: Vec<Arc<CertifiedKey>>,
    issued: Option<IssuedCertificate>,
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let is_for = |of: &Arc<CertifiedKey>, name: &ServerName<'_>| {
            let parsed = of.end_entity_cert().and_then(ParsedCertificate::try_from);
            parsed.is_ok_and(|parsed| verify_server_name(&parsed, name).is_ok())
        };
        let issued = self.issued.as_ref();
        let Some(first) = self.certificates.first() else {
            return issued.and_then(IssuedCertificate::get);
        };
        let valid = issued.and_then(IssuedCertificate::get_valid);
        if valid.is_none() && self.certificates.len() == 1 {
            return Some(Arc::clone(first));
        }
        let named = client.server_name().and_then(|name| {
            let name = ServerName::try_from(name).ok()?;
            let mut all = valid.iter().chain(&self.certificates);
            all.find(|of| is_for(of, &name))
        });
        Some(Arc::clone(named.unwrap_or(first)))
    }
}

/// Reads a PEM file. The bytes are wiped after use: one file holds the private key.
fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, pem::Error> {
    let octets = gatepost_files::read(file, gatepost_files::SETTINGS);
    Ok(Zeroizing::new(
        octets.map_err(|error| pem::Error::Io(error.into()))?,
    ))
}

/// Label of the exporter that authentication is bound to (RFC 9266 section 4.2).
const BINDING: &[u8] = b"EXPORTER-Channel-Binding";

/// Returns the description and the channel binding of an established connection.
pub fn secured(connection: &ServerConnection) -> Secured {
    let has_exporter = connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
    let exported = || connection.export_keying_material([0; 32], BINDING, None);
    Secured {
        by: describe(connection),
        binding: has_exporter.then(exported).and_then(Result::ok),
    }
}

/// Returns protocol and cipher, such as `TLSv1.3 TLS13_AES_256_GCM_SHA384`.
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
