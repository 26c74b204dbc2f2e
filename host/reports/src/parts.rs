//! The parts of a message that may be a report.

use mail_parser::decoders::html::html_to_text;
use mail_parser::{Encoding, Message, MessagePart, MimeHeaders as _, PartType};

use crate::bounds::{MOST_PARTS, MOST_TEXT, text};
use crate::returned::Returned;

/// Field by which Exchange marks a journal's wrapper.
const JOURNAL: [&str; 3] = ["X-MS-Journal-Report", "X-MS-Journal", "X-Journal-Report"];

/// Parts of a message, by what they hold.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Text for people.
    pub(crate) text: String,
    /// Machine-readable reports on delivery.
    pub(crate) delivery: Vec<String>,
    /// Machine-readable report on the display to a reader.
    pub(crate) disposition: Option<String>,
    /// Machine-readable complaint.
    pub(crate) feedback: Option<String>,
    /// Returned message.
    pub(crate) returned: Option<Returned>,
    /// Message that a journal has wrapped.
    pub(crate) journaled: Option<Vec<u8>>,
    /// True if the message says that it is a report (RFC 6522).
    pub(crate) is_report: bool,
}

impl Parts {
    /// Sorts the parts of a message; `octets` are what it was parsed of.
    pub(crate) fn of(message: &Message<'_>, octets: &[u8]) -> Self {
        let mut parts = Self::default();
        let mut html = String::new();
        parts.is_report = is_report(message);
        let journal = is_journal(message);
        for part in message.parts.iter().take(MOST_PARTS) {
            parts.add(part, octets, &mut html, journal);
        }
        if parts.text.trim().is_empty() {
            parts.text = html_to_text(&html);
        }
        parts
    }

    fn add(&mut self, part: &MessagePart<'_>, octets: &[u8], html: &mut String, journal: bool) {
        let kind = part.content_type();
        let subtype = kind.and_then(|of| of.subtype()).unwrap_or("plain");
        let subtype = subtype.to_ascii_lowercase();
        let kind = kind.map_or("text", |of| of.ctype()).to_ascii_lowercase();
        match (kind.as_str(), subtype.as_str(), &part.body) {
            ("multipart", _, PartType::Multipart(_)) => {}
            (_, _, PartType::Message(message)) => {
                // If it was encoded, it has octets of its own.
                let raw = match part.encoding {
                    Encoding::None => {
                        let range = part.raw_body_offset() as usize..part.raw_end_offset() as usize;
                        octets.get(range)
                    }
                    _ => Some(message.raw_message()),
                };
                let raw = raw.unwrap_or_default();
                match journal {
                    true if self.journaled.is_none() => self.journaled = Some(raw.to_vec()),
                    _ => self.returns(raw),
                }
            }
            ("message", "rfc822" | "global" | "global-headers" | "rfc822-headers", _)
            | ("text", "rfc822-headers" | "rfc822" | "global-headers", _) => {
                self.returns(part.contents());
            }
            ("message", "disposition-notification" | "global-disposition-notification", _) => {
                self.disposition.get_or_insert_with(|| decoded(part));
            }
            ("message", "feedback-report", _) => {
                self.feedback.get_or_insert_with(|| decoded(part));
            }
            ("message", sub, _) if sub.contains("delivery-status") || sub == "deliverystatus" => {
                self.delivery.push(decoded(part));
            }
            ("text", "html", _) if html.is_empty() => html.push_str(&decoded(part)),
            ("text", "html", _) => {}
            ("text" | "message" | "application", _, _) => self.unnamed(&kind, decoded(part)),
            _ => {}
        }
    }

    fn returns(&mut self, raw: &[u8]) {
        if self.returned.is_none() && !raw.trim_ascii().is_empty() {
            self.returned = Some(Returned::of(raw));
        }
    }

    /// Sorts a part of another type by what is in it: programs on the way give parts other types.
    fn unnamed(&mut self, kind: &str, body: String) {
        let begins = |name: &str| {
            body.lines().take(400).any(|line| {
                let start = line.get(..name.len());
                start.is_some_and(|start| start.eq_ignore_ascii_case(name))
            })
        };
        let is_text = kind == "text";
        if (self.is_report || !is_text) && begins("Feedback-Type:") && begins("Version:") {
            self.feedback.get_or_insert(body);
        } else if (self.is_report || !is_text)
            && begins("Disposition:")
            && begins("Final-Recipient:")
        {
            self.disposition.get_or_insert(body);
        } else if begins("Final-Recipient:") && (begins("Action:") || begins("Status:")) {
            // The text of a message whose parts are not divided any more is both.
            if is_text && self.text.len() < MOST_TEXT {
                self.text.push_str(&body);
            }
            self.delivery.push(body);
        } else if is_text && self.text.len() < MOST_TEXT {
            if !self.text.is_empty() {
                self.text.push_str("\n\n");
            }
            self.text.push_str(&body);
        }
    }
}

/// Returns true if a message says that it is a report (RFC 6522).
pub(crate) fn is_report(message: &Message<'_>) -> bool {
    let is = |of: &str, word: &str| of.eq_ignore_ascii_case(word);
    message.content_type().is_some_and(|of| {
        is(of.ctype(), "multipart") && of.subtype().is_some_and(|sub| is(sub, "report"))
    })
}

/// Returns true if a journal has wrapped the message.
pub(crate) fn is_journal(message: &Message<'_>) -> bool {
    let mut names = JOURNAL.iter();
    names.any(|name| message.header_raw(*name).is_some())
}

/// Returns the text of a part, in Unicode.
fn decoded(part: &MessagePart<'_>) -> String {
    let whole = match &part.body {
        PartType::Text(text) | PartType::Html(text) => text.as_ref().to_owned(),
        _ => String::from_utf8_lossy(part.contents()).into_owned(),
    };
    text(&whole, MOST_TEXT).to_owned()
}
