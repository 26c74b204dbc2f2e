//! The authors in From (RFC 5322 section 3.6.2), as any mail reader could show them.
//!
//! [`gatepost_mailboxes`] reads the fields. This module selects the fields, and the domains that
//! the DNS can be asked about.

use gatepost_mailboxes::{Clarity, Doubt, Reading, is_shown_as, read};
use gatepost_message::{Message, domain_to_ascii};
use mail_parser::parsers::MessageStream;

use crate::facts::{Author, FromClarity, FromFact};

/// Number of authors that are listed. A message has one author, or a few.
const MAX_LISTED: usize = 100;

/// Number of bytes that are searched behind a header section without an empty line.
const SEARCHED_BODY: usize = 64 * 1024;

/// Listed authors, and the clarity of From.
#[derive(Debug, Default)]
pub(crate) struct Authors {
    pub(crate) listed: Vec<Author>,
    pub(crate) from: FromFact,
}

/// Reads all From fields; at most `most` domains may be judged. `shown` is the message as it goes
/// on, if it is repaired.
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

/// Returns the bodies of all fields that some reader could take for From: with other characters in
/// the name, on a line above the first field, or behind a line that is no field.
///
/// If no empty line ends the header section, this reads the beginning of the body, which may be on
/// disk.
pub fn from_bodies(message: &Message) -> Vec<Vec<u8>> {
    bodies_shown_as(message, &["From"])
}

/// Returns the bodies, as [`from_bodies`] does, of the fields that some reader could take for one
/// of these names.
pub fn bodies_shown_as(message: &Message, names: &[&str]) -> Vec<Vec<u8>> {
    let fields = message.fields();
    let fields = fields.filter(|field| is_one_of(field.name_raw(), names));
    let mut bodies: Vec<Vec<u8>> = fields.map(|field| field.body_raw().to_vec()).collect();
    bodies.extend(fields_in(lines_above_first_field(message.head()), names));
    if message.ends_in_no_field() {
        let mut behind = vec![0; SEARCHED_BODY];
        let length = message.body().read_at(0, &mut behind).unwrap_or(0);
        behind.truncate(length);
        bodies.extend(fields_in(&behind, names));
    }
    bodies
}

fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|usual| is_shown_as(name, usual))
}

fn authors(reading: &Reading, most: usize) -> Authors {
    let listed = reading.mailboxes().iter().take(MAX_LISTED);
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
    let mut has_invalid_domain = false;
    for domain in reading.domains() {
        match dns_name(domain) {
            Some(name) if domains.contains(&name) => {}
            Some(name) => domains.push(name),
            None => has_invalid_domain = true,
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
        // RFC 9989 section 11.5: if not all domains are judged, the result is unknown.
        _ if domains.len() > most => {
            domains.truncate(most);
            let doubt = format!("From has addresses of more than {most} domains");
            (FromClarity::Unreadable, Some(doubt))
        }
        _ if has_invalid_domain => {
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

/// Returns a domain in lower-case A-labels; `None` if the DNS cannot have it.
fn dns_name(domain: &str) -> Option<String> {
    let ascii = domain_to_ascii(domain)?.to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    (ascii.len() <= 253 && ascii.split('.').all(is_label)).then_some(ascii)
}

/// Decodes the encoded words of a display name.
fn decoded(name: &str) -> String {
    if !name.contains("=?") {
        return name.to_owned();
    }
    let line = format!("{name}\n");
    let text = MessageStream::new(line.as_bytes()).parse_unstructured();
    text.as_text().unwrap_or(name).trim().to_owned()
}

/// Returns the lines above the first field. They belong to no field, but some readers see fields in
/// them.
fn lines_above_first_field(head: &[u8]) -> &[u8] {
    let mut length = 0;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            break;
        }
        length += line.len();
    }
    &head[..length]
}

/// Returns the bodies of fields of these names among lines, up to an empty line, as a careless
/// reader finds them.
fn fields_in(lines: &[u8], names: &[&str]) -> impl Iterator<Item = Vec<u8>> + use<> {
    let lines = lines.split_inclusive(|byte| *byte == b'\n');
    let lines = lines.take_while(|line| !matches!(*line, b"\r\n" | b"\n"));
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut continues = false;
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':');
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

    async fn authors_of(message: &str) -> Authors {
        read_authors(
            &Message::from_bytes(Bytes::from(message.to_owned())),
            None,
            5,
        )
        .await
    }

    #[tokio::test]
    async fn all_authors_of_all_from_fields_are_listed() {
        let authors = authors_of(
            "From: \"ann@bank.example\" <ann@sender.example>\r\n\
                    To: x@y.example\r\n\
                    from: Group: =?utf-8?q?J=C3=BCrgen?= <j@a.example>, b@b.example;\r\n\
                    From: Nobody\r\n\
                    From:\r\n\r\n",
        )
        .await;
        let names: Vec<_> = authors
            .listed
            .iter()
            .map(|author| (author.name.as_str(), author.address.as_str()))
            .collect();
        assert_eq!(
            names,
            [
                ("ann@bank.example", "ann@sender.example"),
                ("Jürgen", "j@a.example"),
                ("", "b@b.example"),
                ("Nobody", ""),
            ]
        );
    }

    #[tokio::test]
    async fn the_list_of_authors_is_cut_and_many_make_from_unreadable() {
        let many: String = (0..1000).map(|n| format!("a{n}@b.example,")).collect();
        let authors = authors_of(&format!("From: {many}\r\n\r\n")).await;
        assert_eq!(authors.listed.len(), MAX_LISTED);
        assert_eq!(authors.from.clarity, FromClarity::Unreadable);
    }

    #[tokio::test]
    async fn a_domain_that_the_dns_cannot_have_makes_from_unreadable() {
        let authors =
            authors_of("From: a@B\u{fc}cher.example, b@[192.0.2.1], c@BUCH.example\r\n\r\n").await;
        assert_eq!(
            authors.from.domains,
            ["xn--bcher-kva.example", "buch.example"]
        );
        assert_eq!(authors.from.clarity, FromClarity::Unequivocal);
        let long = format!("From: a@{}.example\r\n\r\n", "a".repeat(64));
        assert_eq!(
            authors_of(&long).await.from.clarity,
            FromClarity::Unreadable
        );
    }

    #[tokio::test]
    async fn a_from_field_that_only_other_readers_see_makes_from_equivocal() {
        for message in [
            "From\u{c}: ceo@bank.example\r\nFrom: a@good.example\r\n\r\n",
            " From: ceo@bank.example\r\nFrom: a@good.example\r\n\r\n",
            "From: a@good.example\r\nno field\r\nFrom: ceo@\r\n bank.example\r\n\r\nbody",
            "From: a@good.example\r\nno field\r\nFrom: ceo@\r\n\tbank.example\r\n\r\nbody",
        ] {
            let from = authors_of(message).await.from;
            assert!(
                from.domains.contains(&"bank.example".to_owned()),
                "{message}: {from:?}"
            );
            assert_eq!(from.clarity, FromClarity::Equivocal, "{message}");
        }
        let body = authors_of("From: a@good.example\r\n\r\nFrom: ceo@bank.example\r\n").await;
        assert_eq!(body.from.domains, ["good.example"]);
    }
}
