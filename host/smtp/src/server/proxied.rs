//! XCLIENT and XFORWARD: what a client that is trusted says of the one behind it. The commands are
//! Postfix's (XCLIENT_README and XFORWARD_README); content filters and mail proxies speak them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::command::helo_name;
use super::parameter::malformed;
use crate::dsn::{decode_xtext, encode_xtext};
use crate::reply::Reply;

/// Which of the two commands a client may give. Whom to trust the session's owner knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trust {
    /// It may speak in the place of another client: XCLIENT.
    pub xclient: bool,
    /// It may say whose mail it passes on: XFORWARD.
    pub xforward: bool,
}

/// What can be said of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// Its name in the DNS.
    Name,
    /// Its address.
    Addr,
    /// Its port.
    Port,
    /// `SMTP` or `ESMTP`; XFORWARD may name others that mail came by.
    Proto,
    /// What it called itself in HELO or EHLO.
    Helo,
    /// The user that it has authenticated as.
    Login,
    /// The address that it connected to.
    DestAddr,
    /// The port that it connected to.
    DestPort,
    /// What the mail is called in the log of who passes it on.
    Ident,
    /// `LOCAL` or `REMOTE`: where the mail came from.
    Source,
}

use Attribute::{Addr, DestAddr, DestPort, Helo, Ident, Login, Name, Port, Proto, Source};

/// Those of XCLIENT; LOGIN counts where AUTH is on offer.
pub(super) const XCLIENT: &[Attribute] =
    &[Name, Addr, Port, Proto, Helo, DestAddr, DestPort, Login];

/// Those of XFORWARD.
pub(super) const XFORWARD: &[Attribute] = &[Name, Addr, Port, Proto, Helo, Ident, Source];

impl Attribute {
    /// As the commands write it.
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

    /// Whether XCLIENT may say this of it, by which the session is judged.
    pub(super) fn takes(self, value: &str) -> bool {
        let one_of = |words: [&str; 2]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
        match self {
            Addr | DestAddr => address(value).is_some(),
            Port | DestPort => value.parse::<u16>().is_ok(),
            Proto => one_of(["SMTP", "ESMTP"]),
            Helo => helo_name(value.as_bytes()).is_ok(),
            Name | Ident | Login | Source => is_printable(value) && !value.contains(' '),
        }
    }

    /// Whether XFORWARD may: it goes to the log alone, and the mail came from wherever it came,
    /// maybe by another protocol (XFORWARD_README).
    pub(super) fn is_told(self, value: &str) -> bool {
        is_printable(value)
    }
}

/// What was said of a client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes(Vec<(Attribute, Option<String>)>);

impl Attributes {
    /// Reads what follows the command: `NAME=value`, the value as xtext, `[UNAVAILABLE]` or
    /// `[TEMPUNAVAIL]`. `takes` says which values an attribute may have.
    pub(super) fn parse(
        arguments: &[u8],
        known: &[Attribute],
        takes: fn(Attribute, &str) -> bool,
    ) -> Result<Self, Reply> {
        let mut said = Self::default();
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
                        .filter(|value| takes(attribute, value))
                        .ok_or_else(|| {
                            malformed(&format!("{} has no such value", attribute.word()))
                        })?,
                ),
            };
            said.set(attribute, value);
        }
        match said.0.is_empty() {
            true => Err(malformed("Attributes are missing")),
            false => Ok(said),
        }
    }

    /// What was said of one; `Some(None)` where it is known that nobody knows.
    pub fn said(&self, attribute: Attribute) -> Option<Option<&str>> {
        let said = self.0.iter().find(|(of, _)| *of == attribute);
        said.map(|(_, value)| value.as_deref())
    }

    /// The value of one, if there is one.
    pub fn value(&self, attribute: Attribute) -> Option<&str> {
        self.said(attribute).flatten()
    }

    /// The client's address and port; those of `peer`, who speaks, where no address is known.
    pub fn client(&self, peer: SocketAddr) -> SocketAddr {
        let port = self.value(Port).and_then(|port| port.parse().ok());
        match self.value(Addr).and_then(address) {
            Some(address) => SocketAddr::new(address, port.unwrap_or(0)),
            None => peer,
        }
    }

    /// Takes what was said later: it goes before what was said of the same.
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

/// As the commands write them, for the log.
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

/// `192.0.2.1` or `IPV6:2001:db8::1`.
fn address(value: &str) -> Option<IpAddr> {
    match value.split_at_checked("IPV6:".len()) {
        Some((tag, v6)) if tag.eq_ignore_ascii_case("IPV6:") => {
            v6.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        }
        _ => value.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}
