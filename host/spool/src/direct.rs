//! The direct hand-off: messages that go to delivery without being read back from the store.
//!
//! Most mail is due the moment it is accepted, and all of it is in memory then. Once delivery has
//! attached, the commit that holds such a message also leases it, and the claim waits here in
//! memory. The store holds the message as well: if the relay dies, the lease ends with its owner,
//! and the message is due like any other.

use std::{collections::VecDeque, time::Duration};

use gatepost_message::Millis;
use parking_lot::{Mutex, MutexGuard};

use crate::{Claim, Owner};

/// Most claims that may wait here; further messages are claimed from the store.
const MAX_MESSAGES: usize = 256;

/// Most octets of messages that may wait here.
const MAX_OCTETS: u64 = 16 << 20;

/// Stored messages get one claim of so many while more wait here than may be taken.
const STORED_SHARE: usize = 4;

/// Owner and duration of the leases on messages that are handed off directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LeaseTerms {
    pub(crate) owner: Owner,
    pub(crate) lease: Duration,
}

/// Claims that wait to be taken by delivery.
#[derive(Debug, Default)]
pub(crate) struct DirectHandOff(Mutex<HandOffState>);

#[derive(Debug, Default)]
struct HandOffState {
    terms: Option<LeaseTerms>,
    claims: VecDeque<Claim>,
    octets: u64,
    /// Quarters of claims that stored messages have not had of their share.
    quarters: usize,
}

/// Claims that were taken from the direct hand-off.
#[derive(Debug, Default)]
pub(crate) struct TakenClaims {
    /// Claims to be attempted.
    pub(crate) claims: Vec<Claim>,
    /// Claims that waited so long that the rest of their lease may not suffice; they are returned
    /// to the queue.
    pub(crate) stale: Vec<Claim>,
}

/// Number of messages and octets that may still be added.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capacity {
    terms: Option<LeaseTerms>,
    messages: usize,
    octets: u64,
}

impl Capacity {
    /// Returns the terms on which a message of so many octets is leased, and counts the message;
    /// `None` if it may not be handed off.
    pub(crate) fn reserve(&mut self, octets: u64) -> Option<LeaseTerms> {
        let terms = self.terms?;
        self.messages = self.messages.checked_sub(1)?;
        self.octets = self.octets.checked_sub(octets)?;
        Some(terms)
    }
}

impl DirectHandOff {
    /// Leases messages that are accepted from now on by these terms.
    pub(crate) fn attach(&self, terms: LeaseTerms) {
        self.lock().terms = Some(terms);
    }

    /// Leases no more messages, and drops the claims that wait.
    pub(crate) fn detach(&self) {
        *self.lock() = HandOffState::default();
    }

    pub(crate) fn capacity(&self) -> Capacity {
        let state = self.lock();
        Capacity {
            terms: state.terms,
            messages: MAX_MESSAGES.saturating_sub(state.claims.len()),
            octets: MAX_OCTETS.saturating_sub(state.octets),
        }
    }

    /// Adds claims that a commit has leased.
    pub(crate) fn put(&self, claims: Vec<Claim>) {
        let mut state = self.lock();
        state.octets += claims.iter().map(|claim| claim.message.size()).sum::<u64>();
        state.claims.extend(claims);
    }

    /// Returns how many of `limit` claims are left to messages that wait in the store, if any of
    /// them can be claimed: a quarter, while more wait here than may be taken. So those that were
    /// too many for here do not wait behind all that come after them.
    pub(crate) fn left_to_stored(&self, limit: usize) -> usize {
        let mut state = self.lock();
        if state.claims.len() <= limit {
            return 0;
        }
        state.quarters += limit % STORED_SHARE;
        let one_more = state.quarters / STORED_SHARE;
        state.quarters %= STORED_SHARE;
        limit / STORED_SHARE + one_more
    }

    /// Takes up to `limit` claims leased to `owner`, the oldest first. At least fifteen sixteenths
    /// of `lease` must be left on each.
    pub(crate) fn take(
        &self,
        owner: Owner,
        now: Millis,
        limit: usize,
        lease: Duration,
    ) -> TakenClaims {
        let mut state = self.lock();
        let mut taken = TakenClaims::default();
        if state.terms.is_none_or(|terms| terms.owner != owner) {
            return taken;
        }
        let enough = now + lease.mul_f64(15.0 / 16.0);
        while taken.claims.len() < limit
            && let Some(claim) = state.claims.pop_front()
        {
            state.octets = state.octets.saturating_sub(claim.message.size());
            match claim.lease.until >= enough {
                true => taken.claims.push(claim),
                false => taken.stale.push(claim),
            }
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, HandOffState> {
        // No code under this lock panics half way.
        self.0.lock()
    }
}
