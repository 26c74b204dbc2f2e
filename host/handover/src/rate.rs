//! Limit on the connections of one network, each of which carries one request.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ipnet::IpNet;
use moka::sync::Cache;

/// Most requests of one network within a minute. As many again are answered by a page that says so;
/// of more, the connections are closed at once.
const MOST: u32 = 30;

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
    /// Takes back one connection of a network: it showed that it has business here.
    pub(crate) fn forget(&self, from: IpAddr) {
        if let Some(count) = self.0.get(&network(from)) {
            let one_less = |count: u32| count.checked_sub(1);
            let _ = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
        }
    }

    /// Counts a connection, and returns what the network may do with it.
    pub(crate) fn count(&self, from: IpAddr) -> Allowed {
        let count = self.0.get_with(network(from), Arc::default);
        match count.fetch_add(1, Ordering::Relaxed) {
            few if few < MOST => Allowed::Request,
            many if many < 2 * MOST => Allowed::Refusal,
            _ => Allowed::Nothing,
        }
    }
}

/// Part of a connection that a network may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// A request and its answer.
    Request,
    /// A request that is answered by a refusal.
    Refusal,
    /// Not even that.
    Nothing,
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
            assert_eq!(limit.count(of("192.0.2.1")), Allowed::Request);
            assert_eq!(limit.count(of("2001:db8::1")), Allowed::Request);
        }
        for over in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::2"] {
            assert_eq!(limit.count(of(over)), Allowed::Refusal, "{over}");
        }
        for other in ["192.0.2.2", "2001:db8:0:1::1"] {
            assert_eq!(limit.count(of(other)), Allowed::Request, "{other}");
        }
        let ended = (0..MOST).any(|_| limit.count(of("192.0.2.1")) == Allowed::Nothing);
        assert!(ended);
    }
}
