//! The relay's identity: its host name and the signed ids of the messages that it sent.

use gatepost_message::TransactionId;

/// Host name of the relay and email ids of its messages. No method may wait.
pub trait Identity: Send + Sync {
    /// Returns the relay's host name, as in Received.
    fn host_name(&self) -> String;
    /// Returns the email id of a transaction's message, for a header field.
    fn email_id(&self, transaction: TransactionId) -> String;
    /// Returns true if this relay, or another with the same key ring, issued the email id.
    fn is_ours(&self, email_id: &str) -> bool;
}

/// Identity for probes and tests, which recognises no email id.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoIdentity;

impl Identity for NoIdentity {
    fn host_name(&self) -> String {
        "gatepost.invalid".to_owned()
    }
    fn email_id(&self, transaction: TransactionId) -> String {
        format!("{transaction}.none")
    }
    fn is_ours(&self, _: &str) -> bool {
        false
    }
}
