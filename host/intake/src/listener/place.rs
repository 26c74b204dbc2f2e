//! How many connections there may be at a time: in total, on one listener, and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::pressure::{Patience, Pressure};
use super::shares::Shares;
use crate::live::Door;

/// How often at most the log says that places of a listener run short.
const SAY: Duration = Duration::from_secs(60);

/// The places for connections, on all listeners together.
#[derive(Debug, Default)]
pub struct Places {
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    shares: Shares,
    in_total: usize,
    by_listener: HashMap<Door, OnListener>,
    by_network: HashMap<IpAddr, usize>,
}

/// The places of one listener.
#[derive(Debug)]
struct OnListener {
    taken: usize,
    /// What its sessions hear.
    pressure: watch::Sender<Pressure>,
    /// When it was last logged that places run short.
    said: Option<Instant>,
}

impl Places {
    /// Divides the places in another way. Whoever has one keeps it.
    pub fn share(&self, shares: Shares) {
        let mut taken = self.taken();
        taken.shares = shares;
        taken.tell();
    }

    /// A place on this listener for a client that is not known yet; `None` if those of its own are
    /// taken, and so are those that all listeners share.
    pub fn take(self: &Arc<Self>, door: &Door) -> Option<Place> {
        let mut taken = self.taken();
        if taken.free(door) == 0 {
            return None;
        }
        taken.in_total += 1;
        let listener = taken.by_listener.entry(door.clone()).or_default();
        listener.taken += 1;
        let patience = Patience(listener.pressure.subscribe());
        taken.tell();
        Some(Place {
            places: Arc::clone(self),
            door: door.clone(),
            network: None,
            patience,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for OnListener {
    fn default() -> Self {
        Self {
            taken: 0,
            pressure: watch::Sender::new(Pressure::None),
            said: None,
        }
    }
}

/// One place, given back when dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    door: Door,
    network: Option<IpAddr>,
    patience: Patience,
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

    /// How long its client may be silent.
    pub fn patience(&self) -> Patience {
        self.patience.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.in_total -= 1;
        if let Some(listener) = taken.by_listener.get_mut(&self.door) {
            listener.taken -= 1;
            if listener.taken == 0 {
                taken.by_listener.remove(&self.door);
            }
        }
        if let Some(network) = self.network {
            taken.give_back(network);
        }
        taken.tell();
    }
}

impl Taken {
    fn on(&self, door: &Door) -> usize {
        self.by_listener.get(door).map_or(0, |of| of.taken)
    }

    /// The places that are nobody's own and free.
    fn common_free(&self) -> usize {
        let beyond =
            |(door, of): (&Door, &OnListener)| of.taken.saturating_sub(self.shares.own(door));
        let taken: usize = self.by_listener.iter().map(beyond).sum();
        self.shares.common().saturating_sub(taken)
    }

    /// The places that this listener may still give: its own first.
    fn free(&self, door: &Door) -> usize {
        self.shares.own(door).saturating_sub(self.on(door)) + self.common_free()
    }

    /// Tells the sessions of every listener how few places it has left; what is common is of them
    /// all.
    fn tell(&mut self) {
        metrics::gauge!("gatepost_connections").set(self.in_total as f64);
        let common = self.common_free();
        for (door, listener) in &mut self.by_listener {
            let own = self.shares.own(door);
            let free = own.saturating_sub(listener.taken) + common;
            let now = Pressure::of(free, own + self.shares.common());
            let changed = |before: &mut Pressure| std::mem::replace(before, now) != now;
            if listener.pressure.send_if_modified(changed) && now > Pressure::None {
                let quiet = listener.said.is_some_and(|said| said.elapsed() < SAY);
                if !quiet {
                    listener.said = Some(Instant::now());
                    tracing::warn!(
                        listener = %door,
                        taken = listener.taken,
                        free,
                        "places for connections run short: clients that are silent are closed sooner"
                    );
                }
            }
        }
    }

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
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// So many places that all listeners share.
    fn common(places: usize) -> Arc<Places> {
        let all = Arc::<Places>::default();
        all.share(Shares::new([], places));
        all
    }

    fn door(port: u16) -> Door {
        Door::at(([127, 0, 0, 1], port).into())
    }

    fn take(places: &Arc<Places>) -> Option<Place> {
        places.take(&door(25))
    }

    #[test]
    fn places_are_bounded_in_total_and_come_back() {
        let places = common(2);
        let first = take(&places).unwrap();
        let _second = places.take(&door(587)).unwrap();
        assert!(take(&places).is_none());
        drop(first);
        assert!(take(&places).is_some());
    }

    #[test]
    fn who_fills_one_listener_leaves_the_others_their_own() {
        let places = Arc::<Places>::default();
        places.share(Shares::new([(door(25), 2), (door(587), 3)], 5));
        let mx: Vec<_> = std::iter::from_fn(|| take(&places)).collect();
        assert_eq!(mx.len(), 7);
        let submission: Vec<_> = std::iter::from_fn(|| places.take(&door(587))).collect();
        assert_eq!(submission.len(), 3);
        assert!(places.take(&door(465)).is_none());
    }

    #[test]
    fn places_are_bounded_by_address_and_come_back() {
        let places = common(10);
        let mut first = take(&places).unwrap();
        let mut second = take(&places).unwrap();
        assert!(first.claim(ip("192.0.2.1"), 1));
        assert!(!second.claim(ip("::ffff:192.0.2.1"), 1));
        assert!(second.claim(ip("192.0.2.2"), 1));
        drop(first);
        assert!(take(&places).unwrap().claim(ip("192.0.2.1"), 1));
    }

    #[test]
    fn who_turns_out_to_be_another_gives_its_place_back() {
        let places = common(10);
        let mut first = take(&places).unwrap();
        let mut second = take(&places).unwrap();
        assert!(first.claim(ip("192.0.2.1"), 1));
        assert!(first.claim(ip("192.0.2.2"), 1));
        assert!(second.claim(ip("192.0.2.1"), 1));
        assert!(!second.claim(ip("192.0.2.2"), 1));
    }

    #[test]
    fn an_ipv6_site_is_one_address() {
        let places = common(10);
        let mut places = std::iter::from_fn(|| take(&places));
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
