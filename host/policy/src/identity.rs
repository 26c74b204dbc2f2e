//! By what the relay, and what it has sent, is known again.

use gatepost_message::TransactionId;

/// The relay's name and the ids of what it sends. None of it may wait.
pub trait Identity: Send + Sync {
    /// The relay's own name, as in Received.
    fn host_name(&self) -> String;
    /// The id of a transaction's message, for a header.
    fn email_id(&self, transaction: TransactionId) -> String;
    /// Whether such an id was issued by this relay, or one with the same key ring.
    fn is_ours(&self, email_id: &str) -> bool;
}

/// Of no relay: what it issues nobody knows again.
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
