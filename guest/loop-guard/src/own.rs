//! Addresses of the account itself. Mail to them comes back to the account: it counts as incoming
//! and outgoing at once, and no machine answers it.

use gatepost_sdk::{Decision, Facts, is_support_address, knows_addresses};

use crate::keys::key;

/// Returns true if an address in canonical form is one that the account writes from, or one that
/// the directory gives to it.
pub fn is_own(facts: &dyn Facts, address: &str) -> bool {
    facts.seen(&own_key(address)) || knows_addresses() && is_support_address(address)
}

/// Remembers for so many days that the application writes from this address.
pub fn remember(facts: &dyn Facts, from: &str, days: u32, decision: &mut Decision) {
    let mark = own_key(from);
    if !facts.seen(&mark) {
        decision.mark_seen(mark, days * 86_400);
    }
}

fn own_key(address: &str) -> String {
    key(&["own ", address])
}
