//! Limit on the requests of one network.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ipnet::IpNet;
use moka::sync::Cache;

/// Most requests of one network within a minute.
pub(crate) const MOST: u32 = 30;

/// Most networks that are counted at a time.
const NETWORKS: u64 = 10_000;

/// Counts of requests by network: an address of IPv4, or 64 bits of IPv6.
pub(crate) struct RateLimit(Cache<IpNet, Arc<AtomicU32>>);

impl Default for RateLimit {
    fn default() -> Self {
        let counts = Cache::builder().max_capacity(NETWORKS);
        Self(counts.time_to_live(Duration::from_secs(60)).build())
    }
}

impl RateLimit {
    /// Counts a request, and returns true if the network may make it.
    pub(crate) fn allows(&self, from: IpAddr) -> bool {
        let count = self.0.get_with(network(from), Arc::default);
        count.fetch_add(1, Ordering::Relaxed) < MOST
    }
}

fn network(of: IpAddr) -> IpNet {
    let of = of.to_canonical();
    let length = if of.is_ipv4() { 32 } else { 64 };
    IpNet::new(of, length).map_or_else(|_| of.into(), |network| network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_limited_apart() {
        let limit = RateLimit::default();
        let of = |text: &str| text.parse().unwrap();
        for _ in 0..MOST {
            assert!(limit.allows(of("192.0.2.1")));
            assert!(limit.allows(of("2001:db8::1")));
        }
        for over in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::2"] {
            assert!(!limit.allows(of(over)), "{over}");
        }
        for other in ["192.0.2.2", "2001:db8:0:1::1"] {
            assert!(limit.allows(of(other)), "{other}");
        }
    }
}
