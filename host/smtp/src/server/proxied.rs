//! Attributes of XCLIENT and XFORWARD, by which a trusted client describes the client behind it.
//! The commands are Postfix's (XCLIENT_README and XFORWARD_README); content filters and mail
//! proxies send them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::command::helo_name;
use super::parameter::malformed;
use crate::dsn::{decode_xtext, encode_xtext};
use crate::reply::Reply;

/// Commands of the two that a client may give. The session's owner decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trust {
    /// True if the client may speak in the place of another: XCLIENT.
    pub xclient: bool,
    /// True if the client may name the origin of the mail that it relays: XFORWARD.
    pub xforward: bool,
}

/// Attribute of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// Name in the DNS.
    Name,
    /// IP address.
    Addr,
    /// Port.
    Port,
    /// Protocol: `SMTP` or `ESMTP`; XFORWARD may name others.
    Proto,
    /// Argument of HELO or EHLO.
    Helo,
    /// User that the client authenticated as.
    Login,
    /// Address that the client connected to.
    DestAddr,
    /// Port that the client connected to.
    DestPort,
    /// Id of the mail in the log of the server that relays it.
    Ident,
    /// Source of the mail: `LOCAL` or `REMOTE`.
    Source,
}

use Attribute::{Addr, DestAddr, DestPort, Helo, Ident, Login, Name, Port, Proto, Source};

/// Attributes of XCLIENT; LOGIN, the last, counts only where AUTH is on offer.
pub(super) const XCLIENT: &[Attribute] =
    &[Name, Addr, Port, Proto, Helo, DestAddr, DestPort, Login];

/// Attributes of XFORWARD.
pub(super) const XFORWARD: &[Attribute] = &[Name, Addr, Port, Proto, Helo, Ident, Source];

impl Attribute {
    /// Returns the attribute's name in the commands.
    pub(super) fn word(self) -> &'static str {
        match self {
            Name => "NAME",
            Addr => "ADDR",
            Port => "PORT",
            Proto => "PROTO",
            Helo => "HELO",
            Login => "LOGIN",
            DestAddr => "DESTADDR",
            DestPort => "DESTPORT",
            Ident => "IDENT",
            Source => "SOURCE",
        }
    }

    /// Returns true if XCLIENT may give this value, by which the session is then judged.
    pub(super) fn is_valid_in_xclient(self, value: &str) -> bool {
        let one_of = |words: [&str; 2]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
        match self {
            Addr | DestAddr => address(value).is_some(),
            Port | DestPort => value.parse::<u16>().is_ok(),
            Proto => one_of(["SMTP", "ESMTP"]),
            Helo => helo_name(value.as_bytes()).is_ok(),
            Name | Ident | Login | Source => is_printable(value) && !value.contains(' '),
        }
    }

    /// Returns true if XFORWARD may give this value. Anything printable may be given: it goes to
    /// the log alone, and the mail may have come by another protocol (XFORWARD_README).
    pub(super) fn is_valid_in_xforward(self, value: &str) -> bool {
        is_printable(value)
    }
}

/// Attributes given for a client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes(Vec<(Attribute, Option<String>)>);

impl Attributes {
    /// Reads the arguments of either command: `NAME=value`, the value as xtext, `[UNAVAILABLE]` or
    /// `[TEMPUNAVAIL]`. `known` lists the attributes and `is_valid` checks the values.
    pub(super) fn parse(
        arguments: &[u8],
        known: &[Attribute],
        is_valid: fn(Attribute, &str) -> bool,
    ) -> Result<Self, Reply> {
        let mut attributes = Self::default();
        let text = str::from_utf8(arguments).map_err(|_| malformed("Attributes are ASCII"))?;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let (name, value) = word
                .split_once('=')
                .ok_or_else(|| malformed("Attributes are NAME=value"))?;
            let attribute = (known.iter().copied())
                .find(|attribute| name.eq_ignore_ascii_case(attribute.word()))
                .ok_or_else(|| malformed("This attribute is not known here"))?;
            let unavailable = ["[UNAVAILABLE]", "[TEMPUNAVAIL]"]
                .iter()
                .any(|word| value.eq_ignore_ascii_case(word));
            let value = match unavailable {
                true => None,
                false => Some(
                    decode_xtext(value)
                        .filter(|value| is_valid(attribute, value))
                        .ok_or_else(|| {
                            malformed(&format!("{} has no such value", attribute.word()))
                        })?,
                ),
            };
            attributes.set(attribute, value);
        }
        match attributes.0.is_empty() {
            true => Err(malformed("Attributes are missing")),
            false => Ok(attributes),
        }
    }

    /// Returns the value that was given for an attribute; `Some(None)` if it was given as
    /// unavailable.
    pub fn given(&self, attribute: Attribute) -> Option<Option<&str>> {
        let found = self.0.iter().find(|(of, _)| *of == attribute);
        found.map(|(_, value)| value.as_deref())
    }

    /// Returns the value of an attribute, if there is one.
    pub fn value(&self, attribute: Attribute) -> Option<&str> {
        self.given(attribute).flatten()
    }

    /// Returns the client's address and port; those of `peer`, which sent the command, where no
    /// address is known.
    pub fn client(&self, peer: SocketAddr) -> SocketAddr {
        let port = self.value(Port).and_then(|port| port.parse().ok());
        match self.value(Addr).and_then(address) {
            Some(address) => SocketAddr::new(address, port.unwrap_or(0)),
            None => peer,
        }
    }

    /// Adds attributes of a later command, which replace earlier ones.
    pub(super) fn add(&mut self, later: Self) {
        for (attribute, value) in later.0 {
            self.set(attribute, value);
        }
    }

    fn set(&mut self, attribute: Attribute, value: Option<String>) {
        self.0.retain(|(of, _)| *of != attribute);
        self.0.push((attribute, value));
    }
}

/// Writes the attributes in the form of the commands, for the log.
impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.0.iter().map(|(attribute, value)| {
            let value = value.as_deref().map(encode_xtext);
            let value = value.unwrap_or_else(|| "[UNAVAILABLE]".to_owned());
            format!("{}={value}", attribute.word())
        });
        f.write_str(&words.collect::<Vec<_>>().join(" "))
    }
}

fn is_printable(value: &str) -> bool {
    (1..=255).contains(&value.len()) && value.bytes().all(|b| matches!(b, b' '..=b'~'))
}

/// Reads an address such as `192.0.2.1` or `IPV6:2001:db8::1`.
fn address(value: &str) -> Option<IpAddr> {
    match value.split_at_checked("IPV6:".len()) {
        Some((tag, v6)) if tag.eq_ignore_ascii_case("IPV6:") => {
            v6.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        }
        _ => value.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}
