//! Claims that wait in memory, leased in the store all the while: a released backlog without routes
//! is claimed faster than its destinations take it, and to return each message with its route, and
//! to claim it once more, would cost as much as its delivery.
//!
//! A claim waits where it would wait in the store, and has its turn as it would have it there. It
//! [goes back](ClaimsSetAside::give_back) to the store if its destination closes, or when the rest
//! of its lease may not suffice for an attempt.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use gatepost_message::{Millis, TransactionId};
use gatepost_model::DestinationKey;

use crate::{AttemptOutcome, Claim, ClaimCause, Lease, Report};

use super::{DestinationId, Key, Pick, ScheduleEntry};

/// Most claims that wait here: [`AHEAD`], and as many as delivery may have in hand beside them.
const MOST_CLAIMS: usize = 384;

/// Most octets of their messages.
const MOST_OCTETS: u64 = 16 << 20;

/// Number of claims that wait here from which on recipients without a route are claimed only a few
/// at a time: they are likely to find no room either.
const AHEAD: usize = 128;

/// Messages without a route that are claimed all the same in each [`BEYOND_INTERVAL`], so that a
/// slow destination does not stop what waits behind its mail for another one.
const BEYOND: u32 = 20;

/// See [`BEYOND`].
const BEYOND_INTERVAL: Duration = Duration::from_millis(100);

/// A claim that waits.
#[derive(Debug)]
pub(super) struct ClaimSetAside {
    claim: Claim,
    /// Report that would return it to the store.
    report: Report,
    destination: DestinationId,
    /// Time at which it was claimed.
    pub(super) since: Millis,
}

/// Share of a claim's recipients that can be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claimable {
    None,
    Some,
    All,
}

impl ClaimSetAside {
    pub(super) fn lease(&self) -> Lease {
        self.report.lease
    }

    /// Returns the numbers of its recipients.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.report.results.iter().map(|result| result.number)
    }

    pub(super) fn has(&self, number: u32) -> bool {
        self.numbers().any(|own| own == number)
    }

    /// Returns how many of its recipients are among these.
    pub(super) fn count(&self, recipients: &[(u32, ScheduleEntry, ClaimCause)]) -> Claimable {
        let own = recipients.iter().filter(|(number, ..)| self.has(*number));
        match own.count() {
            0 => Claimable::None,
            all if all == self.report.results.len() => Claimable::All,
            _ => Claimable::Some,
        }
    }

    /// Returns the claim with the causes for which it is claimed now.
    pub(super) fn into_claim(self, pick: &Pick) -> Claim {
        let mut claim = self.claim;
        for recipient in &mut claim.recipients {
            let picked = pick.recipients.iter();
            let picked = picked.filter(|(number, _)| *number == recipient.number);
            recipient.cause = picked
                .map(|(_, cause)| *cause)
                .next()
                .unwrap_or(recipient.cause);
        }
        claim
    }
}

/// All claims that wait in memory.
#[derive(Debug, Default)]
pub(super) struct ClaimsSetAside {
    claims: BTreeMap<TransactionId, ClaimSetAside>,
    by_lease_end: BTreeSet<(Millis, TransactionId)>,
    octets: u64,
    /// Time that must be left of the lease of a claim.
    enough: Duration,
    /// Reports that return claims to the store.
    returned: Vec<Report>,
    /// Messages claimed in the present interval although many wait here.
    beyond: u32,
    /// Time from which such messages are claimed again.
    beyond_from: Millis,
}

impl ClaimsSetAside {
    /// Notes the length of a lease. An attempt may take nine tenths of it.
    pub(super) fn lease_lasts(&mut self, length: Duration) {
        self.enough = length.mul_f64(15.0 / 16.0);
    }

    /// Returns true if there is room for a claim whose lease is fresh, and no other claim of its
    /// message waits.
    pub(super) fn has_room(&self, claim: &Claim, now: Millis) -> bool {
        self.claims.len() < MOST_CLAIMS
            && self.octets + claim.message.size() <= MOST_OCTETS
            && claim.lease.until > now + self.enough
            && !self.claims.contains_key(&claim.transaction.id)
    }

    pub(super) fn add(
        &mut self,
        claim: &Claim,
        report: Report,
        destination: DestinationId,
        since: Millis,
    ) {
        let mut claim = claim.clone();
        for (recipient, result) in claim.recipients.iter_mut().zip(&report.results) {
            recipient.route.clone_from(&result.route);
        }
        let id = claim.transaction.id;
        self.octets += claim.message.size();
        self.by_lease_end.insert((report.lease.until, id));
        let waiting = ClaimSetAside {
            claim,
            report,
            destination,
            since,
        };
        self.claims.insert(id, waiting);
    }

    pub(super) fn remove(&mut self, message: TransactionId) -> Option<ClaimSetAside> {
        let waiting = self.claims.remove(&message)?;
        self.octets -= waiting.claim.message.size();
        self.by_lease_end.remove(&(waiting.lease().until, message));
        Some(waiting)
    }

    /// Forgets the claim of a recipient that waits no longer; returns true if there was one.
    pub(super) fn forget(&mut self, (message, number): Key) -> bool {
        let of = self.claims.get(&message);
        of.is_some_and(|waiting| waiting.has(number)) && self.remove(message).is_some()
    }

    /// Returns the claim of a message that waits for a destination.
    pub(super) fn of(&self, message: TransactionId, at: DestinationId) -> Option<&ClaimSetAside> {
        let waiting = self.claims.get(&message);
        waiting.filter(|waiting| waiting.destination == at)
    }

    /// Returns the messages whose claims wait for a destination.
    pub(super) fn at(&self, destination: DestinationId) -> Vec<TransactionId> {
        let all = self.claims.iter();
        all.filter(|(_, waiting)| waiting.destination == destination)
            .map(|(message, _)| *message)
            .collect()
    }

    /// Returns the messages of all claims.
    pub(super) fn all(&self) -> Vec<TransactionId> {
        self.claims.keys().copied().collect()
    }

    /// Returns the time at which the first claim has to go back to the store.
    pub(super) fn first_stale(&self) -> Option<Millis> {
        let (until, _) = self.by_lease_end.first()?;
        let enough = u64::try_from(self.enough.as_millis()).unwrap_or(u64::MAX);
        Some(Millis(until.0.saturating_sub(enough)))
    }

    /// Returns a message whose claim has to go back.
    pub(super) fn stale(&self, now: Millis) -> Option<TransactionId> {
        let (_, message) = self.by_lease_end.first()?;
        (self.first_stale()? <= now).then_some(*message)
    }

    /// Hands out the report that returns a claim to the store.
    pub(super) fn give_back(&mut self, waiting: ClaimSetAside) {
        self.returned.push(waiting.report);
    }

    /// Returns the reports that have been handed out.
    pub(super) fn returned(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.returned)
    }

    /// Returns the time from which recipients without a route are claimed.
    pub(super) fn ahead_from(&self) -> Millis {
        match self.are_many() {
            true => self.beyond_from,
            false => Millis(0),
        }
    }

    /// Notes that a message without a route is claimed.
    pub(super) fn claimed_ahead(&mut self, now: Millis) {
        if self.are_many() {
            self.beyond += 1;
        }
        if self.beyond >= BEYOND {
            self.beyond = 0;
            self.beyond_from = now + BEYOND_INTERVAL;
        }
    }

    fn are_many(&self) -> bool {
        self.claims.len() >= AHEAD || self.octets >= MOST_OCTETS / 2
    }
}

/// Returns the destination to which a report returns all recipients of a claim, if that is one, and
/// the report does nothing else.
pub(super) fn one_destination(claim: &Claim, report: &Report) -> Option<DestinationKey> {
    let numbers = claim.recipients.iter().map(|recipient| recipient.number);
    let whole = numbers.eq(report.results.iter().map(|result| result.number));
    let mut keys = report.results.iter().map(|result| {
        let returned = matches!(
            &result.outcome,
            AttemptOutcome::Returned { reply: None, .. }
        );
        let route = result.route.as_ref().filter(|_| returned)?;
        Some(route.destination.key())
    });
    let key = keys.next()??;
    let same = keys.all(|other| other.as_ref() == Some(&key));
    (whole && same && report.notices.is_empty()).then_some(key)
}

/// Returns when each recipient of a claim is due, and when its attention is.
pub(super) fn waits(claim: &Claim, report: &Report) -> Vec<(u32, Millis, Millis)> {
    let waits = report.results.iter().filter_map(|result| {
        let AttemptOutcome::Returned { next_attempt, .. } = &result.outcome else {
            return None;
        };
        let attention_at = result.attention_at.unwrap_or(claim.expires_at);
        Some((result.number, *next_attempt, attention_at))
    });
    waits.collect()
}
