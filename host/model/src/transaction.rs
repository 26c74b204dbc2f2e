//! The SMTP transaction as policies, queue and trace know it.

use gatepost_message::{Address, Millis, ReversePath, TransactionId};
use serde::{Deserialize, Serialize};

use crate::Session;

/// One SMTP transaction: the envelope (RFC 5321 section 2.3.1) and the account it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Transaction {
    /// Identifier in the reply, the Received field, the log, the queue and the trace.
    pub id: TransactionId,
    /// Time of its beginning: the only time that its policies see.
    pub time: Millis,
    /// Connection it runs on.
    pub session: Session,
    /// Account, fixed by the first accepted recipient or by the user.
    pub account: Option<String>,
    /// MAIL FROM.
    pub reverse_path: ReversePath,
    /// Recipients accepted so far.
    pub recipients: Vec<Address>,
}
