//! Limits on look-ups at one time.
//!
//! Domains whose look-up failed lately wait in a narrow lane of their own: a thousand domains with
//! dead name servers, each of which takes its whole time limit, do not hold up the others.

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

/// The two lanes.
#[derive(Clone)]
pub(crate) struct Lanes {
    wide: Arc<Semaphore>,
    narrow: Arc<Semaphore>,
    failed: Cache<String, ()>,
}

impl Default for Lanes {
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

impl Lanes {
    /// Waits for a place in the domain's lane. The place is free again when the result is dropped;
    /// there is none only if the lanes were closed, which never happens.
    pub(crate) async fn enter(&self, domain: &str) -> Option<OwnedSemaphorePermit> {
        let lane = match self.failed.contains_key(domain) {
            true => &self.narrow,
            false => &self.wide,
        };
        Arc::clone(lane).acquire_owned().await.ok()
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
    async fn failing_domains_take_no_place_from_others() {
        let lanes = Lanes::default();
        lanes.ended("dead.example", true);
        let mut places = Vec::new();
        for _ in 0..NARROW {
            places.push(lanes.enter("dead.example").await);
        }
        tokio::select! {
            biased;
            _ = lanes.enter("dead.example") => panic!("the narrow lane has more places"),
            place = lanes.enter("living.example") => assert!(place.is_some()),
        }
        lanes.ended("dead.example", false);
        assert!(lanes.enter("dead.example").await.is_some());
    }
}
