//! Records of keys (RFC 6376 section 3.6.1), and the alias by which a site keeps them in its own
//! zone.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_message::Domain;
use ring::digest;

use crate::{Algorithm, Selector};

/// Most octets of one string of a TXT record (RFC 1035 section 3.3).
const STRING: usize = 255;

/// Longest name in the DNS.
const LONGEST_NAME: usize = 253;

/// Record of a key, at its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    name: String,
    text: String,
}

impl KeyRecord {
    /// Makes the record of a key of a domain; `public` is the octets of `p=`.
    pub fn new(domain: &Domain, selector: &Selector, algorithm: Algorithm, public: &[u8]) -> Self {
        Self {
            name: format!("{selector}._domainkey.{}", domain.as_ascii()),
            text: format!("v=DKIM1; k={algorithm}; p={}", STANDARD.encode(public)),
        }
    }

    /// Returns the same record at another name.
    #[must_use]
    pub fn at(&self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: self.text.clone(),
        }
    }

    /// Returns the name, without its final dot.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns true if no name of the DNS may be as long as this one.
    pub fn is_too_long(&self) -> bool {
        self.name.len() > LONGEST_NAME
    }

    /// Returns the whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the strings of the record, of at most 255 octets each.
    pub fn strings(&self) -> Vec<&str> {
        let mut rest = self.text.as_str();
        let mut strings = Vec::new();
        // The text is ASCII.
        while let Some((string, after)) = rest.split_at_checked(STRING) {
            strings.push(string);
            rest = after;
        }
        strings.push(rest);
        strings.retain(|string| !string.is_empty());
        strings
    }

    /// Returns the line of a zone file (RFC 1035 section 5.1) that has this record at a name.
    pub fn zone_line(&self, name: &str) -> String {
        let mut line = format!("{name}. IN TXT (");
        for string in self.strings() {
            let _ = write!(line, " \"{string}\"");
        }
        line + " )"
    }

    /// Returns the line of a zone file that makes the name an alias.
    pub fn alias_line(&self, target: &str) -> String {
        format!("{}. IN CNAME {target}.", self.name)
    }
}

/// Returns the name in the site's own zone that the name of a key may be an alias of. It stays the
/// same for one owner, domain and selector, so that a customer makes the alias once; `None` if it
/// would be too long.
pub fn alias_target(
    zone: &Domain,
    owner: &str,
    domain: &Domain,
    selector: &Selector,
) -> Option<String> {
    // Two accounts may claim one domain: each has a name of its own.
    let whose = format!("{owner}\0{}", domain.as_ascii());
    let hash = digest::digest(&digest::SHA256, whose.as_bytes());
    let mut label = String::new();
    for octet in hash.as_ref().iter().take(10) {
        let _ = write!(label, "{octet:02x}");
    }
    let target = format!("{selector}.{label}.{}", zone.as_ascii());
    (target.len() <= LONGEST_NAME).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_rsa_has_strings_of_255_octets() {
        let (domain, selector) = ("bücher.example".parse().unwrap(), "s".parse().unwrap());
        let record = KeyRecord::new(&domain, &selector, Algorithm::Rsa, &[7; 294]);
        assert_eq!(record.name(), "s._domainkey.xn--bcher-kva.example");
        let strings = record.strings();
        assert_eq!(strings.len(), 2);
        assert_eq!(strings[0].len(), 255);
        assert_eq!(strings.concat(), record.text());
        let line = record.zone_line(record.name());
        assert!(
            line.starts_with("s._domainkey.xn--bcher-kva.example. IN TXT ( \"v=DKIM1; k=rsa; p=")
        );
        assert!(line.ends_with("\" )"), "{line}");
    }

    #[test]
    fn a_record_of_ed25519_has_the_bare_octets() {
        let (domain, selector) = ("a.example".parse().unwrap(), "s".parse().unwrap());
        let record = KeyRecord::new(&domain, &selector, Algorithm::Ed25519, &[0; 32]);
        let bare = "A".repeat(43) + "=";
        assert_eq!(record.text(), format!("v=DKIM1; k=ed25519; p={bare}"));
    }

    #[test]
    fn each_owner_has_a_name_of_its_own_in_the_zone() {
        let zone = "dkim.desk.example".parse().unwrap();
        let domain = "customer.example".parse().unwrap();
        let selector = "desk-rsa-1".parse().unwrap();
        let of = |owner| alias_target(&zone, owner, &domain, &selector).unwrap();
        assert_eq!(of("a"), of("a"));
        assert_ne!(of("a"), of("b"));
        let target = of("a");
        assert!(target.starts_with("desk-rsa-1.") && target.ends_with(".dkim.desk.example"));
    }
}
