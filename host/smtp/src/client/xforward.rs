//! XFORWARD: names the sender of a message to this relay, for a next hop that logs or judges it.
//!
//! An extension of Postfix, specified in its `XFORWARD_README`: the server lists in its reply to
//! EHLO the attributes that it wants. The client gives them before MAIL, each value in xtext, and
//! they hold for that one transaction.

use std::net::{IpAddr, SocketAddr};

use crate::dsn::encode_xtext;

/// The most octets of one command, with its CRLF; further attributes go in another.
const MAX_COMMAND: usize = 512;

/// Value of an attribute that is not known.
const UNAVAILABLE: &str = "[UNAVAILABLE]";

/// Attribute of a message's sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// NAME: the client's name in the DNS.
    Name,
    /// ADDR: its address.
    Address,
    /// PORT: its port.
    Port,
    /// PROTO: its protocol.
    Protocol,
    /// HELO: its argument of EHLO or HELO.
    Helo,
    /// IDENT: the transaction's name in this relay's log.
    Ident,
    /// SOURCE: `REMOTE` for a message from a client, `LOCAL` for one of this relay.
    Source,
}

impl Attribute {
    const ALL: [Self; 7] = [
        Self::Name,
        Self::Address,
        Self::Port,
        Self::Protocol,
        Self::Helo,
        Self::Ident,
        Self::Source,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Name => "NAME",
            Self::Address => "ADDR",
            Self::Port => "PORT",
            Self::Protocol => "PROTO",
            Self::Helo => "HELO",
            Self::Ident => "IDENT",
            Self::Source => "SOURCE",
        }
    }

    /// Returns the attribute of that name; `None` if it is unknown.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let is = |attribute: &Self| attribute.name().eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(is)
    }
}

/// Sender of a message to this relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The client; `None` for a message that this relay made itself.
    pub client: Option<SocketAddr>,
    /// Argument of its EHLO or HELO.
    pub helo: Option<String>,
    /// True if it is known to have used ESMTP.
    pub extended: bool,
    /// The transaction's name in this relay's log.
    pub ident: String,
}

impl Origin {
    /// Returns the commands that give a server the attributes it wants, without CRLF.
    pub(super) fn commands(&self, wanted: &[Attribute]) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for &attribute in wanted {
            let word = format!(" {}={}", attribute.name(), self.value(attribute));
            match lines.last_mut() {
                Some(line) if line.len() + word.len() + 2 <= MAX_COMMAND => line.push_str(&word),
                _ => lines.push(format!("XFORWARD{word}")),
            }
        }
        lines
    }

    fn value(&self, attribute: Attribute) -> String {
        let known = match attribute {
            // Names are not looked up in the DNS here.
            Attribute::Name => None,
            Attribute::Address => self.client.map(|client| match client.ip().to_canonical() {
                IpAddr::V4(v4) => v4.to_string(),
                IpAddr::V6(v6) => format!("IPV6:{v6}"),
            }),
            Attribute::Port => self.client.map(|client| client.port().to_string()),
            Attribute::Protocol => self.extended.then(|| "ESMTP".to_owned()),
            Attribute::Helo => self.helo.clone(),
            Attribute::Ident => Some(self.ident.clone()),
            Attribute::Source => Some(match self.client {
                Some(_) => "REMOTE".to_owned(),
                None => "LOCAL".to_owned(),
            }),
        };
        // XFORWARD_README limits a value to 255 octets, so that any fits into a command.
        // `[UNAVAILABLE]` is no value, and so not encoded.
        known
            .map(|value| encode_xtext(&value))
            .filter(|value| value.len() <= 255)
            .unwrap_or_else(|| UNAVAILABLE.to_owned())
    }
}
