//! Result of reading: mailboxes, addresses that readers could show, and their agreement.

use std::collections::HashSet;
use std::fmt;

use crate::list::{self, List};
use crate::token::{Dialect, Tokens, tokens};
use crate::{ADDRESS_LIMIT, FIELD_LIMIT, scan};

/// Local part and domain of an address (RFC 5322 section 3.4.1, `addr-spec`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddrSpec {
    /// Local part as it is written, with its quotes, without comments and white space around.
    pub local: String,
    /// Domain in lower case, with dots of US-ASCII and none at its end. Characters outside US-ASCII
    /// are kept: they are not turned into A-labels. An address literal has its square brackets.
    pub domain: String,
}

impl AddrSpec {
    /// Returns true if the domain is an address literal (RFC 5322 section 3.4.1).
    pub fn is_literal(&self) -> bool {
        self.domain.starts_with('[')
    }
}

impl fmt::Display for AddrSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// An entry of an address field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListedMailbox {
    /// Display name without quotes; if there is none, the comment after the address. Its encoded
    /// words (RFC 2047) are not decoded.
    pub name: String,
    /// Address, if there is one.
    pub address: Option<AddrSpec>,
    /// Text in angle brackets that is no address, such as `MAILER-DAEMON`; else empty.
    pub unqualified: String,
}

/// Agreement of readers about the addresses in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clarity {
    /// Every reader finds the same addresses: the mailboxes.
    Unequivocal,
    /// Readers may differ; all that they could show is known.
    Equivocal,
    /// There is no address, or more than the limits allow.
    Unreadable,
}

/// First thing in a field that readers take in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Doubt {
    /// White space, a fold or a comment inside an address, a route, or a quoted domain (RFC 5322
    /// section 4.4).
    Obsolete,
    /// A control character.
    Control,
    /// An angle bracket, quotation mark or parenthesis without its counterpart.
    Unbalanced,
    /// Several addresses in place of one, or words after an address.
    SeveralInOne,
    /// A semicolon or colon outside a group, a group that does not end, or nothing between commas.
    Separator,
    /// An entry without an address.
    NoAddress,
    /// An address whose local part or domain is malformed.
    Malformed,
    /// An encoded word that hides signs of an address, or stands in one (RFC 2047 section 5).
    EncodedWord,
    /// Readers without nested comments, or without backslashes, find other addresses.
    Dialect,
    /// There is more than one field of the name.
    SeveralFields,
    /// There is no field of the name.
    NoField,
    /// The field is longer than [`FIELD_LIMIT`], or names more than [`ADDRESS_LIMIT`] addresses.
    TooLong,
}

impl fmt::Display for Doubt {
    /// Describes the doubt, as the end of a sentence such as "From has …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Obsolete => "white space, a comment, quotes or a route inside an address",
            Self::Control => "a control character",
            Self::Unbalanced => "a bracket, quotation mark or parenthesis without its counterpart",
            Self::SeveralInOne => "several addresses, or other words, where one address belongs",
            Self::Separator => "a comma, semicolon or colon where none belongs",
            Self::NoAddress => "an entry without an address",
            Self::Malformed => "a malformed address",
            Self::EncodedWord => "an address in an encoded word",
            Self::Dialect => "a name whose end readers see in different places",
            Self::SeveralFields => "a namesake: there are several",
            Self::NoField => "no field: it is missing",
            Self::TooLong => "more than is read",
        })
    }
}

/// Contents of all fields of one name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    mailboxes: Vec<ListedMailbox>,
    shown: Vec<AddrSpec>,
    doubt: Option<Doubt>,
    too_long: bool,
}

impl Reading {
    /// Returns the entries that a tolerant reader finds, those of groups too, in order.
    pub fn mailboxes(&self) -> &[ListedMailbox] {
        &self.mailboxes
    }

    /// Returns the addresses of the mailboxes.
    pub fn addresses(&self) -> impl Iterator<Item = &AddrSpec> {
        let mailboxes = self.mailboxes.iter();
        mailboxes.filter_map(|mailbox| mailbox.address.as_ref())
    }

    /// Returns every address that any reader could show, each once: those of the mailboxes first.
    /// The local part of an address that no reader should show may be empty or cut.
    pub fn shown(&self) -> &[AddrSpec] {
        &self.shown
    }

    /// Returns the domains of all addresses that any reader could show, each once, without address
    /// literals.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        let mut seen = HashSet::new();
        let shown = self.shown.iter().filter(|address| !address.is_literal());
        let domains = shown.map(|address| address.domain.as_str());
        domains.filter(move |domain| seen.insert(*domain))
    }

    /// Returns the agreement of readers.
    pub fn clarity(&self) -> Clarity {
        match self.doubt {
            _ if self.too_long || self.shown.is_empty() => Clarity::Unreadable,
            Some(_) => Clarity::Equivocal,
            None => Clarity::Unequivocal,
        }
    }

    /// Returns the first thing that readers take in different ways; `None` if they agree.
    pub fn doubt(&self) -> Option<Doubt> {
        match self.too_long {
            true => Some(Doubt::TooLong),
            false => self.doubt,
        }
    }
}

/// Builder of a [`Reading`].
#[derive(Default)]
pub(crate) struct Reader {
    reading: Reading,
    seen: HashSet<AddrSpec>,
    /// Domains of the addresses seen.
    domains: HashSet<String>,
    fields: usize,
}

impl Reader {
    /// Adds a field.
    pub(crate) fn add(&mut self, body: &[u8]) {
        self.fields += 1;
        if self.reading.too_long {
            return;
        }
        self.reading.too_long |= body.len() > FIELD_LIMIT;
        let body = body.get(..FIELD_LIMIT).unwrap_or(body);
        let text = String::from_utf8_lossy(body);
        let tokens = tokens(&text, Dialect::default());
        let list = list::read(&tokens);
        let mut doubt = list.doubt;
        let mut others = Vec::new();
        for dialect in dialects(&tokens) {
            let other = list::read(&self::tokens(&text, dialect));
            if !other.addresses().eq(list.addresses()) {
                doubt = doubt.or(Some(Doubt::Dialect));
                others.push(other);
            }
        }
        self.reading.doubt = self.reading.doubt.or(doubt);
        list.addresses().for_each(|address| self.show(address));
        if doubt.is_some() {
            let others = others.iter().flat_map(List::addresses);
            others.for_each(|address| self.show(address));
            scan::addresses(&text, &tokens, &mut |address| self.show(&address));
        }
        self.add_entries(list.mailboxes);
    }

    /// Adds the entries of a field, as far as there is room.
    fn add_entries(&mut self, mut listed: Vec<ListedMailbox>) {
        let mailboxes = &mut self.reading.mailboxes;
        let room = ADDRESS_LIMIT.saturating_sub(mailboxes.len());
        if listed.len() > room {
            // An address that is named again and again counts once.
            let known = mailboxes
                .iter()
                .filter_map(|mailbox| mailbox.address.clone());
            let mut known = HashSet::<AddrSpec>::from_iter(known);
            listed.retain(|mailbox| {
                let address = mailbox.address.as_ref();
                address.is_none_or(|address| known.insert(address.clone()))
            });
        }
        self.reading.too_long |= listed.len() > room;
        mailboxes.extend(listed.into_iter().take(room));
    }

    fn show(&mut self, address: &AddrSpec) {
        // An address without a local part is the rest of another one, or only shows a domain.
        let is_rest = address.local.is_empty() && self.domains.contains(&address.domain);
        if is_rest || self.seen.contains(address) {
            return;
        }
        if self.reading.shown.len() >= ADDRESS_LIMIT {
            self.reading.too_long = true;
            return;
        }
        self.seen.insert(address.clone());
        self.domains.insert(address.domain.clone());
        self.reading.shown.push(address.clone());
    }

    pub(crate) fn finish(self) -> Reading {
        let mut reading = self.reading;
        let of_fields = match self.fields {
            0 => Some(Doubt::NoField),
            1 => None,
            _ => Some(Doubt::SeveralFields),
        };
        reading.doubt = of_fields.or(reading.doubt);
        if reading.shown.is_empty() {
            reading.doubt = reading.doubt.or(Some(Doubt::NoAddress));
        }
        reading
    }
}

/// Returns the entries of one field by the rules of RFC 5322 alone.
pub(crate) fn mailboxes(body: &[u8]) -> Vec<ListedMailbox> {
    let body = body.get(..FIELD_LIMIT).unwrap_or(body);
    let text = String::from_utf8_lossy(body);
    let listed = list::read(&tokens(&text, Dialect::default())).mailboxes;
    let mut reader = Reader::default();
    reader.add_entries(listed);
    reader.reading.mailboxes
}

/// Returns the other rules by which some readers could read the field differently.
fn dialects(tokens: &Tokens<'_>) -> impl Iterator<Item = Dialect> {
    let (nested, escapes) = (!tokens.has_nested, !tokens.has_escape);
    let dialects = [(nested, true), (true, escapes), (nested, escapes)];
    let dialects = dialects.map(|(nested, escapes)| Dialect { nested, escapes });
    // A field with one of the two features has one other dialect.
    let others = match (tokens.has_nested, tokens.has_escape) {
        (false, false) => &[][..],
        (true, false) => &[0],
        (false, true) => &[1],
        (true, true) => &[0, 1, 2],
    };
    others.iter().map(move |index| dialects[*index])
}
