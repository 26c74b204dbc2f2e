//! Addresses with prefix lengths (RFC 7208 sections 5.3 and 5.6).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Prefix lengths for both families: `dual-cidr-length`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefixes {
    v4: u8,
    v6: u8,
}

/// Address with its prefix length: `ip4-network` or `ip6-network`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    bits: u8,
}

impl Prefixes {
    /// Cuts the lengths, such as `/24//64`, from the end of the argument of `a` or `mx`. No domain
    /// ends like them, so the rest is the whole domain. `None` if a length is malformed.
    pub(super) fn cut(text: &str) -> Option<(&str, Self)> {
        let digits = |text: &str| text.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (mut rest, mut prefixes) = (text, Self { v4: 32, v6: 128 });
        let (before, length) = rest.split_at(rest.len() - digits(rest));
        if let Some(before) = before.strip_suffix("//") {
            prefixes.v6 = bits(length, 128)?;
            rest = before;
        }
        let (before, length) = rest.split_at(rest.len() - digits(rest));
        if let Some(before) = before.strip_suffix('/') {
            prefixes.v4 = bits(length, 32)?;
            rest = before;
        }
        Some((rest, prefixes))
    }

    /// Returns true if the client is in the network of this address. Different families never
    /// match.
    pub(super) fn contain(self, address: IpAddr, client: IpAddr) -> bool {
        let bits = match address {
            IpAddr::V4(_) => self.v4,
            IpAddr::V6(_) => self.v6,
        };
        Network { address, bits }.contains(client)
    }
}

impl Network {
    /// Reads `ip4-network [ ip4-cidr-length ]`.
    pub(super) fn v4(text: &str) -> Option<Self> {
        let (address, bits) = split(text, 32)?;
        let address = IpAddr::V4(address.parse::<Ipv4Addr>().ok()?);
        Some(Self { address, bits })
    }

    /// Reads `ip6-network [ ip6-cidr-length ]`.
    pub(super) fn v6(text: &str) -> Option<Self> {
        let (address, bits) = split(text, 128)?;
        let address = IpAddr::V6(address.parse::<Ipv6Addr>().ok()?);
        Some(Self { address, bits })
    }

    /// Returns true if the client, in its own family (section 5), is in the network.
    pub(super) fn contains(self, client: IpAddr) -> bool {
        let bits = u32::from(self.bits);
        match (self.address, client) {
            (IpAddr::V4(network), IpAddr::V4(client)) => {
                let differ = network.to_bits() ^ client.to_bits();
                differ.leading_zeros() >= bits
            }
            (IpAddr::V6(network), IpAddr::V6(client)) => {
                let differ = network.to_bits() ^ client.to_bits();
                differ.leading_zeros() >= bits
            }
            _ => false,
        }
    }
}

fn split(text: &str, all: u8) -> Option<(&str, u8)> {
    match text.split_once('/') {
        Some((address, length)) => Some((address, bits(length, all)?)),
        None => Some((text, all)),
    }
}

/// Reads a prefix length without leading zeros, up to `all` bits.
fn bits(length: &str, all: u8) -> Option<u8> {
    let canonical = length == "0" || !length.starts_with('0');
    let digits = length.bytes().all(|byte| byte.is_ascii_digit());
    let bits = length.parse().ok().filter(|_| canonical && digits)?;
    (bits <= all).then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_lengths_are_cut_from_the_end_of_an_argument() {
        let cut = |text| Prefixes::cut(text).map(|(rest, of)| (rest, of.v4, of.v6));
        assert_eq!(cut(""), Some(("", 32, 128)));
        assert_eq!(cut("/24//64"), Some(("", 24, 64)));
        assert_eq!(cut("/24/64"), None);
        assert_eq!(cut(":a.b/8"), Some((":a.b", 8, 128)));
        assert_eq!(
            cut(":foo:bar/baz.a.b//0"),
            Some((":foo:bar/baz.a.b", 32, 0))
        );
        for bad in ["/", "//", "/33", "//129", "/024", "/0x1", "///64"] {
            let whole = cut(bad).is_none_or(|(rest, ..)| !rest.is_empty());
            assert!(whole, "{bad}");
        }
    }

    #[test]
    fn a_network_contains_only_addresses_of_its_own_family() {
        let holds = |network: Network, client: &str| network.contains(client.parse().unwrap());
        let v4 = Network::v4("192.0.2.0/24").unwrap();
        assert!(holds(v4, "192.0.2.255") && !holds(v4, "192.0.3.0"));
        assert!(!holds(v4, "::ffff:192.0.2.1"));
        assert!(holds(Network::v6("::/0").unwrap(), "2001:db8::1"));
        assert!(!holds(Network::v6("::/0").unwrap(), "192.0.2.1"));
        for bad in [
            "192.0.2",
            "192.0.2.1/33",
            "192.0.2.1/032",
            "192.0.2.1//32",
            "192.0.02.1",
            "",
        ] {
            assert_eq!(Network::v4(bad), None, "{bad}");
        }
        assert_eq!(Network::v6("::1.1.1.1/129"), None);
    }
}
