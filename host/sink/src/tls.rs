//! TLS of a session, and faults in its place.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_sasl::Binding;
use rustls::{ProtocolVersion, ServerConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::script::TlsFault;
use crate::wire::{Duplex, Over, Step};

/// Label of the exporter to which SCRAM is bound (RFC 9266 section 4.2).
const BINDING: &[u8] = b"EXPORTER-Channel-Binding";

/// A fatal alert: `handshake_failure` (RFC 8446 section 6).
const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

/// A fatal alert of TLS 1.1: `protocol_version`.
const VERSION: [u8; 7] = [21, 3, 2, 0, 2, 2, 70];

/// TLS of a session.
#[derive(Debug, Clone)]
pub(crate) struct SinkSecured {
    /// Protocol and cipher, such as `TLSv1.3 TLS13_AES_256_GCM_SHA384`.
    pub(crate) by: String,
    pub(crate) binding: Option<Binding>,
    /// Certificate that the client has shown, in base64.
    pub(crate) client: Option<String>,
}

impl SinkSecured {
    pub(crate) fn of(connection: &ServerConnection) -> Self {
        let version = connection.protocol_version();
        let name = version.and_then(|version| version.as_str());
        let suite = connection.negotiated_cipher_suite();
        let suite = suite.and_then(|suite| suite.suite().as_str());
        let exported = || connection.export_keying_material([0; 32], BINDING, None);
        Self {
            by: format!(
                "{} {}",
                name.unwrap_or("TLS").replace('_', "."),
                suite.unwrap_or("unknown")
            ),
            client: (connection.peer_certificates())
                .and_then(|shown| shown.first())
                .map(|certificate| STANDARD.encode(certificate)),
            // TLS 1.2 has no safe exporter (RFC 9266 section 3).
            binding: (version == Some(ProtocolVersion::TLSv1_3))
                .then(exported)
                .and_then(Result::ok),
        }
    }
}

/// Fails the handshake; there is no session after it.
pub(crate) async fn fail(stream: &mut dyn Duplex, fault: TlsFault) -> Step<()> {
    // The client's hello comes first.
    let mut hello = [0; 1024];
    if stream.read(&mut hello).await? == 0 {
        return Err(Over::ByClient);
    }
    match fault {
        TlsFault::Drop => {}
        TlsFault::Garbage => stream.write_all(b"this is no handshake\r\n").await?,
        TlsFault::Alert => stream.write_all(&ALERT).await?,
        TlsFault::Version => stream.write_all(&VERSION).await?,
        TlsFault::Hang => std::future::pending().await,
    }
    stream.flush().await?;
    Err(Over::Scripted("the handshake failed as the script says"))
}
