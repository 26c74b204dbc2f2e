//! Networks that count as one client: a limit by address would not hold an IPv6 host, which has a
//! whole /64.

use std::net::{IpAddr, Ipv6Addr};

/// Returns the address that stands for a client: an IPv4 address, or the first of the /64 within
/// which an IPv6 site can number its machines freely.
pub(crate) fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}
