//! Look-ups of counts, marks and machines, and what they find.

use gatepost_message::Millis;
use gatepost_model::{Machine, Scope};
use serde::{Deserialize, Serialize};

/// Counts, marks and machines as policies look them up: as they stood before this message. No
/// method may wait.
pub trait Memory: Send + Sync {
    /// Returns the sum counted under `key` in the `seconds` before `now`, at most 24 hours. Counts
    /// are kept by the minute, so up to a minute more is included.
    fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64;

    /// Returns true if `key` is marked and the mark has not expired at `now`.
    fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool;

    /// Returns the account's knowledge at `now` of a machine that writes from `address`, given in
    /// canonical form.
    fn machine(&self, account: &str, address: &str, now: Millis) -> Option<Machine>;
}

/// A machine that an account knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct KnownMachine {
    /// Account that knows it; empty for mail of no account.
    pub account: String,
    /// Address that it writes from, in canonical form.
    pub address: String,
    /// Evidence, and time for which it is known.
    #[serde(flatten)]
    pub machine: Machine,
}

/// Number and size of the remembered entries of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RememberedSize {
    /// Number of keys or addresses.
    pub entries: usize,
    /// Octets of memory that they are assumed to need.
    pub octets: usize,
}

/// Number and size of the remembered entries, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RememberedTotals {
    /// Keys that are marked as seen.
    pub marks: RememberedSize,
    /// Keys under which something is counted.
    pub counts: RememberedSize,
    /// Addresses that are known as machines'.
    pub machines: RememberedSize,
}
