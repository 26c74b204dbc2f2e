//! The result: mailboxes, what readers could show, and whether they agree.

use std::collections::HashSet;
use std::fmt;

use crate::list::{self, List};
use crate::token::{Dialect, Tokens, tokens};
use crate::{ADDRESS_LIMIT, FIELD_LIMIT, scan};

/// Local part and domain of an address (RFC 5322 section 3.4.1, `addr-spec`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddrSpec {
    /// The local part as it is written, with its quotes, without comments and white space around.
    pub local: String,
    /// The domain in lower case, with dots of US-ASCII and none at its end. Characters outside
    /// US-ASCII stand as they are written: they are not turned into A-labels. An address literal
    /// has its square brackets.
    pub domain: String,
}

impl AddrSpec {
    /// Whether an address literal stands where a domain should (RFC 5322 section 3.4.1).
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
    /// The display name without quotes; where there is none, the comment behind the address. Its
    /// encoded words (RFC 2047) are not decoded.
    pub name: String,
    /// The address; `None` where there is none.
    pub address: Option<AddrSpec>,
    /// What stands in angle brackets without being an address, such as `MAILER-DAEMON`; else
    /// empty.
    pub unqualified: String,
}

/// Whether readers agree about whom a field names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clarity {
    /// Every reader finds the same addresses: the mailboxes.
    Unequivocal,
    /// Readers may differ; all that they could show is known.
    Equivocal,
    /// There is no address, or more than is read.
    Unreadable,
}

/// The first thing about a field that readers take in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Doubt {
    /// White space, a fold or a comment inside an address, a route, or a quoted domain (RFC 5322
    /// section 4.4).
    Obsolete,
    /// A character that is neither printed nor a space.
    Control,
    /// An angle bracket, quotation mark or parenthesis without its counterpart.
    Unbalanced,
    /// Several addresses where one belongs, or words behind an address.
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
    /// What the field has, to stand behind its name: "From has …".
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

/// What the fields of one name say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    mailboxes: Vec<ListedMailbox>,
    shown: Vec<AddrSpec>,
    doubt: Option<Doubt>,
    too_long: bool,
}

impl Reading {
    /// The entries that a tolerant reader finds, those of groups too, in order.
    pub fn mailboxes(&self) -> &[ListedMailbox] {
        &self.mailboxes
    }

    /// The addresses of the mailboxes.
    pub fn addresses(&self) -> impl Iterator<Item = &AddrSpec> {
        let mailboxes = self.mailboxes.iter();
        mailboxes.filter_map(|mailbox| mailbox.address.as_ref())
    }

    /// Every address that any reader could show, each once: those of the mailboxes first. The local
    /// part of one that no reader should show may be empty or cut.
    pub fn shown(&self) -> &[AddrSpec] {
        &self.shown
    }

    /// The domains of all addresses that any reader could show, each once, literals apart.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        let mut seen = HashSet::new();
        let shown = self.shown.iter().filter(|address| !address.is_literal());
        let domains = shown.map(|address| address.domain.as_str());
        domains.filter(move |domain| seen.insert(*domain))
    }

    /// Whether readers agree.
    pub fn clarity(&self) -> Clarity {
        match self.doubt {
            _ if self.too_long || self.shown.is_empty() => Clarity::Unreadable,
            Some(_) => Clarity::Equivocal,
            None => Clarity::Unequivocal,
        }
    }

    /// The first thing that readers take in different ways; `None` where they agree.
    pub fn doubt(&self) -> Option<Doubt> {
        match self.too_long {
            true => Some(Doubt::TooLong),
            false => self.doubt,
        }
    }
}

/// A [`Reading`] in the making.
#[derive(Default)]
pub(crate) struct Reader {
    reading: Reading,
    seen: HashSet<AddrSpec>,
    /// The domains of those.
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
        self.list(list.mailboxes);
    }

    /// Adds the entries of a field, as far as there is room.
    fn list(&mut self, mut listed: Vec<ListedMailbox>) {
        let mailboxes = &mut self.reading.mailboxes;
        let room = ADDRESS_LIMIT.saturating_sub(mailboxes.len());
        if listed.len() > room {
            // Who is named again and again is one.
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
        // Without a local part, it is the rest of another address, or shows its domain alone.
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

/// The entries of one field, with nothing said of other readers.
pub(crate) fn mailboxes(body: &[u8]) -> Vec<ListedMailbox> {
    let body = body.get(..FIELD_LIMIT).unwrap_or(body);
    let text = String::from_utf8_lossy(body);
    let listed = list::read(&tokens(&text, Dialect::default())).mailboxes;
    let mut reader = Reader::default();
    reader.list(listed);
    reader.reading.mailboxes
}

/// The other rules by which some readers could see the field differently.
fn dialects(tokens: &Tokens<'_>) -> impl Iterator<Item = Dialect> {
    let (nested, escapes) = (!tokens.has_nested, !tokens.has_escape);
    let dialects = [(nested, true), (true, escapes), (nested, escapes)];
    let dialects = dialects.map(|(nested, escapes)| Dialect { nested, escapes });
    // With one difference, there is one other dialect.
    let others = match (tokens.has_nested, tokens.has_escape) {
        (false, false) => &[][..],
        (true, false) => &[0],
        (false, true) => &[1],
        (true, true) => &[0, 1, 2],
    };
    others.iter().map(move |index| dialects[*index])
}
