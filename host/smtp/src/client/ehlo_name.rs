//! Name by which the client introduces itself.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use gatepost_message::{Domain, address_literal};

/// Argument of EHLO, LHLO and HELO: a domain name in A-labels, or an address literal (RFC 5321
/// section 4.1.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EhloName(String);

/// Error: the text is no name for EHLO.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is neither a domain name nor an address literal such as [192.0.2.1]")]
pub struct EhloNameError;

impl EhloName {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<IpAddr> for EhloName {
    fn from(address: IpAddr) -> Self {
        Self(address_literal(address))
    }
}

impl FromStr for EhloName {
    type Err = EhloNameError;

    fn from_str(text: &str) -> Result<Self, EhloNameError> {
        let Some(literal) = text.strip_prefix('[') else {
            let domain: Domain = text.parse().map_err(|_| EhloNameError)?;
            return Ok(Self(domain.as_ascii().to_owned()));
        };
        let literal = literal.strip_suffix(']').ok_or(EhloNameError)?;
        let address = match literal.strip_prefix("IPv6:") {
            Some(v6) => v6.parse().map(IpAddr::V6),
            None => literal.parse().map(IpAddr::V4),
        };
        address.map(Self::from).map_err(|_| EhloNameError)
    }
}

impl fmt::Display for EhloName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_domains_and_literals_are_names() {
        for (text, name) in [
            ("mail.customer.example", Some("mail.customer.example")),
            ("b\u{fc}cher.example", Some("xn--bcher-kva.example")),
            ("[192.0.2.1]", Some("[192.0.2.1]")),
            ("[IPv6:2001:db8::1]", Some("[IPv6:2001:db8::1]")),
            ("a.example\r\nMAIL FROM:<>", None),
            ("a b.example", None),
            ("[192.0.2.1", None),
            ("[a.example]", None),
            ("", None),
        ] {
            let parsed = text.parse::<EhloName>().ok();
            assert_eq!(parsed.as_ref().map(EhloName::as_str), name, "{text:?}");
        }
    }
}
