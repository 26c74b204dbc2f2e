//! Order in which the addresses of a host are tried.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};

/// Port of the probe for a route. Nothing is sent there.
const ANY_PORT: u16 = 9;

/// Returns addresses in the order in which to try them: IPv6 and IPv4 by turns, IPv6 first (RFC
/// 8305 section 4), and at the end IPv6 addresses to which this machine has no route.
pub fn preferred_first(addresses: impl IntoIterator<Item = IpAddr>) -> Vec<IpAddr> {
    let routes = Routes::new();
    let (mut near, mut far, mut v4) = (Vec::new(), Vec::new(), Vec::new());
    for address in addresses {
        match address {
            IpAddr::V4(_) => v4.push(address),
            IpAddr::V6(v6) if routes.reach(v6) => near.push(address),
            IpAddr::V6(_) => far.push(address),
        }
    }
    by_turns(near, v4).into_iter().chain(far).collect()
}

fn by_turns<T>(first: Vec<T>, second: Vec<T>) -> Vec<T> {
    let mut all = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    loop {
        let (one, other) = (first.next(), second.next());
        if one.is_none() && other.is_none() {
            return all;
        }
        all.extend(one);
        all.extend(other);
    }
}

/// Routes of this machine for IPv6: a socket that is connected, and never written to.
struct Routes(Option<UdpSocket>);

impl Routes {
    fn new() -> Self {
        Self(UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).ok())
    }

    fn reach(&self, address: Ipv6Addr) -> bool {
        let to = SocketAddr::from((address, ANY_PORT));
        self.0
            .as_ref()
            .is_some_and(|socket| socket.connect(to).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        assert_eq!(by_turns(vec![1, 3], vec![2, 4, 5, 6]), [1, 2, 3, 4, 5, 6]);
        assert_eq!(by_turns(vec![1, 2], vec![]), [1, 2]);
    }

    #[test]
    fn an_address_without_a_route_comes_last() {
        let addresses = ["10.0.0.1", "10.0.0.2"].map(|address| address.parse().unwrap());
        // Nothing is ever routed there (RFC 6666 section 4 applies to filters alone, so the prefix
        // is taken from the unassigned part).
        let nowhere: IpAddr = "4000::1".parse().unwrap();
        let ordered = preferred_first([nowhere, addresses[0], addresses[1]]);
        assert_eq!(ordered.len(), 3);
        if ordered[0] != nowhere {
            assert_eq!(ordered, [addresses[0], addresses[1], nowhere]);
        }
    }
}
