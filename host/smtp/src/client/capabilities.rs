//! Capabilities that a server offers in its reply to EHLO or LHLO.

use std::num::NonZero;
use std::str::{FromStr, SplitAsciiWhitespace};

use gatepost_sasl::client::Mechanism;

use super::xforward::Attribute;
use crate::reply::Reply;

/// Extensions that this client uses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// PIPELINING (RFC 2920): commands may be sent before the replies to earlier ones.
    pub pipelining: bool,
    /// 8BITMIME (RFC 6152): octets outside ASCII may be sent.
    pub eight_bit_mime: bool,
    /// SMTPUTF8 (RFC 6531): addresses and header fields outside ASCII may be sent. Counts only
    /// together with 8BITMIME, without which it must not be offered (section 3.1).
    pub smtputf8: bool,
    /// STARTTLS (RFC 3207).
    pub start_tls: bool,
    /// SIZE (RFC 1870): MAIL may announce the size.
    pub size: bool,
    /// Largest message that the server accepts, in octets (RFC 1870); `None` where it names none.
    pub max_size: Option<u64>,
    /// DSN (RFC 3461): MAIL and RCPT may ask for notifications, and the server sends them.
    pub dsn: bool,
    /// CHUNKING (RFC 3030): a message may come by BDAT, counted in octets.
    pub chunking: bool,
    /// AUTH (RFC 4954): the offered mechanisms that this client knows.
    pub auth: Vec<Mechanism>,
    /// Names of the offered mechanisms that this client does not know, for errors.
    pub other_auth: Vec<String>,
    /// LIMITS (RFC 9422).
    pub limits: Limits,
    /// XFORWARD: the attributes of a message's sender that the server asks for.
    pub xforward: Vec<Attribute>,
}

/// The limits that RFC 9422 registers; `None` where the server names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// MAILMAX: transactions of one session.
    pub transactions: Option<NonZero<u32>>,
    /// RCPTMAX: recipients of one transaction.
    pub recipients: Option<NonZero<usize>>,
    /// RCPTDOMAINMAX: different domains among the recipients of one transaction.
    pub domains: Option<NonZero<usize>>,
}

impl Capabilities {
    /// Reads a positive reply to EHLO: a keyword and its parameters on each line but the first
    /// (RFC 5321 section 4.1.1.1). Unknown keywords are ignored.
    pub(super) fn read(reply: &Reply) -> Self {
        let mut offer = Self::default();
        for line in reply.lines().iter().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
            match keyword.as_str() {
                "AUTH" => offer.add_mechanisms(words),
                "PIPELINING" => offer.pipelining = true,
                "8BITMIME" => offer.eight_bit_mime = true,
                "SMTPUTF8" => offer.smtputf8 = true,
                "STARTTLS" => offer.start_tls = true,
                "SIZE" => {
                    offer.size = true;
                    let size = words.next().and_then(|size| size.parse().ok());
                    // RFC 1870 section 4: 0 is no limit.
                    offer.max_size = size.filter(|&size| size > 0);
                }
                "DSN" => offer.dsn = true,
                "CHUNKING" => offer.chunking = true,
                "LIMITS" => offer.limits = Limits::read(words),
                "XFORWARD" => offer.xforward = words.filter_map(Attribute::from_name).collect(),
                // Servers from before RFC 2554 write `AUTH=LOGIN PLAIN`, perhaps beside the line
                // that the RFC asks for.
                _ => {
                    if let Some(first) = keyword.strip_prefix("AUTH=") {
                        offer.add_mechanisms(std::iter::once(first).chain(words));
                    }
                }
            }
        }
        offer.smtputf8 &= offer.eight_bit_mime;
        offer
    }

    fn add_mechanisms<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for name in names {
            match Mechanism::parse(name) {
                Some(mechanism) if !self.auth.contains(&mechanism) => self.auth.push(mechanism),
                Some(_) => {}
                None => self.add_other(name),
            }
        }
    }

    /// Keeps the name of a mechanism (RFC 4422 section 3.1), within bounds.
    fn add_other(&mut self, name: &str) {
        const MOST: usize = 10;
        let name = name.to_ascii_uppercase();
        let is_letter = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        let is_name = (1..=20).contains(&name.len()) && name.bytes().all(is_letter);
        if is_name && self.other_auth.len() < MOST && !self.other_auth.contains(&name) {
            self.other_auth.push(name);
        }
    }
}

impl Limits {
    fn read(words: SplitAsciiWhitespace<'_>) -> Self {
        fn number<N: FromStr>(value: &str) -> Option<N> {
            value.parse().ok()
        }
        let mut limits = Self::default();
        for (name, value) in words.filter_map(|word| word.split_once('=')) {
            match name.to_ascii_uppercase().as_str() {
                "MAILMAX" => limits.transactions = number(value),
                "RCPTMAX" => limits.recipients = number(value),
                "RCPTDOMAINMAX" => limits.domains = number(value),
                _ => {}
            }
        }
        limits
    }
}
