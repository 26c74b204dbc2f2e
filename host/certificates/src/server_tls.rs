//! Handshakes of the relay as a server, and those by which a certificate authority validates a name
//! (TLS-ALPN-01, RFC 8737).

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{Acceptor, ClientHello};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

use crate::IssuedCertificate;

/// Name of the protocol in which a name is validated (RFC 8737 section 4).
const VALIDATION: &[u8] = b"acme-tls/1";

/// Certificates that answer validations which are under way, by the name that is validated. Clones
/// share them.
#[derive(Clone, Default)]
pub struct PendingValidations(Arc<RwLock<BTreeMap<String, Arc<ServerConfig>>>>);

impl PendingValidations {
    /// Answers validations of a name, in A-labels and lower case, with this certificate.
    ///
    /// # Errors
    /// The TLS library refuses the key.
    pub fn answer(
        &self,
        name: &str,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let key = provider.key_provider.load_private_key(key)?;
        // Not compared with the certificate: the library knows none with this critical extension.
        let shown = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(shown));
        config.alpn_protocols = vec![VALIDATION.to_vec()];
        self.0.write().insert(name.to_owned(), Arc::new(config));
        Ok(())
    }

    /// Answers none any more.
    pub fn clear(&self) {
        self.0.write().clear();
    }

    /// Returns the answer to a client that asks for this name.
    fn of(&self, name: Option<&str>) -> Option<Arc<ServerConfig>> {
        let name = name?.to_ascii_lowercase();
        self.0.read().get(&name).cloned()
    }
}

impl fmt::Debug for PendingValidations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.read().keys()).finish()
    }
}

/// TLS of a server. Clones share their state.
#[derive(Debug, Clone)]
pub struct ServerTls {
    config: Arc<ServerConfig>,
    /// Certificate without which there is none to show.
    awaited: Option<IssuedCertificate>,
    validations: Option<PendingValidations>,
}

impl ServerTls {
    /// Makes TLS that has a certificate to show.
    pub fn new(config: Arc<ServerConfig>) -> Self {
        Self {
            config,
            awaited: None,
            validations: None,
        }
    }

    /// Declares that there is no certificate to show until this one is issued.
    #[must_use]
    pub fn awaiting(self, certificate: IssuedCertificate) -> Self {
        Self {
            awaited: Some(certificate),
            ..self
        }
    }

    /// Answers these validations, too.
    #[must_use]
    pub fn with_validations(self, validations: PendingValidations) -> Self {
        Self {
            validations: Some(validations),
            ..self
        }
    }

    /// Returns true if there is a certificate to show.
    pub fn is_ready(&self) -> bool {
        (self.awaited.as_ref()).is_none_or(IssuedCertificate::is_there)
    }

    /// Does the handshake. `None` if it was a validation: that is over then, and the connection closed.
    ///
    /// # Errors
    /// The handshake fails, or validates a name that nobody is to validate now.
    pub async fn accept<S>(&self, stream: S) -> io::Result<Option<TlsStream<S>>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(validations) = &self.validations else {
            let acceptor = TlsAcceptor::from(Arc::clone(&self.config));
            return Ok(Some(acceptor.accept(stream).await?));
        };
        let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let hello = begun.client_hello();
        if !is_validation(&hello) {
            let config = Arc::clone(&self.config);
            return Ok(Some(begun.into_stream(config).await?));
        }
        let Some(config) = validations.of(hello.server_name()) else {
            return Err(io::Error::other("no validation of this name is under way"));
        };
        let mut answered = begun.into_stream(config).await?;
        answered.shutdown().await?;
        Ok(None)
    }
}

/// Returns true if a client offers nothing but a validation (RFC 8737 section 4).
fn is_validation(hello: &ClientHello<'_>) -> bool {
    let Some(mut offered) = hello.alpn() else {
        return false;
    };
    offered.next() == Some(VALIDATION) && offered.next().is_none()
}
