//! Demands of providers to confirm a forwarding.
//!
//! Some providers forward to an address only after somebody has confirmed that the address wants
//! it: they send it a code or a link. That message comes to the forwarding target, where no person
//! reads it. So the relay recognises it, and shows code and link.
//!
//! Anybody could send such a message with a link of their own. It is believed only if SPF or DKIM
//! proves the domain of a provider that is known, the author is one of the provider's machines
//! (strangers have mailboxes in the same domains), and the link leads to the provider. The words
//! are in the language of whoever set up the forwarding, so they are not looked at: the code is
//! known by its place, and the link by its address.

use std::fmt;

use gatepost_authentication::{Authentication, Facts};
use gatepost_mailboxes::{in_name, mailboxes};
use gatepost_message::{Address, Message};
use mail_parser::MessageParser;
use serde::{Deserialize, Serialize};

use crate::QuotedWords;
use crate::token::{MOST_OCTETS, decoded};

/// Demand of a provider to confirm a forwarding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ForwardingConfirmation {
    /// Provider.
    pub provider: Provider,
    /// Code to enter at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<QuotedWords>,
    /// Link to open instead; it leads to the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<QuotedWords>,
    /// Mailbox whose mail is to be forwarded, if the message names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<Address>,
}

/// Provider whose demands are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Gmail and Google Workspace.
    Google,
    /// Zoho Mail.
    Zoho,
    /// Yandex 360.
    Yandex,
    /// Mail.ru.
    MailRu,
    /// Proton Mail.
    Proton,
    /// Yahoo Mail and AOL.
    Yahoo,
    /// Fastmail.
    Fastmail,
}

/// Form of a provider's demands.
struct DemandForm {
    provider: Provider,
    /// Domains in which its machines write.
    domains: &'static [&'static str],
    /// Local parts of its machines.
    authors: &'static [&'static str],
    /// Domains that its links lead to.
    sites: &'static [&'static str],
    /// Parts of a path, one of which that of the link that confirms has.
    confirming: &'static [&'static str],
    /// True if a message without a word for forwarding in its subject is one, too.
    has_authors_of_its_own: bool,
}

/// Local parts of machines that write of many things.
const MACHINES: &[&str] = &[
    "noreply",
    "no-reply",
    "no_reply",
    "donotreply",
    "do-not-reply",
];

/// Parts of links that confirm something.
const CONFIRMING: &[&str] = &["confirm", "verif", "forward", "activat", "accept"];

const FORMS: [DemandForm; 7] = [
    DemandForm {
        provider: Provider::Google,
        domains: &["google.com"],
        authors: &["forwarding-noreply"],
        sites: &["mail.google.com", "mail-settings.google.com"],
        // The link with "uf-" in its place refuses.
        confirming: &["/vf-"],
        has_authors_of_its_own: true,
    },
    DemandForm {
        provider: Provider::Zoho,
        domains: &[
            "zoho.com",
            "zoho.eu",
            "zoho.in",
            "zohomail.com",
            "zohomail.eu",
        ],
        authors: MACHINES,
        sites: &["zoho.com", "zoho.eu", "zoho.in"],
        confirming: CONFIRMING,
        has_authors_of_its_own: false,
    },
    DemandForm {
        provider: Provider::Yandex,
        domains: &["yandex.ru", "yandex.com"],
        authors: MACHINES,
        sites: &["yandex.ru", "yandex.com"],
        confirming: CONFIRMING,
        has_authors_of_its_own: false,
    },
    DemandForm {
        provider: Provider::MailRu,
        domains: &["mail.ru", "corp.mail.ru"],
        authors: MACHINES,
        sites: &["mail.ru"],
        confirming: CONFIRMING,
        has_authors_of_its_own: false,
    },
    DemandForm {
        provider: Provider::Proton,
        domains: &["proton.me", "notify.proton.me", "protonmail.com"],
        authors: MACHINES,
        sites: &["proton.me"],
        confirming: CONFIRMING,
        has_authors_of_its_own: false,
    },
    DemandForm {
        provider: Provider::Yahoo,
        domains: &["yahoo.com", "cc.yahoo-inc.com", "aol.com"],
        authors: MACHINES,
        sites: &["yahoo.com", "aol.com"],
        confirming: CONFIRMING,
        has_authors_of_its_own: false,
    },
    DemandForm {
        provider: Provider::Fastmail,
        domains: &["fastmail.com", "fastmailteam.com"],
        authors: MACHINES,
        sites: &["fastmail.com"],
        confirming: CONFIRMING,
        has_authors_of_its_own: false,
    },
];

/// Beginnings of the words for forwarding in subjects, in lower case.
const FORWARDING: [&str; 9] = [
    "forward",
    "weiterleit",
    "transf",
    "reenv",
    "renv",
    "inoltr",
    "doorst",
    "переадрес",
    "пересыл",
];

/// Bytes of a text that are searched.
const LONGEST_TEXT: usize = 64 << 10;

/// Most links of a message that are looked at, and bytes of one.
const MOST_LINKS: usize = 100;
const LONGEST_LINK: usize = 280;

/// Digits of a code.
const CODE: std::ops::RangeInclusive<usize> = 4..=12;

impl Provider {
    /// Returns its name.
    pub fn title(self) -> &'static str {
        match self {
            Self::Google => "Google",
            Self::Zoho => "Zoho",
            Self::Yandex => "Yandex",
            Self::MailRu => "Mail.ru",
            Self::Proton => "Proton",
            Self::Yahoo => "Yahoo",
            Self::Fastmail => "Fastmail",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title())
    }
}

impl ForwardingConfirmation {
    /// Returns true if the author is a machine of a provider. Only of such a message the rest has to
    /// be looked at.
    pub fn may_be(message: &Message) -> bool {
        author(message).is_some_and(|author| form_of(&author).is_some())
    }

    /// Recognises such a demand; `octets` are the message or its beginning.
    pub fn recognise(message: &Message, octets: &[u8], facts: &Facts) -> Option<Self> {
        let author = author(message)?;
        let form = form_of(&author)?;
        if !form.is_proved(facts) {
            return None;
        }
        let subject = decoded(&message.header("Subject").unwrap_or_default());
        let lower = subject.to_lowercase();
        let names_forwarding = FORWARDING.iter().any(|word| lower.contains(word));
        if !form.has_authors_of_its_own && !names_forwarding {
            return None;
        }
        let octets = octets.get(..MOST_OCTETS).unwrap_or(octets);
        let parsed = MessageParser::default().parse(octets)?;
        let text = parsed.body_text(0).unwrap_or_default();
        let html = parsed.body_html(0).unwrap_or_default();
        let texts = [beginning(&text), beginning(&html)];
        let code = code_in(&subject).or_else(|| code_in(texts[0]));
        let link = texts.iter().find_map(|text| form.link_in(text));
        if code.is_none() && link.is_none() {
            return None;
        }
        Some(Self {
            provider: form.provider,
            code: code.and_then(QuotedWords::of),
            link: link.as_deref().and_then(QuotedWords::of),
            mailbox: mailbox(message, &author, &subject, texts[0]),
        })
    }
}

impl DemandForm {
    fn is_of(&self, author: &Address) -> bool {
        let has = |names: &[&str], name: &str| names.iter().any(|of| of.eq_ignore_ascii_case(name));
        has(self.domains, author.domain()) && has(self.authors, author.local())
    }

    /// Returns true if SPF or DKIM proves a domain of the provider.
    fn is_proved(&self, facts: &Facts) -> bool {
        let is_own = |domain: &str| self.domains.iter().any(|own| is_within(domain, own));
        let spf = &facts.spf.mailfrom;
        let by_spf = spf.result == Authentication::Pass && is_own(&spf.domain);
        let mut signatures = facts.dkim.iter();
        by_spf || signatures.any(|of| of.result == Authentication::Pass && is_own(&of.domain))
    }

    /// Returns the first link that leads to the provider and confirms.
    fn link_in(&self, text: &str) -> Option<String> {
        let starts = text.match_indices("https://").take(MOST_LINKS);
        let mut links = starts.filter_map(|(at, _)| {
            let rest = text.get(at..)?;
            let ends =
                |c: char| c.is_whitespace() || c.is_control() || "<>\"'()[]\\^`{|}".contains(c);
            let link = &rest[..rest.find(ends).unwrap_or(rest.len())];
            let link = link.replace("&amp;", "&");
            (link.len() <= LONGEST_LINK && link.is_ascii()).then_some(link)
        });
        links.find(|link| {
            let (_, rest) = link.split_at("https://".len());
            // A query may name another site, to which a redirection leads.
            let rest = rest.split(['?', '#']).next().unwrap_or_default();
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let path = path.to_ascii_lowercase();
            self.sites.iter().any(|site| is_within(host, site))
                && self.confirming.iter().any(|part| path.contains(part))
        })
    }
}

fn form_of(author: &Address) -> Option<&'static DemandForm> {
    FORMS.iter().find(|form| form.is_of(author))
}

/// Returns the author, if there is one alone.
fn author(message: &Message) -> Option<Address> {
    let mut fields = message.named("From");
    let from = fields.next().filter(|_| fields.next().is_none())?;
    match mailboxes(from.unfolded()).as_slice() {
        [one] => Address::parse(&one.address.as_ref()?.to_string()).ok(),
        _ => None,
    }
}

/// Returns true if a domain is another or below it.
fn is_within(domain: &str, other: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    let above = domain.strip_suffix(other);
    above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_TEXT)]
}

/// Returns the first number that stands behind a colon or a hash sign, as codes do in every
/// language.
fn code_in(text: &str) -> Option<&str> {
    let marks = text.match_indices([':', '#', '：']);
    let mut numbers = marks.map(|(at, mark)| {
        let rest = text[at + mark.len()..].trim_start();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest.split_at(digits)
    });
    let found = numbers.find(|(number, behind)| {
        CODE.contains(&number.len()) && !behind.starts_with(|c: char| c.is_alphanumeric())
    });
    found.map(|(number, _)| number)
}

/// Returns the first address that is neither the author's nor the addressee's.
fn mailbox(message: &Message, author: &Address, subject: &str, text: &str) -> Option<Address> {
    let to = mailboxes(message.header("To").unwrap_or_default());
    let to: Vec<String> = (to.iter())
        .filter_map(|of| Some(of.address.as_ref()?.to_string()))
        .collect();
    let is_end = |address: &Address| {
        let is = |of: &str| of.eq_ignore_ascii_case(address.as_str());
        is(author.as_str()) || to.iter().any(|of| is(of))
    };
    let beginning = &text[..text.floor_char_boundary(2_000)];
    let named = in_name(subject).into_iter().chain(in_name(beginning));
    let mut addresses = named.filter_map(|of| Address::parse(&of.to_string()).ok());
    addresses.find(|address| !is_end(address))
}
