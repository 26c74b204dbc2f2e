//! Networks that are not public, by the special-purpose registries of IANA (RFC 6890).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// IPv4 networks that are not public, and what they are.
const V4: [(Ipv4Net, &str); 18] = [
    (v4(0, 0, 0, 0, 8), "of this host"),
    (v4(10, 0, 0, 0, 8), "private"),
    // With 100.100.100.200, the metadata of a cloud.
    (v4(100, 64, 0, 0, 10), "behind a carrier's translator"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(168, 63, 129, 16, 32), "a cloud's own service"),
    // With 169.254.169.254, the metadata of most clouds.
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "reserved for protocols"),
    (v4(192, 0, 2, 0, 24), "for documentation"),
    (v4(192, 88, 99, 0, 24), "of 6to4 relays"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "for benchmarks"),
    (v4(198, 51, 100, 0, 24), "for documentation"),
    (v4(203, 0, 113, 0, 24), "for documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(255, 255, 255, 255, 32), "broadcast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
    (v4(192, 31, 196, 0, 24), "of AS112"),
];

/// IPv6 networks of which the words say more than that they are not global.
const V6: [(Ipv6Net, &str); 16] = [
    (v6(0x64, 0xff9b, 0, 96), "of NAT64"),
    (v6(0x64, 0xff9b, 1, 48), "of NAT64"),
    (v6(0x100, 0, 0, 64), "for discarding"),
    (v6(0x2001, 0, 0, 32), "of Teredo"),
    (v6(0x2001, 0, 0, 23), "reserved for protocols"),
    (v6(0x2001, 0xdb8, 0, 32), "for documentation"),
    (v6(0x2002, 0, 0, 16), "of 6to4"),
    (v6(0x3fff, 0, 0, 20), "for documentation"),
    (v6(0x5f00, 0, 0, 16), "of segment routing"),
    // With fd00:ec2::254, the metadata of a cloud.
    (v6(0xfc00, 0, 0, 7), "private"),
    (v6(0xfe80, 0, 0, 10), "link-local"),
    (v6(0xfec0, 0, 0, 10), "site-local"),
    (v6(0xff00, 0, 0, 8), "multicast"),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "loopback"),
    (
        Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),
        "an IPv4 address in IPv6",
    ),
    (v6(0, 0, 0, 8), "reserved"),
];

/// Network of all addresses that are given out for the public Internet (RFC 4291 section 2.4).
const GLOBAL: Ipv6Net = v6(0x2000, 0, 0, 3);

/// Returns what an address is, if it is not public: a word or more after "it is".
///
/// An IPv6 address that wraps an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo) is never
/// public, whatever it wraps.
pub fn special_use(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            let network = V4.iter().find(|(network, _)| network.contains(&address));
            network.map(|(_, what)| *what)
        }
        IpAddr::V6(address) => {
            let network = V6.iter().find(|(network, _)| network.contains(&address));
            let named = network.map(|(_, what)| *what);
            named.or((!GLOBAL.contains(&address)).then_some("not global"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_for_everybody() {
        for address in [
            "8.8.8.8",
            "1.1.1.1",
            "100.63.255.255",
            "172.32.0.1",
            "2001:4860::8888",
            "2a00::1",
            "2606:4700::1111",
        ] {
            assert_eq!(special_use(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn special_addresses_are_known_with_their_use() {
        for (address, what) in [
            ("127.255.0.1", "loopback"),
            ("10.0.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.168.1.1", "private"),
            ("169.254.169.254", "link-local"),
            ("100.100.100.200", "behind a carrier's translator"),
            ("168.63.129.16", "a cloud's own service"),
            ("192.0.0.192", "reserved for protocols"),
            ("0.0.0.0", "of this host"),
            ("224.0.0.1", "multicast"),
            ("255.255.255.255", "broadcast"),
            ("240.0.0.1", "reserved"),
            ("198.19.0.1", "for benchmarks"),
            ("203.0.113.9", "for documentation"),
            ("::", "reserved"),
            ("::1", "loopback"),
            ("::127.0.0.1", "reserved"),
            ("::ffff:127.0.0.1", "an IPv4 address in IPv6"),
            ("::ffff:0:127.0.0.1", "reserved"),
            ("64:ff9b::127.0.0.1", "of NAT64"),
            ("64:ff9b:1::1", "of NAT64"),
            ("2002:7f00:1::", "of 6to4"),
            ("2001:0:7f00:1::", "of Teredo"),
            ("2001:2::1", "reserved for protocols"),
            ("fd00:ec2::254", "private"),
            ("fe80::1", "link-local"),
            ("ff02::1", "multicast"),
            ("4000::1", "not global"),
        ] {
            assert_eq!(
                special_use(address.parse().unwrap()),
                Some(what),
                "{address}"
            );
        }
    }
}
