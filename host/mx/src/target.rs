//! Domain part of a recipient, as the look-up needs it.

use std::net::IpAddr;

use gatepost_guard::Host;

use crate::NoRoute;

/// Right-hand side of a recipient's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Domain in A-labels and lower case.
    Domain(String),
    /// Address literal (RFC 5321 section 4.1.3).
    Literal(IpAddr),
}

impl Target {
    pub(crate) fn parse(text: &str) -> Result<Self, NoRoute> {
        let wrong = || NoRoute::not_a_domain(text);
        if let Some(literal) = text.strip_prefix('[') {
            let literal = literal.strip_suffix(']').ok_or_else(wrong)?;
            return Ok(Self::Literal(address(literal).ok_or_else(wrong)?));
        }
        match Host::parse(text) {
            Some(Host::Name(name)) => Ok(Self::Domain(name)),
            // An address without brackets is no domain.
            _ => Err(wrong()),
        }
    }
}

/// Reads the inside of an address literal: an IPv4 address, or an IPv6 address with its tag.
fn address(literal: &str) -> Option<IpAddr> {
    const TAG: &str = "IPv6:";
    match literal.split_at_checked(TAG.len()) {
        Some((tag, v6)) if tag.eq_ignore_ascii_case(TAG) => Some(IpAddr::V6(v6.parse().ok()?)),
        _ => Some(IpAddr::V4(literal.parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_an_address_in_brackets() {
        let literal = |text: &str| match Target::parse(text) {
            Ok(Target::Literal(address)) => Some(address.to_string()),
            _ => None,
        };
        assert_eq!(literal("[192.0.2.1]").as_deref(), Some("192.0.2.1"));
        assert_eq!(
            literal("[ipv6:2001:db8::1]").as_deref(),
            Some("2001:db8::1")
        );
        for text in [
            "[2001:db8::1]",
            "[0x7f.1]",
            "[IPv6:192.0.2.1]",
            "[]",
            "[192.0.2.1",
            "[é]",
        ] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_domain_is_in_a_labels() {
        let domain = |text: &str| match Target::parse(text) {
            Ok(Target::Domain(domain)) => Some(domain),
            _ => None,
        };
        assert_eq!(
            domain("Bücher.Example.").as_deref(),
            Some("xn--bcher-kva.example")
        );
        for text in ["", "a..b", "192.0.2.1", "127.1", "a b"] {
            assert_eq!(domain(text), None, "{text}");
        }
    }
}
