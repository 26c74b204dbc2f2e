//! Disconnected senders: mail in their name leaves by the default route from a default address, and
//! what was queued before may be held.

use gatepost_directory::{Disconnection, QueuedMail, View};
use gatepost_message::{Address, Message, Millis};
use gatepost_model::{Flow, Transaction};

use crate::edits::host_rules;

/// Disconnected sender of a message, with its disconnection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisconnectedSender {
    /// Sender: the reverse-path, an author, or another address that a mail reader shows for one.
    pub address: Address,
    /// Disconnection of it or of its domain.
    pub disconnection: Disconnection,
}

impl DisconnectedSender {
    /// Returns the disconnected sender of a submission, if there is one.
    pub fn of(directory: &View, transaction: &Transaction, message: &Message) -> Option<Self> {
        if transaction.session.flow != Flow::Submission {
            return None;
        }
        let account = transaction.account.as_deref()?.parse().ok()?;
        let disconnected = |address: &Address| {
            let disconnection = directory.disconnection(account, address)?;
            Some(Self {
                address: address.clone(),
                disconnection,
            })
        };
        let by_path = transaction.reverse_path.address().and_then(disconnected);
        // Most accounts have nothing disconnected: their mail is not read for it.
        if by_path.is_some() || !directory.has_disconnected(account) {
            return by_path;
        }
        let authors = host_rules::authors(message).unwrap_or_default();
        authors.iter().find_map(disconnected)
    }

    /// Returns true if the message, which was accepted at that time, waits for the sender to be
    /// connected again.
    pub fn holds(&self, accepted: Millis) -> bool {
        let Disconnection { at, queued } = self.disconnection;
        queued == QueuedMail::Hold && accepted < at
    }
}
