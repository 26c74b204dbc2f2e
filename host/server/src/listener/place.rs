//! How many connections there may be at a time, in total and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places for connections, on all listeners together.
#[derive(Debug, Default)]
pub struct Places {
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    in_total: usize,
    by_network: HashMap<IpAddr, usize>,
}

impl Places {
    /// A place for a client that is not known yet; `None` if there are so many already.
    pub fn take(self: &Arc<Self>, in_total: usize) -> Option<Place> {
        let mut taken = self.taken();
        if taken.in_total >= in_total {
            return None;
        }
        taken.in_total += 1;
        metrics::gauge!("gatepost_connections").set(taken.in_total as f64);
        drop(taken);
        Some(Place {
            places: Arc::clone(self),
            network: None,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One place, given back when dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    network: Option<IpAddr>,
}

impl Place {
    /// Counts the client's address; `false` if it has so many places already.
    pub fn claim(&mut self, client: IpAddr, per_address: usize) -> bool {
        let network = network(client);
        let mut taken = self.places.taken();
        if let Some(before) = self.network.take() {
            taken.give_back(before);
        }
        let places = taken.by_network.entry(network).or_default();
        if *places >= per_address {
            return false;
        }
        *places += 1;
        self.network = Some(network);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.in_total -= 1;
        metrics::gauge!("gatepost_connections").set(taken.in_total as f64);
        if let Some(network) = self.network {
            taken.give_back(network);
        }
    }
}

impl Taken {
    fn give_back(&mut self, network: IpAddr) {
        if let Some(places) = self.by_network.get_mut(&network) {
            *places -= 1;
            if *places == 0 {
                self.by_network.remove(&network);
            }
        }
    }
}

/// What counts as one address: an IPv4 address, or the /64 that one IPv6 site can number its
/// machines in as it likes.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn places_are_bounded_in_total_and_come_back() {
        let places = Arc::<Places>::default();
        let first = places.take(2).unwrap();
        let _second = places.take(2).unwrap();
        assert!(places.take(2).is_none());
        drop(first);
        assert!(places.take(2).is_some());
    }

    #[test]
    fn places_are_bounded_by_address_and_come_back() {
        let places = Arc::<Places>::default();
        let mut first = places.take(10).unwrap();
        let mut second = places.take(10).unwrap();
        assert!(first.claim(ip("192.0.2.1"), 1));
        assert!(!second.claim(ip("::ffff:192.0.2.1"), 1));
        assert!(second.claim(ip("192.0.2.2"), 1));
        drop(first);
        assert!(places.take(10).unwrap().claim(ip("192.0.2.1"), 1));
    }

    #[test]
    fn who_turns_out_to_be_another_gives_its_place_back() {
        let places = Arc::<Places>::default();
        let mut first = places.take(10).unwrap();
        let mut second = places.take(10).unwrap();
        assert!(first.claim(ip("192.0.2.1"), 1));
        assert!(first.claim(ip("192.0.2.2"), 1));
        assert!(second.claim(ip("192.0.2.1"), 1));
        assert!(!second.claim(ip("192.0.2.2"), 1));
    }

    #[test]
    fn an_ipv6_site_is_one_address() {
        let places = Arc::<Places>::default();
        let mut places = std::iter::from_fn(|| places.take(10));
        let (mut first, mut second, mut third) = (
            places.next().unwrap(),
            places.next().unwrap(),
            places.next().unwrap(),
        );
        assert!(first.claim(ip("2001:db8:0:1::1"), 1));
        assert!(!second.claim(ip("2001:db8:0:1:ffff::2"), 1));
        assert!(third.claim(ip("2001:db8:0:2::1"), 1));
    }
}
