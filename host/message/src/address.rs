//! Addresses of the envelope (RFC 5321 section 4.1.2).

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use crate::{domain_to_ascii, likeness};

/// A mailbox in the form of MAIL and RCPT, without angle brackets.
///
/// The local part is kept as it was given, with its quotes: only its own host may interpret it
/// (RFC 5321 section 2.3.11). The domain is in lower case, an address literal in its shortest
/// form. Both may hold characters outside US-ASCII (RFC 6531 section 3.3); see
/// [`Address::is_ascii`]. Two addresses are equal if their texts are: `"a"@example.com` is not
/// equal to `a@example.com`, nor a domain in Unicode to its A-label. Use
/// [`Address::is_same_mailbox`] to compare mailboxes.
#[derive(
    Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    text: Box<str>,
    at: usize,
}

impl Address {
    /// The most octets of an address (RFC 5321 section 4.5.3.1.3, less the angle brackets).
    pub const MAX_LENGTH: usize = 254;
    /// The most octets of the local part of a [strict](Self::is_strict) address (RFC 5321 section
    /// 4.5.3.1.1).
    pub const MAX_STRICT_LOCAL: usize = 64;

    /// Reads a `Mailbox` by the grammar of RFC 5321, without its obsolete forms: no white space, no
    /// source route, no comment, no trailing dot. Three things are accepted that the grammar does
    /// not allow, because such addresses exist and their owners write to help desks:
    ///
    /// - a local part of more than 64 octets, as return addresses of bulk services and forwarders
    ///   have (section 4.5.3.1 asks to avoid the limit where possible);
    /// - dots in a local part beside each other, in front or at the end, as a carrier once gave
    ///   them out;
    /// - an underscore in a domain.
    ///
    /// [`Address::is_strict`] is false for these.
    ///
    /// # Errors
    /// The first fault of the address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let at = match text.strip_prefix('"') {
            Some(quoted) => 1 + quoted_length(quoted)?,
            None => text.find('@').ok_or(AddressError::NoDomain)?,
        };
        let (local, rest) = text.split_at(at);
        let domain = rest.strip_prefix('@').ok_or(AddressError::NoDomain)?;
        if !local.starts_with('"') && !is_dotted(local) {
            return Err(AddressError::Local);
        }
        let domain = match domain.strip_prefix('[') {
            Some(literal) => parse_literal(literal)?,
            None => parse_domain(domain)?,
        };
        let text = format!("{local}@{domain}");
        if text.len() > Self::MAX_LENGTH {
            return Err(AddressError::TooLong(text.len()));
        }
        Ok(Self {
            text: text.into(),
            at,
        })
    }

    /// Returns the local part, with its quotes.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// Returns the domain, or an address literal with its brackets.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// Returns the address as it stands between angle brackets.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns true if both are the same mailbox: the local parts are equal, and so are the
    /// domains, in Unicode or in A-labels (RFC 5890 section 2.3.2.4).
    pub fn is_same_mailbox(&self, other: &Self) -> bool {
        let (one, two) = (self.domain(), other.domain());
        // A domain in US-ASCII has one spelling, since it is in lower case already.
        let in_unicode = !one.is_ascii() || !two.is_ascii();
        let same_name =
            || domain_to_ascii(one).is_some_and(|one| domain_to_ascii(two) == Some(one));
        self.local() == other.local() && (one == two || in_unicode && same_name())
    }

    /// Returns true if it is a `Mailbox` by the exact grammar and lengths of RFC 5321.
    ///
    /// ```
    /// let is_strict = |text| gatepost_message::Address::parse(text).unwrap().is_strict();
    /// assert!(is_strict("help.desk@desk.example"));
    /// assert!(!is_strict("help..desk@desk.example"));
    /// assert!(!is_strict("help@the_desk.example"));
    /// ```
    pub fn is_strict(&self) -> bool {
        let local = self.local();
        local.len() <= Self::MAX_STRICT_LOCAL
            && (local.starts_with('"') || local.split('.').all(|atom| !atom.is_empty()))
            && !self.domain().contains('_')
    }

    /// Returns true if it may be sent without SMTPUTF8 (RFC 6531).
    pub fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }

    /// Returns true if its local part names a further route, by which a server that trusts its
    /// client would relay the message: `user%elsewhere.example@`, `elsewhere.example!user@`,
    /// `"user@elsewhere.example"@`, quoted or not, also in characters that Unicode (NFKC) maps to
    /// these. RFC 5321 appendix F.2 lets a server refuse such addresses.
    pub fn is_source_routed(&self) -> bool {
        likeness::nfkc(self.local()).contains(['%', '!', '@'])
    }
}

/// Returns the length of a `Quoted-string` from after its opening quote to after its closing one.
fn quoted_length(text: &str) -> Result<usize, AddressError> {
    let mut characters = text.char_indices();
    while let Some((position, character)) = characters.next() {
        match character {
            '"' => return Ok(position + 1),
            '\\' => match characters.next() {
                Some((_, ' '..='~')) => {}
                _ => return Err(AddressError::Local),
            },
            ' '..='~' => {}
            other if is_international(other) => {}
            _ => return Err(AddressError::Local),
        }
    }
    Err(AddressError::Local)
}

/// Returns true for a `Dot-string` whose dots may stand anywhere, but not for dots alone.
fn is_dotted(text: &str) -> bool {
    let is_atext = |c: char| {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_international(c)
    };
    text.chars().any(|c| c != '.') && text.chars().all(|c| c == '.' || is_atext(c))
}

/// Returns true for RFC 6531's `UTF8-non-ascii`, except controls and spaces.
fn is_international(character: char) -> bool {
    !character.is_ascii() && !character.is_control() && !character.is_whitespace()
}

fn parse_domain(text: &str) -> Result<String, AddressError> {
    // IDNA 2003 took these for dots (RFC 3490 section 3.1); a label cannot hold them.
    let is_dot = |c| matches!(c, '\u{3002}' | '\u{ff0e}' | '\u{ff61}');
    let is_letter_or_digit =
        |c: char| c.is_ascii_alphanumeric() || is_international(c) && !is_dot(c);
    let is_label = |label: &str| {
        (1..=63).contains(&label.chars().count())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|c| matches!(c, '-' | '_') || is_letter_or_digit(c))
    };
    let domain = text.to_lowercase();
    match domain.split('.').all(is_label) {
        true => Ok(domain),
        false => Err(AddressError::Domain),
    }
}

/// Writes an IP address as an address literal (RFC 5321 section 4.1.3): `[192.0.2.1]`,
/// `[IPv6:2001:db8::1]`. An IPv4-mapped address is written as IPv4.
pub fn address_literal(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(v4) => format!("[{v4}]"),
        IpAddr::V6(v6) => format!("[IPv6:{v6}]"),
    }
}

/// Reads an `address-literal` after its opening bracket. No tag but `IPv6` is registered, so there
/// is no other form.
fn parse_literal(text: &str) -> Result<String, AddressError> {
    let address = text.strip_suffix(']').ok_or(AddressError::Literal)?;
    match address.split_at_checked("IPv6:".len()) {
        Some((tag, v6)) if tag.eq_ignore_ascii_case("IPv6:") => v6
            .parse::<Ipv6Addr>()
            .map(|v6| format!("[IPv6:{v6}]"))
            .map_err(|_| AddressError::Literal),
        _ => address
            .parse::<Ipv4Addr>()
            .map(|v4| format!("[{v4}]"))
            .map_err(|_| AddressError::Literal),
    }
}

/// Reason why a text is not a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// No `@` after the local part.
    #[error("an address needs an @ and a domain after its local part")]
    NoDomain,
    /// Not a `Local-part`.
    #[error(
        "the part before the @ is neither letters, digits, marks and dots nor a well-formed quoted string"
    )]
    Local,
    /// Not a `Domain`.
    #[error(
        "the part after the @ is not a domain: labels of 1 to 63 letters, digits, underscores and inner hyphens with single dots between them"
    )]
    Domain,
    /// Not an `address-literal`.
    #[error("an address literal is [IPv4 address] or [IPv6:IPv6 address]")]
    Literal,
    /// More than 254 octets; their number.
    #[error("the address has {0} octets, at most {max} are allowed", max = Address::MAX_LENGTH)]
    TooLong(usize),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.text)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.text.into()
    }
}

/// Address for notices about a message (RFC 5321 section 4.1.1.2), or none.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub enum ReversePath {
    /// `<>`: the message is itself a notice, and none is sent about it (RFC 5321 section 4.5.5).
    Null,
    /// The sender's mailbox.
    Address(Address),
}

impl ReversePath {
    /// Reads the text between the angle brackets; an empty one is the null reverse-path.
    ///
    /// # Errors
    /// Those of [`Address::parse`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        match text {
            "" => Ok(Self::Null),
            _ => Address::parse(text).map(Self::Address),
        }
    }

    /// Returns true for the null reverse-path.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the mailbox, if there is one.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Null => None,
            Self::Address(address) => Some(address),
        }
    }

    /// Returns the text between the angle brackets; empty for the null reverse-path.
    pub fn as_str(&self) -> &str {
        self.address().map_or("", Address::as_str)
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ReversePath {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ReversePath {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<ReversePath> for String {
    fn from(path: ReversePath) -> Self {
        path.as_str().to_owned()
    }
}

impl From<Address> for ReversePath {
    fn from(address: Address) -> Self {
        Self::Address(address)
    }
}
