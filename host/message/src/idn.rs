//! Internationalised domain names (RFC 5890): conversion to A-labels, for the DNS and for servers
//! without SMTPUTF8.

use std::net::IpAddr;

use crate::Address;

/// Returns the domain in A-labels (`bücher.example` is `xn--bcher-kva.example`), by the rules of
/// UTS 46 without transitional processing; a domain in ASCII is returned as it is. Returns `None`
/// for text that is no domain name.
pub fn domain_to_ascii(domain: &str) -> Option<String> {
    if domain.is_ascii() {
        return Some(domain.to_owned());
    }
    idna::domain_to_ascii(domain)
        .ok()
        // Some characters stand for digits and dots, and could turn a name into an IP address.
        .filter(|ascii| !ascii.is_empty() && ascii.parse::<IpAddr>().is_err())
}

impl Address {
    /// Returns the same mailbox for a server without SMTPUTF8 (RFC 6531 section 3.2): its domain in
    /// A-labels. Returns `None` if the local part is outside ASCII, or the domain has no A-labels.
    pub fn to_ascii(&self) -> Option<Self> {
        if self.is_ascii() {
            return Some(self.clone());
        }
        if !self.local().is_ascii() {
            return None;
        }
        let domain = domain_to_ascii(self.domain())?;
        Self::parse(&format!("{}@{domain}", self.local())).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ascii(address: &str) -> Option<String> {
        Address::parse(address)
            .unwrap()
            .to_ascii()
            .map(|address| address.to_string())
    }

    #[test]
    fn a_domain_becomes_a_labels_and_a_local_part_stays() {
        assert_eq!(
            ascii("info@Bücher.example").as_deref(),
            Some("info@xn--bcher-kva.example")
        );
        assert_eq!(
            ascii("straße@example.com"),
            None,
            "a local part is its own host's business"
        );
        assert_eq!(
            ascii("\"a b\"@faß.example").as_deref(),
            Some("\"a b\"@xn--fa-hia.example")
        );
        assert_eq!(ascii("a@[192.0.2.1]").as_deref(), Some("a@[192.0.2.1]"));
    }

    #[test]
    fn a_name_of_unicode_digits_becomes_no_ip_address() {
        assert_eq!(domain_to_ascii("１２７.0.0.1"), None);
        assert_eq!(domain_to_ascii("mx.example").as_deref(), Some("mx.example"));
    }
}
