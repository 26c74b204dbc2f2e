//! The relay as the world sees it: the addresses that its mail comes from, and the SPF record that
//! names them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use gatepost_guard::special_use;

use super::Config;

/// Address of a root name server, as one outside.
const OUTSIDE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 41, 0, 4)), 53);

impl Config {
    /// Returns the addresses from which mail of a pool reaches the world, or mail without a pool,
    /// as far as the relay knows them.
    pub fn outside_addresses(&self, pool: Option<&str>) -> Vec<IpAddr> {
        if let Some(pool) = pool.and_then(|pool| self.egress.get(pool)) {
            return pool.addresses.clone();
        }
        match self.mx.own_addresses.as_slice() {
            [] => own_address().into_iter().collect(),
            own => own.to_vec(),
        }
    }

    /// Returns the addresses from which any mail may reach the world, in order. Of a pool behind a
    /// translator, whose addresses `own-addresses` names, the machine's own are left out.
    pub fn all_outside_addresses(&self) -> Vec<IpAddr> {
        let translated = !self.mx.own_addresses.is_empty();
        let pooled = self.egress.values().flat_map(|pool| &pool.addresses);
        let pooled = pooled.filter(|address| !translated || special_use(**address).is_none());
        let mut all: Vec<_> = pooled.chain(&self.mx.own_addresses).copied().collect();
        if all.is_empty() {
            all.extend(own_address());
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Returns the domain whose SPF record names the addresses of the site, for customers to
    /// include: that of the configuration, or `_spf.` and the host name.
    pub fn spf_include(&self) -> String {
        match &self.mx.spf_include {
            Some(name) => name.clone(),
            None => format!("_spf.{}", self.relay.hostname.as_ascii()),
        }
    }
}

/// Returns the address from which the system sends to the world, if it is one of the world's.
/// Connecting a UDP socket sends nothing.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind(SocketAddr::from(([0, 0, 0, 0], 0))).ok()?;
    socket.connect(OUTSIDE).ok()?;
    let address = socket.local_addr().ok()?.ip();
    special_use(address).is_none().then_some(address)
}
