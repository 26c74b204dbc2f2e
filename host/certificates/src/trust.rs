//! Demands on the certificate of a server, and TLS that makes them.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::{Pin, TrustError};

/// Demand on the certificate of a server.
#[derive(Debug, Clone)]
pub enum Trust {
    /// A valid certificate for the server's name, from one of these roots.
    Roots(RootCertStore),
    /// One of these keys, whatever name, issuer and dates its certificate has.
    Keys(Vec<Pin>),
    /// None. Encryption to whoever answers protects against passive listeners (RFC 7435), and no
    /// secret may be sent.
    Anything,
}

/// Certificate of this side, with its key; both in PEM.
#[derive(Clone, Copy)]
pub struct ClientIdentity<'a> {
    /// The certificate, and those between it and its root.
    pub certificates: &'a [u8],
    /// The private key.
    pub key: &'a [u8],
}

/// Makes TLS that demands this of servers, and shows this certificate to those that ask for one.
///
/// # Errors
/// Certificate or key cannot be used.
pub fn client_tls(
    trust: Trust,
    identity: Option<ClientIdentity<'_>>,
) -> Result<ClientConfig, TrustError> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let keys = match trust {
        Trust::Roots(roots) => {
            return with_identity(config.with_root_certificates(roots), identity);
        }
        Trust::Keys(keys) => Some(keys),
        Trust::Anything => None,
    };
    let verifier = Arc::new(WithoutIssuer { provider, keys });
    let config = config
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    with_identity(config, identity)
}

fn with_identity(
    config: rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>,
    identity: Option<ClientIdentity<'_>>,
) -> Result<ClientConfig, TrustError> {
    let Some(ClientIdentity { certificates, key }) = identity else {
        return Ok(config.with_no_client_auth());
    };
    let unusable = |source| TrustError::ClientIdentity { source };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
    let key = PrivateKeyDer::from_pem_slice(key).map_err(unusable)?;
    Ok(config.with_client_auth_cert(chain.map_err(unusable)?, key)?)
}

/// Verifier that does not ask who issued a certificate. The server must prove in any case that it
/// holds the certificate's key.
#[derive(Debug)]
struct WithoutIssuer {
    provider: Arc<CryptoProvider>,
    /// Keys to accept; `None` for any.
    keys: Option<Vec<Pin>>,
}

impl ServerCertVerifier for WithoutIssuer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(keys) = &self.keys else {
            return Ok(ServerCertVerified::assertion());
        };
        match Pin::of(end_entity) {
            Some(pin) if keys.contains(&pin) => Ok(ServerCertVerified::assertion()),
            Some(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
            None => Err(CertificateError::BadEncoding.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
