//! Limits on look-ups at one time.
//!
//! Domains whose look-up failed lately have a narrow limit of their own: a thousand domains with dead
//! name servers, each of which takes its whole time limit, do not hold up the others.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Domains looked up at one time. More questions in one burst are more than the buffer of a name
/// server's socket takes.
const WIDE: usize = 128;

/// Domains looked up at one time of those that failed lately.
const NARROW: usize = 32;

/// Most domains looked up at one time.
pub(crate) const MOST_DOMAINS: usize = WIDE + NARROW;

/// Time for which a failure is remembered.
const MEMORY: Duration = Duration::from_secs(600);

/// Most failures that are remembered.
const FAILURES: u64 = 10_000;

/// The two limits: the wide one, and the narrow one for domains that failed lately.
#[derive(Clone)]
pub(crate) struct LookUpLimits {
    wide: Arc<Semaphore>,
    narrow: Arc<Semaphore>,
    failed: Cache<String, ()>,
}

impl Default for LookUpLimits {
    fn default() -> Self {
        Self {
            wide: Arc::new(Semaphore::new(WIDE)),
            narrow: Arc::new(Semaphore::new(NARROW)),
            failed: Cache::builder()
                .max_capacity(FAILURES)
                .time_to_live(MEMORY)
                .build(),
        }
    }
}

impl LookUpLimits {
    /// Waits for a permit to look up a domain. It is free again when the result is dropped; there is
    /// none only if the limits were closed, which never happens.
    pub(crate) async fn acquire(&self, domain: &str) -> Option<OwnedSemaphorePermit> {
        let limit = match self.failed.contains_key(domain) {
            true => &self.narrow,
            false => &self.wide,
        };
        Arc::clone(limit).acquire_owned().await.ok()
    }

    /// Remembers how a look-up ended.
    pub(crate) fn ended(&self, domain: &str, failed: bool) {
        match failed {
            true => self.failed.insert(domain.to_owned(), ()),
            false => self.failed.invalidate(domain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn failing_domains_do_not_hold_up_others() {
        let limits = LookUpLimits::default();
        limits.ended("dead.example", true);
        let mut permits = Vec::new();
        for _ in 0..NARROW {
            permits.push(limits.acquire("dead.example").await);
        }
        tokio::select! {
            biased;
            _ = limits.acquire("dead.example") => panic!("the narrow limit is wider"),
            permit = limits.acquire("living.example") => assert!(permit.is_some()),
        }
        limits.ended("dead.example", false);
        assert!(limits.acquire("dead.example").await.is_some());
    }
}
