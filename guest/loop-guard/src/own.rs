//! Addresses of the account itself. What it writes to them comes back to it: it is in and out at
//! once, and no machine answers it.

use gatepost_sdk::{Decision, Facts, is_support_address, knows_addresses};

use crate::keys::key;

/// Whether an address, in canonical form, is one that the account writes from, or that its directory
/// gives to it.
pub fn is_own(facts: &dyn Facts, address: &str) -> bool {
    facts.seen(&mark(address)) || knows_addresses() && is_support_address(address)
}

/// Remembers for so many days that the application writes from this address.
pub fn remember(facts: &dyn Facts, from: &str, days: u32, decision: &mut Decision) {
    let mark = mark(from);
    if !facts.seen(&mark) {
        decision.mark_seen(mark, days * 86_400);
    }
}

fn mark(address: &str) -> String {
    key(&["own ", address])
}
