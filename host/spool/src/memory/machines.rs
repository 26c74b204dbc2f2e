//! The machines that one account knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use gatepost_message::Millis;
use gatepost_model::Machine;

use super::ENTRY;

/// Machines by address, and which of them would be forgotten first: what is known for the shortest
/// time to come.
#[derive(Debug, Default)]
pub(super) struct Machines {
    known: BTreeMap<Arc<str>, Machine>,
    order: BTreeSet<(Millis, Arc<str>)>,
    octets: usize,
}

impl Machines {
    pub(super) fn get(&self, address: &str) -> Option<&Machine> {
        self.known.get(address)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Machine)> {
        self.known
            .iter()
            .map(|(address, machine)| (&**address, machine))
    }

    /// Knows a machine; one that is known already has been known since then.
    pub(super) fn know(&mut self, address: String, mut machine: Machine) {
        let address = match self.take(&address) {
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

    pub(super) fn forget(&mut self, address: &str) {
        self.take(address);
    }

    /// Forgets the weakest, if all take more than so many octets.
    pub(super) fn evict(&mut self, bound: usize) -> Option<String> {
        let (_, address) = self.order.first().filter(|_| self.octets > bound)?;
        let address = address.to_string();
        self.forget(&address);
        Some(address)
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    fn take(&mut self, address: &str) -> Option<(Arc<str>, Machine)> {
        let (address, machine) = self.known.remove_entry(address)?;
        self.order.remove(&(machine.until, Arc::clone(&address)));
        self.octets -= octets(&address, &machine);
        Some((address, machine))
    }
}

fn octets(address: &str, machine: &Machine) -> usize {
    ENTRY + address.len() + machine.evidence.len()
}
