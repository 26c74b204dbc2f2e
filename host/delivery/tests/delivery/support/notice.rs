//! A strict reader of notices: by mail-parser as a mail reader sees them, and by RFC 6522 and RFC
//! 3464 as a machine does.

use mail_parser::{HeaderValue, MessageParser, MimeHeaders, PartType};

/// Fields allowed for the message (RFC 3464 section 2.2); true if one is required.
const OF_MESSAGE: [(&str, bool); 6] = [
    ("Original-Envelope-Id", false),
    ("Reporting-MTA", true),
    ("DSN-Gateway", false),
    ("Received-From-MTA", false),
    ("Arrival-Date", false),
    ("X-Gatepost-Transaction", false),
];

/// Fields allowed for a recipient (section 2.3); true if one is required.
const OF_RECIPIENT: [(&str, bool); 9] = [
    ("Original-Recipient", false),
    ("Final-Recipient", true),
    ("Action", true),
    ("Status", true),
    ("Remote-MTA", false),
    ("Diagnostic-Code", false),
    ("Last-Attempt-Date", false),
    ("Final-Log-ID", false),
    ("Will-Retry-Until", false),
];

type Fields = Vec<(String, String)>;

/// A notice that keeps all rules.
#[derive(Debug)]
pub struct Notice {
    header: Fields,
    /// Part for people, decoded.
    pub text: String,
    pub status_type: String,
    message: Fields,
    pub recipients: Vec<Fields>,
    pub returned_type: String,
    /// Returned part, decoded.
    pub returned: Vec<u8>,
}

impl Notice {
    /// Reads a notice, and checks it.
    #[track_caller]
    pub fn read(octets: &[u8]) -> Self {
        for line in octets.split(|octet| *octet == b'\n') {
            assert!(line.len() <= 999, "a line of {} octets", line.len());
            let bare = line.strip_suffix(b"\r").unwrap_or(line);
            assert!(!bare.contains(&b'\r') && !bare.contains(&0));
        }
        let parsed = MessageParser::default().parse(octets).expect("a message");
        let kind = parsed.content_type().expect("a type");
        assert_eq!(
            (kind.ctype(), kind.subtype()),
            ("multipart", Some("report"))
        );
        assert_eq!(kind.attribute("report-type"), Some("delivery-status"));
        assert!(parsed.date().is_some() && parsed.message_id().is_some());
        let parts = parsed.parts[0].sub_parts().expect("parts");
        assert_eq!(parts.len(), 3, "three parts");
        let part = |at: usize| &parsed.parts[parts[at] as usize];
        let kind_of = |at: usize| {
            let kind = part(at).content_type().expect("a type");
            format!("{}/{}", kind.ctype(), kind.subtype().expect("a subtype"))
        };
        assert_eq!(kind_of(0), "text/plain");
        let text = String::from_utf8(part(0).contents().to_vec()).expect("UTF-8");
        let status = String::from_utf8(part(1).contents().to_vec()).expect("UTF-8");
        if kind_of(1) == "message/delivery-status" {
            assert!(status.is_ascii(), "{status}");
        } else {
            assert_eq!(kind_of(1), "message/global-delivery-status");
        }
        let mut blocks = status.split("\r\n\r\n").filter(|block| !block.is_empty());
        let message = fields(blocks.next().expect("a block for the message"));
        check(&message, &OF_MESSAGE);
        let recipients: Vec<_> = blocks.map(fields).collect();
        assert!(!recipients.is_empty(), "no recipient");
        for recipient in &recipients {
            check(recipient, &OF_RECIPIENT);
        }
        let returned = match &part(2).body {
            PartType::Message(message) => message.raw_message().to_vec(),
            _ => part(2).contents().to_vec(),
        };
        let header = (parsed.headers().iter())
            .map(|header| {
                let value = match &header.value {
                    HeaderValue::Address(address) => {
                        let one = address.first().expect("an address");
                        let email = one.address().expect("an address");
                        match one.name() {
                            Some(name) => format!("{name} <{email}>"),
                            None => format!("<{email}>"),
                        }
                    }
                    HeaderValue::Text(text) => match header.name().to_ascii_lowercase().as_str() {
                        "message-id" | "in-reply-to" | "references" => format!("<{text}>"),
                        _ => text.to_string(),
                    },
                    _ => String::new(),
                };
                (header.name().to_owned(), value)
            })
            .collect();
        Self {
            header,
            text,
            status_type: kind_of(1),
            message,
            recipients,
            returned_type: kind_of(2),
            returned,
        }
    }

    /// Returns the value of a header field of the notice.
    pub fn header(&self, name: &str) -> &str {
        value(&self.header, name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// Returns a field of the message.
    pub fn message(&self, name: &str) -> &str {
        value(&self.message, name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// Returns a field of a recipient.
    pub fn recipient(&self, at: usize, name: &str) -> &str {
        value(&self.recipients[at], name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// Returns true if a recipient has such a field.
    pub fn has(&self, at: usize, name: &str) -> bool {
        value(&self.recipients[at], name).is_some()
    }

    pub fn returned_text(&self) -> &str {
        std::str::from_utf8(&self.returned).unwrap()
    }

    /// Returns the part for people with its lines joined (RFC 3676 section 4.2).
    pub fn joined(&self) -> String {
        self.text.replace(" \r\n> ", " ").replace(" \r\n", " ")
    }
}

fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields
        .iter()
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// Returns the fields of a block, unfolded.
fn fields(block: &str) -> Fields {
    let unfolded = block
        .trim_end()
        .replace("\r\n ", " ")
        .replace("\r\n\t", " ");
    let lines = unfolded.split("\r\n");
    lines
        .map(|line| {
            assert!(!line.contains(['\r', '\n']), "{line:?}");
            let (name, value) = line
                .split_once(':')
                .unwrap_or_else(|| panic!("no field: {line:?} in {block:?}"));
            assert!(
                name.bytes().all(|octet| octet.is_ascii_graphic()) && !name.is_empty(),
                "no field name: {name:?}"
            );
            (name.to_owned(), value.trim().to_owned())
        })
        .collect()
}

/// Checks the fields of a block against the allowed ones.
fn check(fields: &Fields, allowed: &[(&str, bool)]) {
    for (name, needed) in allowed {
        let times = fields.iter().filter(|(found, _)| found == name).count();
        assert!(times <= 1, "{name} comes {times} times");
        assert!(times == 1 || !needed, "{name} is missing from {fields:?}");
    }
    for (name, value) in fields {
        assert!(
            allowed.iter().any(|(known, _)| known == name),
            "no field {name}"
        );
        assert!(!value.is_empty(), "{name} is empty");
        let typed = |types: &[&str]| {
            let (kind, rest) = value.split_once(';').unwrap_or_else(|| panic!("{value}"));
            assert!(types.is_empty() || types.contains(&kind), "{name}: {value}");
            assert!(!rest.trim().is_empty(), "{name}: {value}");
        };
        match name.as_str() {
            "Reporting-MTA" | "Received-From-MTA" | "Remote-MTA" => typed(&["dns"]),
            "Final-Recipient" => typed(&["rfc822", "utf-8"]),
            "Original-Recipient" => typed(&[]),
            "Diagnostic-Code" => typed(&["smtp", "x-gatepost"]),
            "Action" => assert!(
                ["failed", "delayed", "delivered", "relayed"].contains(&value.as_str()),
                "{value}"
            ),
            "Status" => {
                value
                    .parse::<gatepost_smtp::EnhancedCode>()
                    .unwrap_or_else(|error| panic!("{error}"));
            }
            "Arrival-Date" | "Last-Attempt-Date" | "Will-Retry-Until" => {
                let date = format!("Date: {value}\r\n\r\n");
                let date = MessageParser::default().parse_headers(date.as_bytes());
                assert!(
                    date.is_some_and(|message| message.date().is_some()),
                    "{value}"
                );
                assert!(value.ends_with("+0000"), "{value}");
            }
            _ => {}
        }
    }
}
