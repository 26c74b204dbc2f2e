//! Permits for connections: bounded in total, on one listener, and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use super::pressure::{IdleTimer, Pressure};
use super::shares::Shares;
use crate::active_config::ListenerKey;
use crate::network::network;

/// Shortest time between two log lines that permits of a listener run short.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// The permits for connections, on all listeners together.
#[derive(Debug, Default)]
pub struct ConnectionPermits {
    taken: Mutex<TakenPermits>,
}

#[derive(Debug, Default)]
struct TakenPermits {
    shares: Shares,
    in_total: usize,
    by_listener: HashMap<ListenerKey, OnListener>,
    by_network: HashMap<IpAddr, usize>,
}

/// The permits of one listener.
#[derive(Debug)]
struct OnListener {
    taken: usize,
    /// Pressure, as its sessions see it.
    pressure: watch::Sender<Pressure>,
    /// Time of the last log line that permits run short.
    logged: Option<Instant>,
}

impl ConnectionPermits {
    /// Divides the permits anew. Connections that have one keep it.
    pub fn share(&self, shares: Shares) {
        let mut taken = self.taken();
        taken.shares = shares;
        taken.publish_pressure();
    }

    /// Returns a permit on this listener for a client that is not known yet, or `None` if the
    /// listener's own permits and the common ones are taken.
    pub fn acquire(self: &Arc<Self>, key: &ListenerKey) -> Option<ConnectionPermit> {
        let mut taken = self.taken();
        if taken.free(key) == 0 {
            return None;
        }
        taken.in_total += 1;
        let listener = taken.by_listener.entry(key.clone()).or_default();
        listener.taken += 1;
        let idle_timer = IdleTimer(listener.pressure.subscribe());
        taken.publish_pressure();
        Some(ConnectionPermit {
            permits: Arc::clone(self),
            key: key.clone(),
            network: None,
            idle_timer,
        })
    }

    fn taken(&self) -> MutexGuard<'_, TakenPermits> {
        self.taken.lock()
    }
}

impl Default for OnListener {
    fn default() -> Self {
        Self {
            taken: 0,
            pressure: watch::Sender::new(Pressure::None),
            logged: None,
        }
    }
}

/// One permit, given back when dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    permits: Arc<ConnectionPermits>,
    key: ListenerKey,
    network: Option<IpAddr>,
    idle_timer: IdleTimer,
}

impl ConnectionPermit {
    /// Counts the client's address; returns false if it has `per_address` connections already.
    pub fn claim_address(&mut self, client: IpAddr, per_address: usize) -> bool {
        let network = network(client);
        let mut taken = self.permits.taken();
        if let Some(before) = self.network.take() {
            taken.give_back(before);
        }
        let permits = taken.by_network.entry(network).or_default();
        if *permits >= per_address {
            return false;
        }
        *permits += 1;
        self.network = Some(network);
        true
    }

    /// Returns the timer of the client's silence.
    pub fn idle_timer(&self) -> IdleTimer {
        self.idle_timer.clone()
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut taken = self.permits.taken();
        taken.in_total -= 1;
        if let Some(listener) = taken.by_listener.get_mut(&self.key) {
            listener.taken -= 1;
            if listener.taken == 0 {
                taken.by_listener.remove(&self.key);
            }
        }
        if let Some(network) = self.network {
            taken.give_back(network);
        }
        taken.publish_pressure();
    }
}

impl TakenPermits {
    fn on(&self, key: &ListenerKey) -> usize {
        self.by_listener.get(key).map_or(0, |of| of.taken)
    }

    /// Returns the free common permits.
    fn common_free(&self) -> usize {
        let beyond =
            |(key, of): (&ListenerKey, &OnListener)| of.taken.saturating_sub(self.shares.own(key));
        let taken: usize = self.by_listener.iter().map(beyond).sum();
        self.shares.common().saturating_sub(taken)
    }

    /// Returns the permits that this listener may still give, its own first.
    fn free(&self, key: &ListenerKey) -> usize {
        self.shares.own(key).saturating_sub(self.on(key)) + self.common_free()
    }

    /// Tells the sessions of every listener how few permits it has left, counting the common ones.
    fn publish_pressure(&mut self) {
        metrics::gauge!("gatepost_connections").set(self.in_total as f64);
        let common = self.common_free();
        for (key, listener) in &mut self.by_listener {
            let own = self.shares.own(key);
            let free = own.saturating_sub(listener.taken) + common;
            let now = Pressure::of(free, own + self.shares.common());
            let changed = |before: &mut Pressure| std::mem::replace(before, now) != now;
            if listener.pressure.send_if_modified(changed) && now > Pressure::None {
                let quiet = listener
                    .logged
                    .is_some_and(|logged| logged.elapsed() < LOG_INTERVAL);
                if !quiet {
                    listener.logged = Some(Instant::now());
                    tracing::warn!(
                        listener = %key,
                        taken = listener.taken,
                        free,
                        "connection permits run short: silent clients are disconnected sooner"
                    );
                }
            }
        }
    }

    fn give_back(&mut self, network: IpAddr) {
        if let Some(permits) = self.by_network.get_mut(&network) {
            *permits -= 1;
            if *permits == 0 {
                self.by_network.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Returns this many permits, all common.
    fn common(permits: usize) -> Arc<ConnectionPermits> {
        let all = Arc::<ConnectionPermits>::default();
        all.share(Shares::new([], permits));
        all
    }

    fn key(port: u16) -> ListenerKey {
        ListenerKey::at(([127, 0, 0, 1], port).into())
    }

    fn take(permits: &Arc<ConnectionPermits>) -> Option<ConnectionPermit> {
        permits.acquire(&key(25))
    }

    #[test]
    fn permits_are_bounded_in_total_and_come_back() {
        let permits = common(2);
        let first = take(&permits).unwrap();
        let _second = permits.acquire(&key(587)).unwrap();
        assert!(take(&permits).is_none());
        drop(first);
        assert!(take(&permits).is_some());
    }

    #[test]
    fn a_full_listener_leaves_the_others_their_own_permits() {
        let permits = Arc::<ConnectionPermits>::default();
        permits.share(Shares::new([(key(25), 2), (key(587), 3)], 5));
        let mx: Vec<_> = std::iter::from_fn(|| take(&permits)).collect();
        assert_eq!(mx.len(), 7);
        let submission: Vec<_> = std::iter::from_fn(|| permits.acquire(&key(587))).collect();
        assert_eq!(submission.len(), 3);
        assert!(permits.acquire(&key(465)).is_none());
    }

    #[test]
    fn permits_are_bounded_by_address_and_come_back() {
        let permits = common(10);
        let mut first = take(&permits).unwrap();
        let mut second = take(&permits).unwrap();
        assert!(first.claim_address(ip("192.0.2.1"), 1));
        assert!(!second.claim_address(ip("::ffff:192.0.2.1"), 1));
        assert!(second.claim_address(ip("192.0.2.2"), 1));
        drop(first);
        assert!(take(&permits).unwrap().claim_address(ip("192.0.2.1"), 1));
    }

    #[test]
    fn a_client_that_speaks_for_another_frees_its_address() {
        let permits = common(10);
        let mut first = take(&permits).unwrap();
        let mut second = take(&permits).unwrap();
        assert!(first.claim_address(ip("192.0.2.1"), 1));
        assert!(first.claim_address(ip("192.0.2.2"), 1));
        assert!(second.claim_address(ip("192.0.2.1"), 1));
        assert!(!second.claim_address(ip("192.0.2.2"), 1));
    }

    #[test]
    fn an_ipv6_site_counts_as_one_address() {
        let permits = common(10);
        let mut permits = std::iter::from_fn(|| take(&permits));
        let (mut first, mut second, mut third) = (
            permits.next().unwrap(),
            permits.next().unwrap(),
            permits.next().unwrap(),
        );
        assert!(first.claim_address(ip("2001:db8:0:1::1"), 1));
        assert!(!second.claim_address(ip("2001:db8:0:1:ffff::2"), 1));
        assert!(third.claim_address(ip("2001:db8:0:2::1"), 1));
    }
}
