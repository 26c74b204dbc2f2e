//! The SMTP connection as policies, queue and trace know it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Direction of a message, fixed by the listener that accepted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// Mail from the world to an address that this relay receives mail for.
    Inbound,
    /// Mail from the application, on behalf of an account.
    Submission,
}

/// State of one SMTP connection, as policies, queue and trace see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Session {
    /// Name of the listener in the configuration.
    pub listener: String,
    /// Direction of the listener.
    pub flow: Flow,
    /// Client's address; the one in the PROXY header if the listener accepts that.
    pub client: SocketAddr,
    /// Argument of EHLO or HELO, once given.
    pub helo: Option<String>,
    /// Protocol and cipher; `None` in plaintext.
    pub tls: Option<String>,
    /// User authenticated by AUTH.
    pub user: Option<String>,
}
