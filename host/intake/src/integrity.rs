//! What became of the headers of our messages on the way.
//!
//! Of what is submitted the [trace](gatepost_trace::Sent) keeps for a while what its headers said.
//! Then each message that comes in is looked at, behind the reply to its client:
//!
//! - It carries an email id of ours: it is a message of ours that was sent back whole, such as the
//!   probe of a domain.
//! - It is a report, or has a null reverse-path, and one of its parts is a message or the headers
//!   of one (RFC 3462, `message/rfc822` and `text/rfc822-headers`) with an email id of ours, or,
//!   where that was lost, a Message-ID of ours: it is a bounce.
//! - It names a Message-ID of ours in In-Reply-To or References: it is an answer, and shows that the
//!   Message-ID has arrived, no more.
//!
//! What came back is compared with what was sent, and counted for the domain of From:
//! `gatepost connector headers DOMAIN`. Whoever was sent a message can copy its ids into anything.
//! So it counts only where it comes from a place that can have the message from us alone:
//! the server that we handed it to, or one of the customer's own.

mod compare;
mod place;

use std::sync::Arc;

use gatepost_directory::View;
use gatepost_message::{Message, Millis, TransactionId, domain_to_ascii};
use gatepost_model::{Flow, Judgement, Transaction};
use gatepost_trace::{CameBack, Change, Finding, Sent, Trace, TraceError};
use mail_parser::{Encoding, MessageParser, MimeHeaders as _, PartType};

use self::place::Place;
use crate::look_ups::Accounts;

/// Watched on every message.
const STANDARD: [&str; 6] = ["From", "To", "Cc", "Reply-To", "Subject", "Message-ID"];

/// The signatures of a message (RFC 6376).
const SIGNATURE: &str = "DKIM-Signature";

/// The most headers that are watched besides, and octets kept of one.
const FURTHER: usize = 16;
const LONGEST: usize = 2048;

/// Octets of a body in which the headers of a message that came back are looked for.
const LOOKED_AT: u64 = 256 << 10;

/// The most Message-IDs of an answer that are looked up.
const ANSWERED: usize = 8;

/// What a message says that is taken for submission, after all edits; `None` of any other.
pub fn sent(
    transaction: &Transaction,
    message: &Message,
    judgements: &[Judgement],
) -> Option<Sent> {
    if transaction.session.flow != Flow::Submission {
        return None;
    }
    let account = transaction.account.clone()?;
    let from = message.header("From")?;
    let domain = compare::addresses(&from).into_iter().next()?;
    let domain = domain_to_ascii(domain.rsplit_once('@')?.1)?;
    // What policies protect is what has to arrive: the marks of header-guard.
    let protected = judgements.iter().flat_map(|of| &of.decision.protected);
    let protected = protected.map(|name| name.as_str()).take(FURTHER);
    let mut names: Vec<&str> = STANDARD.to_vec();
    for name in protected {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name);
        }
    }
    let mut headers = Vec::new();
    for name in names {
        if let Some(value) = message.header(name) {
            headers.push((name.to_owned(), short(value)));
        }
    }
    let signatures = message.headers_named(SIGNATURE).into_iter().take(4);
    headers.extend(signatures.map(|value| (SIGNATURE.to_owned(), short(value))));
    Some(Sent {
        id: transaction.id,
        at: transaction.time,
        account,
        domain: domain.to_ascii_lowercase(),
        message_id: message.header("Message-ID").unwrap_or_default(),
        headers,
    })
}

fn short(mut value: String) -> String {
    if value.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| value.is_char_boundary(*end));
        value.truncate(end.unwrap_or(0));
    }
    value
}

/// Looks whether a message that has come in is one of ours, or tells of one. `message` is as it
/// came. Returns at once; nobody waits for what is found.
pub fn look(trace: &Arc<Trace>, accounts: Accounts, transaction: &Transaction, message: Message) {
    if transaction.session.flow != Flow::Inbound {
        return;
    }
    let view = &accounts.directory;
    let whole = email_id(view, &message);
    let reports = transaction.reverse_path.is_null() || is_report(&message);
    let answers = answered(&message);
    if whole.is_none() && !reports && answers.is_empty() {
        return;
    }
    let place = Place::of(&transaction.session, accounts);
    let trace = Arc::clone(trace);
    let looked = tokio::task::spawn_blocking(move || {
        let found = match whole {
            Some(id) => came_back(&trace, &place, id, &message),
            None if reports => of_report(&trace, &place, &message),
            None => Ok(None),
        };
        match found {
            Ok(None) => of_answer(&trace, &answers),
            found => found,
        }
        .map(|found| {
            if let Some(found) = found {
                trace.came_back(found);
            }
        })
    });
    tokio::spawn(async move {
        match looked.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "what came back cannot be compared"),
            Err(error) => tracing::warn!(%error, "what came back cannot be compared"),
        }
    });
}

/// The transaction of the first email id of ours that a message carries, in whatever header.
fn email_id(view: &View, message: &Message) -> Option<TransactionId> {
    let mut fields = message.fields();
    fields.find_map(|field| {
        let body = field.body_raw().trim_ascii();
        // An id has no white space, and so is on a line of its own.
        let may_be = body.len() == View::EMAIL_ID_LENGTH;
        let text = may_be.then(|| str::from_utf8(body).ok()).flatten()?;
        view.issued(text)
    })
}

fn is_report(message: &Message) -> bool {
    let content = message.header("Content-Type").unwrap_or_default();
    content
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("multipart/report")
}

/// The Message-IDs to which it is an answer.
fn answered(message: &Message) -> Vec<String> {
    let mut ids = Vec::new();
    for name in ["In-Reply-To", "References"] {
        for value in message.headers_named(name) {
            // The last of References is the one that was answered (RFC 5322 section 3.6.4).
            for id in value.split_whitespace().rev().take(ANSWERED) {
                let id = id.to_owned();
                if id.starts_with('<') && !ids.contains(&id) && ids.len() < ANSWERED {
                    ids.push(id);
                }
            }
        }
    }
    ids
}

fn of_answer(trace: &Trace, answers: &[String]) -> Result<Option<CameBack>, TraceError> {
    for id in answers {
        if let Some(sent) = trace.sent_with(id)? {
            return Ok(Some(CameBack {
                at: Millis::now(),
                id: sent.id,
                account: sent.account,
                domain: sent.domain,
                proved: false,
                findings: vec![Finding {
                    header: "Message-ID".to_owned(),
                    change: Change::Answered,
                    sent: id.clone(),
                    came: id.clone(),
                }],
            }));
        }
    }
    Ok(None)
}

fn came_back(
    trace: &Trace,
    place: &Place,
    id: TransactionId,
    message: &Message,
) -> Result<Option<CameBack>, TraceError> {
    let sent = trace.sent_as(id)?;
    compared(trace, place, sent, message, true)
}

/// What became of a message that we sent, if it comes from a place that can have it from us alone.
fn compared(
    trace: &Trace,
    place: &Place,
    sent: Option<Sent>,
    came: &Message,
    proved: bool,
) -> Result<Option<CameBack>, TraceError> {
    let Some(sent) = sent else { return Ok(None) };
    if !place.has_it_from_us(trace, &sent)? {
        tracing::info!(
            id = %sent.id, client = %place.client(),
            "what is said to have become of a message does not come from where it was sent"
        );
        return Ok(None);
    }
    Ok(Some(CameBack {
        at: Millis::now(),
        findings: compare::findings(&sent.headers, &STANDARD, came),
        id: sent.id,
        account: sent.account,
        domain: sent.domain,
        proved,
    }))
}

/// What the message says of ours that a report is about.
fn of_report(
    trace: &Trace,
    place: &Place,
    report: &Message,
) -> Result<Option<CameBack>, TraceError> {
    let Some(original) = original(report) else {
        return Ok(None);
    };
    if let Some(id) = email_id(place.view(), &original) {
        return came_back(trace, place, id, &original);
    }
    let Some(message_id) = original.header("Message-ID") else {
        return Ok(None);
    };
    let sent = match trace.sent_with(&message_id)? {
        None => {
            // It may have left this very moment.
            trace.flush()?;
            trace.sent_with(&message_id)?
        }
        found => found,
    };
    compared(trace, place, sent, &original, false)
}

/// The message, or the header section of it, that a report has as its part.
fn original(report: &Message) -> Option<Message> {
    let mut octets = report.head().to_vec();
    let begin = octets.len();
    let length = report.body().len().min(LOOKED_AT);
    octets.resize(begin + usize::try_from(length).ok()?, 0);
    let mut filled = begin;
    while filled < octets.len() {
        let at = (filled - begin) as u64;
        match report.body().read_at(at, octets.get_mut(filled..)?) {
            Ok(0) | Err(_) => break,
            Ok(count) => filled += count,
        }
    }
    octets.truncate(filled);
    let parsed = MessageParser::default().parse(&octets)?;
    parsed.parts.iter().find_map(|part| {
        let kind = part.content_type()?;
        let subtype = kind.subtype().unwrap_or_default().to_ascii_lowercase();
        let kind = kind.ctype().to_ascii_lowercase();
        match (kind.as_str(), subtype.as_str(), &part.body) {
            ("message", _, PartType::Message(message)) => {
                let decoded = message.raw_message();
                let begin = part.raw_body_offset() as usize;
                let end = part.raw_end_offset() as usize;
                // Where it was encoded, it has octets of its own.
                let raw = match part.encoding {
                    Encoding::None => octets.get(begin..end)?,
                    _ => decoded,
                };
                Some(Message::from_stored(raw))
            }
            ("message", "rfc822" | "global" | "global-headers", _)
            | ("text", "rfc822-headers", _) => Some(Message::from_stored(part.contents())),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn message(text: &str) -> Message {
        Message::from_bytes(Bytes::from(text.replace('\n', "\r\n")))
    }

    #[test]
    fn the_message_that_a_report_is_about() {
        for part in [
            "message/rfc822\n\nX-Mailer: ours\nSubject: s\n\nbody",
            "message/rfc822\n\nX-Mailer: ours\n\n",
            "text/rfc822-headers; charset=us-ascii\n\nX-Mailer: ours\nSubject: s\n",
            "Text/RFC822-Headers\nContent-Transfer-Encoding: base64\n\nWC1NYWlsZXI6IG91cnMKU3ViamVjdDogcwo=",
        ] {
            let report = message(&format!(
                "Content-Type: multipart/report; boundary=b\n\n--b\n\nIt failed.\n--b\n\
                 Content-Type: {part}\n--b--\n"
            ));
            let original = original(&report).expect(part);
            assert_eq!(
                original.header("X-Mailer").as_deref(),
                Some("ours"),
                "{part}"
            );
        }
        let plain = message("Subject: s\n\nX-Mailer: ours\n");
        assert!(original(&plain).is_none());
    }

    #[test]
    fn the_messages_that_are_answered() {
        let reply = message("References: <1@x> <2@x>\n <3@x>\nIn-Reply-To: <3@x> (your mail)\n\n");
        assert_eq!(answered(&reply), ["<3@x>", "<2@x>", "<1@x>"]);
    }
}
