//! A claimed message, with its recipients that are not settled.

use std::collections::BTreeSet;

use gatepost_spool::{Claim, ClaimedRecipient};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::signing::KeptSignatures;

/// A message during an attempt. Whatever happens to the tasks that work on it, each recipient is
/// settled once: a task must close it first.
#[derive(Debug)]
pub(crate) struct MessageInHand {
    pub(crate) claim: Claim,
    /// Indices in `claim.recipients` of the recipients that are not settled.
    open: Mutex<BTreeSet<usize>>,
    pub(crate) since: Instant,
    /// Signatures of the message as the queue has it.
    pub(crate) signatures: KeptSignatures,
}

impl MessageInHand {
    pub(crate) fn new(claim: Claim) -> Self {
        Self {
            open: Mutex::new((0..claim.recipients.len()).collect()),
            claim,
            since: Instant::now(),
            signatures: KeptSignatures::default(),
        }
    }

    /// Returns the recipient at that index.
    pub(crate) fn recipient(&self, index: usize) -> &ClaimedRecipient {
        &self.claim.recipients[index]
    }

    /// Closes one recipient in order to settle it; returns `false` if it was closed before.
    pub(crate) fn close(&self, index: usize) -> bool {
        self.open.lock().remove(&index)
    }

    /// Returns the indices of the recipients that are not settled.
    pub(crate) fn open(&self) -> Vec<usize> {
        let open = self.open.lock();
        open.iter().copied().collect()
    }
}
