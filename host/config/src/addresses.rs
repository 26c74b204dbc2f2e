//! List of the addresses that an account has.

use std::collections::HashSet;

use gatepost_directory::Canonical;
use gatepost_message::{Address, Domain};
use serde::Deserialize;

/// Addresses at which an account receives: single ones with all their sub-addresses, and whole
/// domains, written as `@desk.example`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Addresses {
    named: HashSet<String>,
    whole: Vec<Domain>,
    /// Domain of each entry, in order.
    domains: Vec<Domain>,
}

impl Addresses {
    /// Returns true if the account receives at an address: it is in the list, it is a sub-address
    /// (RFC 5233) of one in the list, its domain is in the list, or it is the postmaster (RFC 5321
    /// section 4.5.1).
    pub fn has(&self, address: &Address) -> bool {
        let main = |address: &Address| {
            let (user, _) = address.local().split_once('+')?;
            Address::parse(&format!("{user}@{}", address.domain())).ok()
        };
        let domain = || address.domain().parse::<Domain>().ok();
        self.names(address)
            || main(address).is_some_and(|main| self.names(&main))
            || address.local().eq_ignore_ascii_case("postmaster")
            || domain().is_some_and(|domain| self.whole.contains(&domain))
    }

    /// Returns true if this very address is in the list.
    pub fn names(&self, address: &Address) -> bool {
        Canonical::of(address).is_some_and(|of| self.named.contains(of.as_str()))
    }

    /// Returns true if the list is complete, because it has no whole domain.
    pub fn are_all(&self) -> bool {
        self.whole.is_empty()
    }

    /// Returns the domain of each entry, in order.
    pub(super) fn domains(&self) -> &[Domain] {
        &self.domains
    }
}

impl TryFrom<Vec<String>> for Addresses {
    type Error = String;

    fn try_from(entries: Vec<String>) -> Result<Self, String> {
        let mut read = Self {
            named: HashSet::new(),
            whole: Vec::new(),
            domains: Vec::new(),
        };
        for entry in entries {
            let wrong = |why: &dyn std::fmt::Display| {
                format!("`{entry}` is neither an address nor `@` and a domain: {why}")
            };
            if let Some(domain) = entry.strip_prefix('@') {
                let domain: Domain = domain.parse().map_err(|error| wrong(&error))?;
                read.whole.push(domain.clone());
                read.domains.push(domain);
                continue;
            }
            let address = Address::parse(&entry).map_err(|error| wrong(&error))?;
            let domain: Domain = address.domain().parse().map_err(|error| wrong(&error))?;
            let canonical = Canonical::of(&address);
            let canonical = canonical.ok_or_else(|| wrong(&"its domain is an address literal"))?;
            read.named.insert(canonical.as_str().to_owned());
            read.domains.push(domain);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(entries: &[&str]) -> Result<Addresses, String> {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        Addresses::try_from(entries)
    }

    #[test]
    fn an_account_has_what_it_lists_and_no_more() {
        let listed = addresses(&[
            "Help@desk.example",
            "a%b@desk.example",
            "@b\u{fc}cher.example",
        ]);
        let listed = listed.unwrap();
        for (address, has, names) in [
            ("help@desk.example", true, true),
            ("HELP@Desk.example", true, true),
            ("\"help\"@desk.example", true, true),
            ("help+ticket-1@desk.example", true, false),
            ("Postmaster@desk.example", true, false),
            ("helper@desk.example", false, false),
            ("+help@desk.example", false, false),
            ("a%b@desk.example", true, true),
            ("anything@xn--bcher-kva.example", true, false),
            ("help@sub.desk.example", false, false),
        ] {
            let read = Address::parse(address).unwrap();
            assert_eq!(
                (listed.has(&read), listed.names(&read)),
                (has, names),
                "{address}"
            );
        }
        assert!(!listed.are_all());
        assert!(addresses(&["help@desk.example"]).unwrap().are_all());
        for wrong in ["help", "@", "help@[192.0.2.1]", "a b@desk.example"] {
            assert!(addresses(&[wrong]).unwrap_err().contains(wrong));
        }
    }
}
