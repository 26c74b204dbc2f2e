//! Messages that go from their sender to delivery without a detour through the store.
//!
//! Most mail is due the moment it is accepted, and all of it is in memory then. Where delivery has
//! asked for it, the commit that holds such a message leases it in the same breath, and what would
//! have to be read back waits here to be claimed. The store has it all the same: should the relay
//! die, the lease ends with its owner and the message is due as any other.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gatepost_message::Millis;

use crate::{Claim, Owner};

/// How many messages may wait here; beyond, they wait in the store.
const MESSAGES: usize = 256;

/// How many octets they may have together.
const OCTETS: u64 = 16 << 20;

/// To whom what is accepted is leased at once, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) owner: Owner,
    pub(crate) lease: Duration,
}

/// What waits to be claimed.
#[derive(Debug, Default)]
pub(crate) struct Fresh(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    order: Option<Order>,
    claims: VecDeque<Claim>,
    octets: u64,
}

/// What was taken from here.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// To be attempted.
    pub(crate) claims: Vec<Claim>,
    /// Waited for so long that what is left of their lease may not do: to go back.
    pub(crate) stale: Vec<Claim>,
}

/// How much more may be put here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    order: Option<Order>,
    messages: usize,
    octets: u64,
}

impl Room {
    /// To whom a message of so many octets is leased, if it may be; it has its place then.
    pub(crate) fn lease(&mut self, octets: u64) -> Option<Order> {
        let order = self.order?;
        self.messages = self.messages.checked_sub(1)?;
        self.octets = self.octets.checked_sub(octets)?;
        Some(order)
    }
}

impl Fresh {
    /// Leases what is accepted from now on as it says.
    pub(crate) fn attach(&self, order: Order) {
        self.lock().order = Some(order);
    }

    pub(crate) fn room(&self) -> Room {
        let state = self.lock();
        Room {
            order: state.order,
            messages: MESSAGES.saturating_sub(state.claims.len()),
            octets: OCTETS.saturating_sub(state.octets),
        }
    }

    /// Puts what a commit has leased.
    pub(crate) fn put(&self, claims: Vec<Claim>) {
        let mut state = self.lock();
        state.octets += claims.iter().map(|claim| claim.message.size()).sum::<u64>();
        state.claims.extend(claims);
    }

    /// Takes up to `limit` messages leased to `owner`, the oldest first. A lease is to last for
    /// `lease`, but for a sixteenth.
    pub(crate) fn take(&self, owner: Owner, now: Millis, limit: usize, lease: Duration) -> Taken {
        let mut state = self.lock();
        let mut taken = Taken::default();
        if state.order.is_none_or(|order| order.owner != owner) {
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

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
