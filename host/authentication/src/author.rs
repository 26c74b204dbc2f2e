//! Who is named in From (RFC 5322 section 3.6.2), to any mail reader.
//!
//! [`gatepost_mailboxes`] reads the fields. Here is decided which fields they are, and which of
//! their domains the DNS can be asked about.

use gatepost_mailboxes::{Clarity, Doubt, Reading, is_shown_as, read};
use gatepost_message::{Message, domain_to_ascii};
use mail_parser::parsers::MessageStream;
use serde::{Deserialize, Serialize};

/// How many are told of. A message has one author, or a few; nobody reads a hundred.
const MOST: usize = 100;

/// How much is looked through of what stands behind a header section without an empty line.
const BEHIND: usize = 64 * 1024;

/// One who is named in From.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Author {
    /// The display name, decoded; empty without one.
    pub name: String,
    /// The address, without angle brackets, comments and white space, its domain in lower case;
    /// empty where there is none.
    pub address: String,
}

/// Whether all mail readers agree about whom From names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FromClarity {
    /// They do.
    #[default]
    Unequivocal,
    /// They may not; every domain that one of them could show has been judged.
    Equivocal,
    /// Nobody can tell all that they could show, or they show no address.
    Unreadable,
}

/// How From reads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FromFact {
    /// Whether all readers agree.
    pub clarity: FromClarity,
    /// Every domain that a reader could show as the author's, in lower-case A-labels, each once.
    pub domains: Vec<String>,
    /// In what they may differ; none where they agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

/// The authors, and how clear it is who they are.
#[derive(Debug, Default)]
pub(crate) struct Authors {
    pub(crate) listed: Vec<Author>,
    pub(crate) from: FromFact,
}

/// Reads every From field, of which `most` domains may be judged. `shown` is the message as it goes
/// on, where that is another.
pub(crate) async fn read_authors(
    message: &Message,
    shown: Option<&Message>,
    most: usize,
) -> Authors {
    let mut bodies = bodies(message).await;
    if let Some(shown) = shown {
        let others = self::bodies(shown).await;
        if others != bodies {
            bodies.extend(others);
        }
    }
    authors(&read(bodies), most)
}

async fn bodies(message: &Message) -> Vec<Vec<u8>> {
    if !message.ends_in_no_field() {
        return from_bodies(message);
    }
    let message = message.clone();
    let bodies = tokio::task::spawn_blocking(move || from_bodies(&message));
    bodies.await.unwrap_or_default()
}

/// The bodies of all fields that some reader could take for From: with other characters in the
/// name, on a line above the first field, or behind a line that is no field.
///
/// Where the header section ends in no empty line it reads the beginning of the body, which may be
/// on disk.
pub fn from_bodies(message: &Message) -> Vec<Vec<u8>> {
    bodies_shown_as(message, &["From"])
}

/// As [`from_bodies`], of the fields that some reader could take for one of these names.
pub fn bodies_shown_as(message: &Message, names: &[&str]) -> Vec<Vec<u8>> {
    let fields = message.fields();
    let fields = fields.filter(|field| is_one_of(field.name_raw(), names));
    let mut bodies: Vec<Vec<u8>> = fields.map(|field| field.body_raw().to_vec()).collect();
    bodies.extend(hidden_in(above_the_first(message.head()), names));
    if message.ends_in_no_field() {
        let mut behind = vec![0; BEHIND];
        let length = message.body().read_at(0, &mut behind).unwrap_or(0);
        behind.truncate(length);
        bodies.extend(hidden_in(&behind, names));
    }
    bodies
}

fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|usual| is_shown_as(name, usual))
}

fn authors(reading: &Reading, most: usize) -> Authors {
    let listed = reading.mailboxes().iter().take(MOST);
    let listed = listed.map(|mailbox| Author {
        name: decoded(&mailbox.name),
        address: mailbox
            .address
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    });
    Authors {
        listed: listed.collect(),
        from: from_fact(reading, most),
    }
}

fn from_fact(reading: &Reading, most: usize) -> FromFact {
    let mut domains: Vec<String> = Vec::new();
    let mut nameless = false;
    for domain in reading.domains() {
        match host(domain) {
            Some(host) if domains.contains(&host) => {}
            Some(host) => domains.push(host),
            None => nameless = true,
        }
        if domains.len() > most {
            break;
        }
    }
    let doubt = reading.doubt().map(|doubt| match doubt {
        Doubt::NoField => "there is no From field".to_owned(),
        Doubt::SeveralFields => "there are several From fields".to_owned(),
        other => format!("From has {other}"),
    });
    let (clarity, doubt) = match reading.clarity() {
        // RFC 9989 section 11.5: where not all are judged, nothing is known.
        _ if domains.len() > most => {
            domains.truncate(most);
            let doubt = format!("From has addresses of more than {most} domains");
            (FromClarity::Unreadable, Some(doubt))
        }
        _ if nameless => {
            let doubt = "From has an address whose domain the DNS cannot have";
            (FromClarity::Unreadable, Some(doubt.to_owned()))
        }
        Clarity::Unequivocal => (FromClarity::Unequivocal, doubt),
        Clarity::Equivocal => (FromClarity::Equivocal, doubt),
        Clarity::Unreadable => (FromClarity::Unreadable, doubt),
    };
    FromFact {
        clarity,
        domains,
        doubt,
    }
}

/// A domain in lower-case A-labels, as the DNS may have it.
fn host(domain: &str) -> Option<String> {
    let ascii = domain_to_ascii(domain)?.to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
    };
    (ascii.len() <= 253 && ascii.split('.').all(is_label)).then_some(ascii)
}

/// A display name with its encoded words decoded.
fn decoded(name: &str) -> String {
    if !name.contains("=?") {
        return name.to_owned();
    }
    let line = format!("{name}\n");
    let text = MessageStream::new(line.as_bytes()).parse_unstructured();
    text.as_text().unwrap_or(name).trim().to_owned()
}

/// The lines above the first field, which belong to none; other readers see fields in them.
fn above_the_first(head: &[u8]) -> &[u8] {
    let mut length = 0;
    for line in head.split_inclusive(|octet| *octet == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            break;
        }
        length += line.len();
    }
    &head[..length]
}

/// The bodies of fields of these names among lines, up to an empty one, as a careless reader finds
/// them.
fn hidden_in(lines: &[u8], names: &[&str]) -> impl Iterator<Item = Vec<u8>> + use<> {
    let lines = lines.split_inclusive(|octet| *octet == b'\n');
    let lines = lines.take_while(|line| !matches!(*line, b"\r\n" | b"\n"));
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut continues = false;
    for line in lines {
        let colon = line.iter().position(|octet| *octet == b':');
        let body = colon
            .filter(|colon| is_one_of(&line[..*colon], names))
            .map(|colon| line[colon + 1..].to_vec());
        match (body, found.last_mut()) {
            (Some(body), _) => {
                found.push(body);
                continues = true;
            }
            (None, Some(last)) if continues && matches!(line, [b' ' | b'\t', ..]) => {
                last.extend_from_slice(line);
            }
            _ => continues = false,
        }
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    async fn of(message: &str) -> Authors {
        read_authors(
            &Message::from_bytes(Bytes::from(message.to_owned())),
            None,
            5,
        )
        .await
    }

    #[tokio::test]
    async fn all_of_them_are_told_apart() {
        let authors = of("From: \"ann@bank.example\" <ann@sender.example>\r\n\
                    To: x@y.example\r\n\
                    from: Group: =?utf-8?q?J=C3=BCrgen?= <j@a.example>, b@b.example;\r\n\
                    From: Nobody\r\n\
                    From:\r\n\r\n")
        .await;
        let told: Vec<_> = authors
            .listed
            .iter()
            .map(|author| (author.name.as_str(), author.address.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("ann@bank.example", "ann@sender.example"),
                ("Jürgen", "j@a.example"),
                ("", "b@b.example"),
                ("Nobody", ""),
            ]
        );
    }

    #[tokio::test]
    async fn a_flood_of_them_is_cut() {
        let many: String = (0..1000).map(|n| format!("a{n}@b.example,")).collect();
        let authors = of(&format!("From: {many}\r\n\r\n")).await;
        assert_eq!(authors.listed.len(), MOST);
        assert_eq!(authors.from.clarity, FromClarity::Unreadable);
    }

    #[tokio::test]
    async fn domains_are_those_of_the_dns() {
        let authors =
            of("From: a@B\u{fc}cher.example, b@[192.0.2.1], c@BUCH.example\r\n\r\n").await;
        assert_eq!(
            authors.from.domains,
            ["xn--bcher-kva.example", "buch.example"]
        );
        assert_eq!(authors.from.clarity, FromClarity::Unequivocal);
        let long = format!("From: a@{}.example\r\n\r\n", "a".repeat(64));
        assert_eq!(of(&long).await.from.clarity, FromClarity::Unreadable);
    }

    #[tokio::test]
    async fn a_from_that_is_none_to_us_is_one_to_others() {
        for message in [
            "From\u{c}: ceo@bank.example\r\nFrom: a@good.example\r\n\r\n",
            " From: ceo@bank.example\r\nFrom: a@good.example\r\n\r\n",
            "From: a@good.example\r\nno field\r\nFrom: ceo@\r\n bank.example\r\n\r\nbody",
            "From: a@good.example\r\nno field\r\nFrom: ceo@\r\n\tbank.example\r\n\r\nbody",
        ] {
            let from = of(message).await.from;
            assert!(
                from.domains.contains(&"bank.example".to_owned()),
                "{message}: {from:?}"
            );
            assert_eq!(from.clarity, FromClarity::Equivocal, "{message}");
        }
        let body = of("From: a@good.example\r\n\r\nFrom: ceo@bank.example\r\n").await;
        assert_eq!(body.from.domains, ["good.example"]);
    }
}
