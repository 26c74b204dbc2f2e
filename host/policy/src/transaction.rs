//! What a hook is told: the session and the transaction as far as they have got.
//!
//! These are the contract's records (`wit/types.wit`) as the relay's own types, so that nothing
//! outside this crate has to know how they cross into the sandbox.

use std::net::SocketAddr;

use gatepost_message::{Address, Millis, ReversePath, TransactionId};
use serde::{Deserialize, Serialize};

/// Which way a message travels, fixed by the listener that took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// From the world to an address that this relay receives mail for.
    Inbound,
    /// From the application, on behalf of an account.
    Submission,
}

/// One SMTP connection, as far as it has got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Session {
    /// Name of the listener in the configuration.
    pub listener: String,
    /// The listener's direction.
    pub flow: Flow,
    /// The client's address; the proxied one where a PROXY header was taken.
    pub client: SocketAddr,
    /// Argument of EHLO or HELO, once given.
    pub helo: Option<String>,
    /// Protocol and cipher; `None` in plaintext.
    pub tls: Option<String>,
    /// The user that AUTH has proved.
    pub user: Option<String>,
}

/// One SMTP transaction: the envelope (RFC 5321 section 2.3.1) and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Transaction {
    /// The same in the reply, the Received header, the log, the queue and the trace.
    pub id: TransactionId,
    /// When the transaction began; the only time that its policies see.
    pub time: Millis,
    /// The connection it runs on.
    pub session: Session,
    /// The account it belongs to: fixed by the first accepted recipient or by the user.
    pub account: Option<String>,
    /// MAIL FROM.
    pub reverse_path: ReversePath,
    /// The recipients accepted so far.
    pub recipients: Vec<Address>,
}
