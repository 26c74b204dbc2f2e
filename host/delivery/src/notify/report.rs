//! The part of a notice for machines (RFC 3464 section 2): one block of fields for the message, one
//! for each recipient.
//!
//! It is ASCII, unless SMTPUTF8 was used and an address needs it (RFC 6533); then it holds UTF-8 as
//! it is. Text of a server, a client or a policy becomes the value of one field: control characters
//! become spaces, and no line is longer than allowed.

use gatepost_message::{Address, address_literal, domain_to_ascii};
use gatepost_model::Flow;
use gatepost_smtp::Reply;
use gatepost_smtp::dsn::{OriginalRecipient, encode_unicode};
use mail_builder::headers::Header;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use super::returned::unencoded_part;
use super::{Action, NoticeContext, Original, ReportedRecipient};

/// Most octets of a reply that are quoted; a server may send a hundred lines.
pub(super) const QUOTED_REPLY: usize = 900;

/// Makes the part.
pub(super) fn part(original: Original<'_>, context: NoticeContext<'_>) -> MimePart<'static> {
    let international = original.smtputf8 && context.reported.iter().any(names_international);
    let mut report = Report {
        out: String::new(),
        international,
    };
    report.message(original, context);
    for reported in context.reported {
        report.out.push_str("\r\n");
        report.recipient(original, context, reported);
    }
    if international {
        // As text, so that it is encoded if a server accepts only ASCII.
        MimePart::new(
            ContentType::new("message/global-delivery-status").attribute("charset", "utf-8"),
            BodyPart::Text(report.out.into()),
        )
    } else {
        unencoded_part("message/delivery-status", "7bit", report.out.into_bytes())
    }
}

fn names_international(reported: &ReportedRecipient<'_>) -> bool {
    let original = reported.dsn.original.as_ref();
    !reported.recipient.is_ascii() || original.is_some_and(|original| !original.address.is_ascii())
}

struct Report {
    out: String,
    international: bool,
}

impl Report {
    /// Writes the fields of the message (section 2.2).
    fn message(&mut self, original: Original<'_>, context: NoticeContext<'_>) {
        if let Some(envelope_id) = &original.dsn.envelope_id {
            self.field("Original-Envelope-Id", envelope_id.as_str());
        }
        self.field("Reporting-MTA", &format!("dns; {}", context.hostname));
        let session = &original.transaction.session;
        // In a submission that is the author's own computer, which concerns nobody else.
        if let (Flow::Inbound, Some(helo), Some(client)) =
            (session.flow, &session.helo, session.client)
        {
            let literal = address_literal(client.ip());
            let from = match is_name(helo) {
                true => format!("dns; {helo} ({literal})"),
                false => format!("dns; {literal}"),
            };
            self.field("Received-From-MTA", &from);
        }
        self.field("Arrival-Date", &original.received_at.rfc5322());
        self.field(
            "X-Gatepost-Transaction",
            &original.transaction.id.to_string(),
        );
    }

    /// Writes the fields of a recipient (section 2.3).
    fn recipient(
        &mut self,
        original: Original<'_>,
        context: NoticeContext<'_>,
        reported: &ReportedRecipient<'_>,
    ) {
        if let Some(first) = &reported.dsn.original {
            self.original_recipient(first);
        }
        let address = self.address(reported.recipient);
        self.field("Final-Recipient", &address);
        self.field("Action", context.action.word());
        self.field("Status", &status(context.action, reported.reply));
        if let Some((server, _)) = reported.remote {
            self.field("Remote-MTA", &format!("dns; {}", name(server)));
        }
        // Section 2.3.6: only for a failure or a delay.
        if matches!(context.action, Action::Failed | Action::Delayed) {
            let diagnosis = match reported.remote {
                Some((_, reply)) => format!("smtp; {}", quote(reply)),
                // Not a server's reply, so it has no registered type.
                None => format!("x-gatepost; {}", quote(reported.reply)),
            };
            self.field("Diagnostic-Code", &diagnosis);
        }
        self.field("Last-Attempt-Date", &context.now.rfc5322());
        if context.action == Action::Delayed {
            self.field("Will-Retry-Until", &original.expires_at.rfc5322());
        }
    }

    /// Writes Original-Recipient (section 2.3.1), as the sender gave it.
    fn original_recipient(&mut self, first: &OriginalRecipient) {
        let address = match first.address_type.eq_ignore_ascii_case("utf-8") && !self.international
        {
            true => encode_unicode(&first.address),
            false => first.address.clone(),
        };
        self.field(
            "Original-Recipient",
            &format!("{}; {address}", first.address_type),
        );
    }

    /// Returns an address with its type (RFC 6533 section 3).
    fn address(&self, address: &Address) -> String {
        match (address.is_ascii(), self.international) {
            (true, _) => format!("rfc822; {address}"),
            (false, true) => format!("utf-8; {address}"),
            (false, false) => format!("utf-8; {}", encode_unicode(address.as_str())),
        }
    }

    /// Writes one field, folded.
    fn field(&mut self, name: &str, value: &str) {
        let plain = |c: char| match c {
            c if c.is_control() => ' ',
            c if c.is_ascii() || self.international => c,
            _ => '?',
        };
        let value: String = value.chars().map(plain).collect();
        let mut folded = Vec::new();
        Raw::new(value.trim()).write_header(&mut folded, name.len() + 2);
        self.out.push_str(name);
        self.out.push_str(": ");
        self.out.push_str(&String::from_utf8_lossy(&folded));
    }
}

/// Returns the value of the Status field: the enhanced code, or the class alone if the server gave
/// no code that fits (RFC 3463 section 3.1).
pub(super) fn status(action: Action, reply: &Reply) -> String {
    let class = match action {
        Action::Failed => 5,
        Action::Delayed => 4,
        Action::Relayed | Action::Delivered | Action::Suppressed => 2,
    };
    match reply.enhanced() {
        Some(code) if code.class() == class => code.to_string(),
        _ => format!("{class}.0.0"),
    }
}

/// Returns a reply in one line, with a bounded length.
pub(super) fn quote(reply: &Reply) -> String {
    let mut text = reply.to_string();
    text.truncate(text.floor_char_boundary(QUOTED_REPLY));
    text
}

/// Returns true if a client's HELO argument is a host name or an address literal, so that it cannot
/// carry a message to a reader.
fn is_name(helo: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    (1..=255).contains(&helo.len()) && helo.chars().all(plain)
}

/// Returns a server's name as in the DNS, or as an address literal.
fn name(server: &str) -> String {
    match server.parse() {
        Ok(ip) => address_literal(ip),
        Err(_) => domain_to_ascii(server).unwrap_or_else(|| server.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_any_script_have_an_ascii_form() {
        assert_eq!(encode_unicode("ann+x@a.example"), r"ann\x{2B}x@a.example");
        assert_eq!(
            encode_unicode("josé@é.example"),
            r"jos\x{E9}@\x{E9}.example"
        );
        assert_eq!(encode_unicode("\u{1F4EC}"), r"\x{1F4EC}");
    }

    #[test]
    fn a_server_is_named_as_the_dns_names_it() {
        assert_eq!(name("mx.example"), "mx.example");
        assert_eq!(name("bücher.example"), "xn--bcher-kva.example");
        assert_eq!(name("192.0.2.1"), "[192.0.2.1]");
        assert_eq!(name("2001:db8::1"), "[IPv6:2001:db8::1]");
    }

    #[test]
    fn the_status_is_of_the_class_of_the_action() {
        let reply = Reply::new(450, "4.2.1", "busy");
        assert_eq!(status(Action::Delayed, &reply), "4.2.1");
        assert_eq!(status(Action::Failed, &reply), "5.0.0");
    }
}
