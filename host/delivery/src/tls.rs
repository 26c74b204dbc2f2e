//! TLS to next hops: certificate verification by [`TlsMode`].
//!
//! [`TlsMode`]: gatepost_model::TlsMode

use std::path::PathBuf;
use std::sync::Arc;

use gatepost_certificates::{TrustError, trusted_roots};
use gatepost_smtp::client::EhloNameError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio_rustls::TlsConnector;

/// Reason why delivery cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The trusted certificates cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The relay's own name cannot be said in EHLO.
    #[error("cannot introduce the relay by its host name: {0}")]
    HostName(#[from] EhloNameError),
    /// The TLS library refuses its own defaults.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// Connectors for the two kinds of handshake.
#[derive(Clone)]
pub(crate) struct Tls {
    /// Accepts any certificate.
    pub(crate) opportunistic: TlsConnector,
    /// Demands a certificate for the host's name from a trusted root.
    pub(crate) verified: TlsConnector,
}

impl Tls {
    /// Makes both connectors, with the public roots and those in these PEM files.
    pub(crate) fn new(trusted: &[PathBuf]) -> Result<Self, StartError> {
        let provider = Arc::new(ring::default_provider());
        let config = || {
            ClientConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()
        };
        let any = config()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(Arc::clone(&provider))))
            .with_no_client_auth();
        let verified = config()?
            .with_root_certificates(trusted_roots(trusted.iter().map(PathBuf::as_path))?)
            .with_no_client_auth();
        Ok(Self {
            opportunistic: TlsConnector::from(Arc::new(any)),
            verified: TlsConnector::from(Arc::new(verified)),
        })
    }
}

/// Accepts any certificate, for opportunistic TLS only.
///
/// The alternative there is plaintext, which an attacker on the path can force anyway by hiding
/// STARTTLS. Encryption to whoever answers protects against passive listeners (RFC 7435), and
/// refusing a self-signed certificate would give that up for nothing. The server must still prove
/// that it holds the certificate's key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
