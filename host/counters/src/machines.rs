//! Machines that one account knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use gatepost_message::Millis;
use gatepost_model::Machine;

use crate::ENTRY_OVERHEAD;

/// Machines by address, ordered by eviction: the one whose time ends soonest is evicted first.
#[derive(Debug, Default)]
pub(crate) struct Machines {
    known: BTreeMap<Arc<str>, Machine>,
    order: BTreeSet<(Millis, Arc<str>)>,
    octets: usize,
}

impl Machines {
    pub(crate) fn get(&self, address: &str) -> Option<&Machine> {
        self.known.get(address)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Machine)> {
        self.known
            .iter()
            .map(|(address, machine)| (&**address, machine))
    }

    /// Stores a machine; if it is known already, the time since when it is known stays.
    pub(crate) fn insert(&mut self, address: String, mut machine: Machine) {
        let address = match self.remove(&address) {
            Some((address, known)) => {
                if known.until > machine.since {
                    machine.since = known.since;
                }
                address
            }
            None => Arc::from(address),
        };
        self.octets += octets(&address, &machine);
        self.order.insert((machine.until, Arc::clone(&address)));
        self.known.insert(address, machine);
    }

    pub(crate) fn forget(&mut self, address: &str) {
        self.remove(address);
    }

    /// Evicts the weakest machine, if all machines take more than `bound` octets.
    pub(crate) fn evict(&mut self, bound: usize) -> Option<String> {
        let (_, address) = self.order.first().filter(|_| self.octets > bound)?;
        let address = address.to_string();
        self.forget(&address);
        Some(address)
    }

    /// Returns the machines known until `now` or before, in that order.
    pub(crate) fn until_at_most(&self, now: Millis) -> impl Iterator<Item = (Millis, &str)> {
        let over = self
            .order
            .iter()
            .take_while(move |(until, _)| *until <= now);
        over.map(|(until, address)| (*until, &**address))
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    pub(crate) fn octets(&self) -> usize {
        self.octets
    }

    fn remove(&mut self, address: &str) -> Option<(Arc<str>, Machine)> {
        let (address, machine) = self.known.remove_entry(address)?;
        self.order.remove(&(machine.until, Arc::clone(&address)));
        self.octets -= octets(&address, &machine);
        Some((address, machine))
    }
}

fn octets(address: &str, machine: &Machine) -> usize {
    ENTRY_OVERHEAD + address.len() + machine.evidence.len()
}
