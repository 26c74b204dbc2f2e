//! One destination: what waits there, by account, and what is in hand.

use std::collections::{BTreeSet, HashMap};

use gatepost_message::{Millis, TransactionId};
use gatepost_model::DestinationKey;

use crate::Pace;

use super::{AccountId, turns::Turns};

/// Most messages that are counted to learn whether they leave room.
const MOST_COUNTED: usize = 1000;

/// A destination. Recipients without a route are at one that has no key.
#[derive(Debug, Default)]
pub(super) struct DestinationQueue {
    pub(super) key: Option<DestinationKey>,
    pub(super) pace: Pace,
    /// Recipients that wait, by account, in the order in which they are due.
    waiting: HashMap<AccountId, BTreeSet<(Millis, TransactionId, u32)>>,
    /// Accounts with the time at which the first of their recipients is due.
    accounts: Turns<AccountId>,
    /// Messages in hand under the lease that ends then, with the number of their recipients.
    in_hand: HashMap<(TransactionId, Millis), u32>,
    /// Number of recipients, waiting or leased, whose stored route leads here.
    pub(super) routed: usize,
}

impl DestinationQueue {
    /// Makes a destination where nothing is.
    pub(super) fn new(key: &DestinationKey) -> Self {
        Self {
            key: Some(key.clone()),
            ..Self::default()
        }
    }

    /// Returns true if nothing waits or is in hand, or will come back here.
    pub(super) fn is_idle(&self) -> bool {
        self.routed == 0 && self.in_hand.is_empty()
    }

    /// Returns the number of messages in hand.
    pub(super) fn in_hand(&self) -> usize {
        self.in_hand.len()
    }

    /// Returns true if nothing more may be in hand.
    fn is_full(&self) -> bool {
        self.in_hand.len() as u64 >= u64::from(self.pace.in_hand)
    }

    /// Returns true if something may be claimed or entered.
    pub(super) fn is_open(&self, now: Millis) -> bool {
        !self.is_full() && self.pace.not_before <= now
    }

    /// Returns the time from which something can be claimed; `None` if a change must come first.
    pub(super) fn ready_at(&self) -> Option<Millis> {
        let first = self.accounts.first()?;
        (!self.is_full()).then_some(first.max(self.pace.not_before))
    }

    /// Returns true if one more message may be in hand, after all that are due before it.
    pub(super) fn admits(&self, now: Millis) -> bool {
        let room = u64::from(self.pace.in_hand).saturating_sub(self.in_hand.len() as u64);
        let enough = usize::try_from(room)
            .unwrap_or(usize::MAX)
            .min(MOST_COUNTED);
        self.is_open(now) && self.due(now, enough) < enough
    }

    /// Counts the messages that are due, up to so many.
    fn due(&self, now: Millis, at_most: usize) -> usize {
        let mut last = None;
        let accounts = self.accounts.ready(now);
        let waiting = accounts.filter_map(|account| self.waiting.get(&account));
        waiting
            .flat_map(|waiting| waiting.iter().take_while(|(due, ..)| *due <= now))
            .filter(|(_, message, _)| last.replace(*message) != Some(*message))
            .take(at_most)
            .count()
    }

    /// Returns the message that is next, of the account whose turn it is.
    pub(super) fn next(&mut self, now: Millis) -> Option<TransactionId> {
        let account = self.accounts.next(now)?;
        let (_, message, _) = self.waiting.get(&account)?.first()?;
        Some(*message)
    }

    /// Adds a recipient that waits.
    pub(super) fn add(&mut self, account: AccountId, at: (Millis, TransactionId, u32)) {
        self.waiting.entry(account).or_default().insert(at);
        self.time(account);
    }

    /// Removes a recipient that waits.
    pub(super) fn remove(&mut self, account: AccountId, at: (Millis, TransactionId, u32)) {
        if let Some(waiting) = self.waiting.get_mut(&account) {
            waiting.remove(&at);
            self.time(account);
        }
    }

    fn time(&mut self, account: AccountId) {
        let first = self.waiting.get(&account).and_then(BTreeSet::first);
        let due = first.map(|(due, ..)| *due);
        self.accounts.set(account, due);
        if due.is_none() {
            self.waiting.remove(&account);
        }
    }

    /// Returns true if the message is in hand under that lease.
    pub(super) fn has_in_hand(&self, message: TransactionId, until: Millis) -> bool {
        self.in_hand.contains_key(&(message, until))
    }

    /// Counts a recipient in hand.
    pub(super) fn take(&mut self, message: TransactionId, until: Millis) {
        *self.in_hand.entry((message, until)).or_default() += 1;
    }

    /// Counts a recipient in hand no longer.
    pub(super) fn leave(&mut self, message: TransactionId, until: Millis) {
        if let Some(recipients) = self.in_hand.get_mut(&(message, until)) {
            *recipients -= 1;
            if *recipients == 0 {
                self.in_hand.remove(&(message, until));
            }
        }
    }
}
