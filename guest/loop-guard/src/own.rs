//! Addresses of the account itself. What it writes to them comes back to it: it is in and out at
//! once, and no machine answers it.

use gatepost_sdk::{Decision, Facts, is_support_address, knows_addresses};

use crate::keys::key;

/// For how long an address from which the application wrote is known as the account's, in seconds.
const KNOWN: u32 = 30 * 86_400;

/// Whether an address, in canonical form, is one that the account writes from, or that its directory
/// gives to it.
pub fn is_own(facts: &dyn Facts, address: &str) -> bool {
    facts.seen(&mark(address)) || knows_addresses() && is_support_address(address)
}

/// Remembers from which addresses the application writes.
pub fn remember(facts: &dyn Facts, from: &[String], decision: &mut Decision) {
    for address in from {
        let mark = mark(address);
        if !facts.seen(&mark) {
            decision.mark_seen(mark, KNOWN);
        }
    }
}

fn mark(address: &str) -> String {
    key(&["own ", address])
}
