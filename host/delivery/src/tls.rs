//! TLS to servers: the connectors for both kinds of handshake.

use std::path::PathBuf;
use std::sync::Arc;

use gatepost_certificates::{ClientIdentity, Trust, TrustError, client_tls, trusted_roots};
use gatepost_sasl::Binding;
use gatepost_smtp::client::EhloNameError;
use rustls::{ClientConnection, ProtocolVersion};
use tokio_rustls::TlsConnector;

/// Reason why delivery cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The certificates cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The relay's own name cannot be said in EHLO.
    #[error("cannot introduce the relay by its host name: {0}")]
    HostName(#[from] EhloNameError),
}

/// Connectors for the two kinds of handshake.
#[derive(Clone)]
pub struct Tls {
    /// Accepts any certificate, for opportunistic TLS only. The alternative there is plaintext,
    /// which an attacker on the path can force anyway by hiding STARTTLS.
    pub(crate) opportunistic: TlsConnector,
    /// Demands what [`Trust`] says.
    pub(crate) verified: TlsConnector,
}

impl Tls {
    /// Makes both connectors; mandatory TLS demands this of servers, and both show this certificate
    /// to servers that ask for one.
    ///
    /// # Errors
    /// The certificate or its key cannot be used.
    pub fn new(trust: Trust, identity: Option<ClientIdentity<'_>>) -> Result<Self, TrustError> {
        let connector = |trust| {
            client_tls(trust, identity)
                .map(Arc::new)
                .map(TlsConnector::from)
        };
        Ok(Self {
            opportunistic: connector(Trust::Anything)?,
            verified: connector(trust)?,
        })
    }

    /// Makes both connectors, with the public roots and those in these PEM files.
    pub(crate) fn trusting(files: &[PathBuf]) -> Result<Self, TrustError> {
        let roots = trusted_roots(files.iter().map(PathBuf::as_path))?;
        Self::new(Trust::Roots(roots), None)
    }
}

/// Label of the exporter that authentication is bound to (RFC 9266 section 4.2).
const BINDING: &[u8] = b"EXPORTER-Channel-Binding";

/// Returns the channel binding of a connection; `None` where its protocol has no safe one (TLS 1.2:
/// RFC 9266 section 3).
pub(crate) fn binding(connection: &ClientConnection) -> Option<Binding> {
    let has_exporter = connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
    let exported = || connection.export_keying_material([0; 32], BINDING, None);
    has_exporter.then(exported).and_then(Result::ok)
}

/// Describes protocol and cipher, such as `TLSv1.3 TLS13_AES_256_GCM_SHA384`, as a session's facts
/// do.
pub(crate) fn describe(connection: &ClientConnection) -> String {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "TLS",
    };
    match connection.negotiated_cipher_suite() {
        Some(suite) => format!("{version} {:?}", suite.suite()),
        None => version.to_owned(),
    }
}
