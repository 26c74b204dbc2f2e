//! One claimed message, and which of its recipients are still open.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use gatepost_spool::{Claim, ClaimedRecipient};
use tokio::time::Instant;

/// A message on its way through delivery. Whatever becomes of the tasks that work on it, each
/// recipient is settled once: whoever settles one has to take it first.
#[derive(Debug)]
pub(crate) struct InHand {
    pub(crate) claim: Claim,
    /// Places in `claim.recipients` of those not settled yet.
    open: Mutex<BTreeSet<usize>>,
    pub(crate) since: Instant,
}

impl InHand {
    pub(crate) fn new(claim: Claim) -> Self {
        Self {
            open: Mutex::new((0..claim.recipients.len()).collect()),
            claim,
            since: Instant::now(),
        }
    }

    /// The recipient at that place.
    pub(crate) fn recipient(&self, place: usize) -> &ClaimedRecipient {
        &self.claim.recipients[place]
    }

    /// Takes one recipient to settle it; `false` if somebody has before.
    pub(crate) fn take(&self, place: usize) -> bool {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&place)
    }

    /// The places of those not settled yet.
    pub(crate) fn open(&self) -> Vec<usize> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().copied().collect()
    }
}
