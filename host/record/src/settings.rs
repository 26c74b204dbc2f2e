//! Settings of the recording: what is kept, of how many, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use gatepost_message::{Millis, TransactionId};

/// Settings of the recording.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordSettings {
    /// Share of transactions that are recorded, from 0 to 1.
    pub rate: f64,
    /// Share for single accounts, in place of `rate`.
    pub accounts: BTreeMap<String, f64>,
    /// True if bodies are recorded, and not only header sections.
    pub bodies: bool,
    /// Largest body that is recorded, in bytes; of a larger one, only the size is.
    pub largest_body: u64,
    /// Age at which entries are removed.
    pub age: Duration,
    /// Size of all entries together, in bytes; beyond it the oldest are removed.
    pub size: u64,
    /// Time at which the recording ends by itself.
    pub until: Option<Millis>,
}

impl Default for RecordSettings {
    /// Returns all transactions' header sections, for a week.
    fn default() -> Self {
        Self {
            rate: 1.0,
            accounts: BTreeMap::new(),
            bodies: false,
            largest_body: 1 << 20,
            age: Duration::from_secs(7 * 86_400),
            size: 1 << 30,
            until: None,
        }
    }
}

impl RecordSettings {
    /// Returns true if a transaction may have to be recorded, whatever account it will belong to.
    pub fn may_want(&self, id: TransactionId, now: Millis) -> bool {
        let highest = self.accounts.values().copied().fold(self.rate, f64::max);
        self.until.is_none_or(|until| now < until) && is_in_share(id, highest)
    }

    /// Returns true if a transaction of this account is to be recorded.
    pub fn wants(&self, id: TransactionId, account: Option<&str>) -> bool {
        let own = account.and_then(|account| self.accounts.get(account));
        is_in_share(id, own.copied().unwrap_or(self.rate))
    }
}

/// Returns true if a transaction is in the share: by its id, so that all entries of one transaction
/// are kept or none.
fn is_in_share(id: TransactionId, share: f64) -> bool {
    // The last octets of the id are random (RFC 9562 section 5.7).
    let octets = id.octets();
    let random = u32::from_be_bytes([octets[12], octets[13], octets[14], octets[15]]);
    f64::from(random) < share * 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_hold_for_all_and_for_single_accounts() {
        let settings = RecordSettings {
            rate: 0.0,
            accounts: [("acme".to_owned(), 1.0), ("half".to_owned(), 0.5)].into(),
            until: Some(Millis(1_000)),
            ..RecordSettings::default()
        };
        let ids: Vec<_> = (0..10_000).map(|_| TransactionId::new()).collect();
        let share = |account| {
            ids.iter()
                .filter(|id| settings.wants(**id, account))
                .count()
        };
        assert_eq!(share(None), 0);
        assert_eq!(share(Some("other")), 0);
        assert_eq!(share(Some("acme")), 10_000);
        let half = share(Some("half"));
        assert!((4_500..5_500).contains(&half), "{half}");
        assert!(settings.may_want(ids[0], Millis(999)));
        assert!(!settings.may_want(ids[0], Millis(1_000)));
    }
}
