//! Use of TLS between HTTP clients and a page or an API of the relay.

use serde::Deserialize;

/// Use of TLS between HTTP clients and the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpTls {
    /// TLS with the certificate of the listeners.
    #[default]
    Implicit,
    /// No TLS here: a proxy on the way to the client speaks it.
    None,
}
