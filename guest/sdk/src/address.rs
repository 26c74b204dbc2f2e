//! Addresses in the form that messages and envelopes write.

use std::fmt;
use std::str::FromStr;

use crate::bounds;

/// A mailbox's address (RFC 5321 section 4.1.2), in characters of any script.
///
/// ```
/// use gatepost_sdk::Address;
///
/// let address: Address = "\"two words\"@Desk.Example".parse().unwrap();
/// assert_eq!((address.local(), address.domain()), ("\"two words\"", "desk.example"));
/// assert_eq!(address, "\"Two Words\"@desk.example".parse().unwrap());
/// assert!("no address".parse::<Address>().is_err());
/// ```
///
/// The address is kept in lower case, so two that differ in case alone are equal: no mail system
/// that a policy meets has two mailboxes of such names, though RFC 5321 section 2.4 would allow it.
/// A text of more than [`bounds::ADDRESS`] octets is no address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    text: String,
    at: usize,
}

/// Error of a text that is no address.
///
/// ```
/// let error = "nobody".parse::<gatepost_sdk::Address>().unwrap_err();
/// assert!(error.to_string().contains("domain"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAddress;

impl fmt::Display for NoAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .write_str("an address is a local part, @ and a domain, without spaces, and not long")
    }
}

impl std::error::Error for NoAddress {}

impl Address {
    /// Returns the local part, with its quotes if it has any.
    ///
    /// ```
    /// let address: gatepost_sdk::Address = "\"the help desk\"@desk.example".parse()?;
    /// assert_eq!(address.local(), "\"the help desk\"");
    /// # Ok::<(), gatepost_sdk::NoAddress>(())
    /// ```
    pub fn local(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// Returns the domain.
    ///
    /// ```
    /// let address: gatepost_sdk::Address = "help@desk.example".parse()?;
    /// assert_eq!(address.domain(), "desk.example");
    /// # Ok::<(), gatepost_sdk::NoAddress>(())
    /// ```
    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }

    /// Returns the whole address.
    ///
    /// ```
    /// let address: gatepost_sdk::Address = "Help@Desk.example".parse()?;
    /// assert_eq!(address.as_str(), "help@desk.example");
    /// # Ok::<(), gatepost_sdk::NoAddress>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns true if the address belongs to this domain, or with `subdomains` to one below it.
    ///
    /// ```
    /// let address: gatepost_sdk::Address = "ann@mail.desk.example".parse().unwrap();
    /// assert!(address.is_at("Desk.example", true));
    /// assert!(!address.is_at("desk.example", false));
    /// assert!(!address.is_at("sk.example", true));
    /// ```
    pub fn is_at(&self, domain: &str, subdomains: bool) -> bool {
        let domain = domain.to_lowercase();
        let below = || self.domain().strip_suffix(&domain)?.strip_suffix('.');
        self.domain() == domain || (subdomains && below().is_some())
    }
}

impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        if text.len() > bounds::ADDRESS {
            return Err(NoAddress);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(NoAddress)?;
        let quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
        let may_be_local = |c: char| !c.is_control() && (quoted || !" <>,;:\"()".contains(c));
        let may_be_domain = |c: char| c.is_alphanumeric() || ".-_:[]".contains(c);
        if local.is_empty()
            || domain.is_empty()
            || !local.chars().all(may_be_local)
            || !domain.chars().all(may_be_domain)
        {
            return Err(NoAddress);
        }
        let local = local.to_lowercase();
        Ok(Self {
            at: local.len(),
            text: format!("{local}@{}", domain.to_lowercase()),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for (text, is) in [
            ("ann@x.example", true),
            ("ann@[192.0.2.1]", true),
            ("ann@[IPv6:2001:db8::1]", true),
            ("用户@例え.example", true),
            ("\"a b@c\"@x.example", true),
            ("a b@x.example", false),
            ("<ann@x.example>", false),
            ("ann@", false),
            ("@x.example", false),
            ("ann@x example", false),
            ("ann\r\n@x.example", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<Address>().is_ok(), is, "{text}");
        }
        let long = format!("{}@x.example", "a".repeat(930));
        assert!(long.parse::<Address>().is_err());
    }
}
