//! What people know of a message, for the trace: by that they find its transaction again.

use gatepost_mailboxes::mailboxes;
use gatepost_message::{Address, Message, Millis, without_brackets};
use gatepost_model::{Flow, Transaction};
use gatepost_trace::TracedMessage;
use mail_parser::MessageParser;

use super::Pipeline;

/// Most recipients that are noted of a transaction, refused ones included.
pub(super) const MOST_NAMED: usize = 100;

/// Most octets of a subject that are decoded.
const LONGEST_SUBJECT: usize = 4 << 10;

/// Most characters of a subject that are kept.
const SUBJECT_KEPT: usize = 500;

/// Notes a message in the trace. `named` are the recipients of its envelope, refused ones included;
/// a transaction that ended before its message has no `message`.
pub(super) fn note(
    pipeline: &Pipeline,
    transaction: &Transaction,
    named: &[Address],
    message: Option<(&Message, Option<&str>)>,
    outcome: &'static str,
) {
    let lower = |address: &Address| address.as_str().to_lowercase();
    let text = |name: &str| message.and_then(|(message, _)| message.header(name));
    let message_id = text("Message-ID").unwrap_or_default();
    let author =
        text("From").and_then(|from| mailboxes(from).into_iter().find_map(|of| of.address));
    let author = author.map(|address| address.to_string().to_lowercase());
    pipeline.trace.message(TracedMessage {
        id: transaction.id,
        at: Millis::now(),
        account: transaction.account.clone(),
        flow: match transaction.session.flow {
            Flow::Inbound => "inbound",
            Flow::Submission => "submission",
            Flow::Internal => "internal",
        }
        .to_owned(),
        sender: transaction
            .reverse_path
            .address()
            .map_or_else(String::new, lower),
        author: author.unwrap_or_default(),
        recipients: named.iter().map(lower).collect(),
        message_id: without_brackets(&message_id).to_owned(),
        subject: text("Subject").map_or_else(String::new, |subject| decoded(&subject)),
        metadata: message.and_then(|(_, metadata)| metadata.map(str::to_owned)),
        outcome: outcome.to_owned(),
    });
}

/// Returns a subject with its encoded words decoded (RFC 2047), in one line.
fn decoded(subject: &str) -> String {
    let end = subject.floor_char_boundary(LONGEST_SUBJECT);
    let field = format!(
        "Subject: {}\r\n\r\n",
        subject[..end].replace(['\r', '\n'], " ")
    );
    let parsed = MessageParser::new().parse_headers(field.as_bytes());
    let text = parsed.as_ref().and_then(|message| message.subject());
    let text = text.unwrap_or(&subject[..end]).trim();
    let plain = |character: char| match character.is_control() {
        true => ' ',
        false => character,
    };
    text.chars().map(plain).take(SUBJECT_KEPT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_decoded_into_one_line_and_bounded() {
        assert_eq!(
            decoded("=?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?B?IGF1cyBL?=\r\n plain"),
            "Grüße aus K plain"
        );
        assert_eq!(decoded(""), "");
        assert_eq!(decoded("=?utf-8?Q?a=0Ab?="), "a b");
        assert_eq!(decoded(&"ä".repeat(10_000)).chars().count(), SUBJECT_KEPT);
    }
}
