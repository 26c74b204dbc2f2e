//! Header changes to our messages on their way.
//!
//! The [trace](gatepost_trace::Sent) keeps for a while the headers of what is submitted. Then each
//! incoming message is examined, after the reply to its client:
//!
//! - It carries an email id of ours: it is a message of ours that was sent back whole, such as the
//!   probe of a domain.
//! - It is a report, or has a null reverse-path, and one of its parts is a message or its headers
//!   (RFC 3462, `message/rfc822` and `text/rfc822-headers`) with an email id of ours, or, where
//!   that was lost, a Message-ID of ours: it is a bounce.
//! - It names a Message-ID of ours in In-Reply-To or References: it is an answer, and shows only
//!   that the Message-ID has arrived.
//!
//! The returned headers are compared with those that the attempt sent, and counted for the domain
//! of From: `gatepost connector headers DOMAIN`. Of a signed message that comes back whole the body is compared as
//! well, by the hash in our signature: a server that alters it breaks the signature, which is on
//! record and does no harm. Whoever was sent a message can copy its ids into anything. So a
//! return counts only if it comes from a server that can have the message from us alone: the one
//! that we handed it to, or one of the customer's own. Such a return also tells the Message-ID that
//! a service has given the message in place of ours.

mod compare;
mod source;

use std::sync::Arc;

use gatepost_directory::View;
use gatepost_dns::Resolver;
use gatepost_message::{Message, Millis, TransactionId, bare_message_id, domain_to_ascii};
use gatepost_model::{Flow, Judgement, LearntId, Transaction};
use gatepost_reports::Returned;
use gatepost_spool::LearntIds;
use gatepost_trace::{CameBack, Change, Finding, Sent, Trace, TraceError, Travelled};
use gatepost_verification::addresses;

pub(crate) use self::source::ReturnSource;
use crate::look_ups::AccountView;

/// Headers that are compared on every message.
const STANDARD: [&str; 6] = ["From", "To", "Cc", "Reply-To", "Subject", "Message-ID"];

/// Most further headers that are compared.
const FURTHER: usize = 16;

/// Bytes of a body that are searched for the headers of a returned message.
const SEARCHED: u64 = 256 << 10;

/// Most Message-IDs of an answer that are looked up.
const ANSWERED: usize = 8;

/// Returns the headers of a submitted message after all edits; `None` for any other.
pub fn sent(
    transaction: &Transaction,
    message: &Message,
    judgements: &[Judgement],
) -> Option<Sent> {
    if transaction.session.flow != Flow::Submission {
        return None;
    }
    let account = transaction.account.clone()?;
    let domain = domain_of(message)?;
    // What policies protect has to arrive: the marks of header-guard.
    let protected = judgements.iter().flat_map(|of| &of.decision.protected);
    let protected = protected.map(|name| name.as_str()).take(FURTHER);
    let mut names: Vec<&str> = STANDARD.to_vec();
    for name in protected {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name);
        }
    }
    Some(Sent {
        id: transaction.id,
        at: transaction.time,
        account,
        domain,
        message_id: message.header("Message-ID").unwrap_or_default(),
        headers: Sent::headers_of(message, names),
    })
}

/// Records the form in which an attempt sent a submitted message, where it is another one: what comes
/// back is compared with that.
pub fn travelled(trace: &Trace, transaction: &Transaction, stored: &Message, sent: &Message) {
    let changed = stored.head() != sent.head();
    if transaction.session.flow != Flow::Submission || !changed {
        return;
    }
    if let Some(domain) = domain_of(sent) {
        trace.travelled(Travelled {
            id: transaction.id,
            domain,
            message: sent.clone(),
        });
    }
}

/// Returns the domain of the first author, in lower-case A-labels.
fn domain_of(message: &Message) -> Option<String> {
    let from = message.header("From")?;
    let author = addresses(&from).into_iter().next()?;
    let domain = domain_to_ascii(author.rsplit_once('@')?.1)?;
    Some(domain.to_ascii_lowercase())
}

/// Examines an incoming message, as it came, for a return of one of ours. Does its work in the
/// background.
pub fn examine(
    (trace, learnt): (&Arc<Trace>, &Arc<dyn LearntIds>),
    (accounts, resolver): (AccountView, Resolver),
    transaction: &Transaction,
    message: Message,
) {
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
    let source = ReturnSource::of(&transaction.session, accounts, resolver);
    let (trace, learnt) = (Arc::clone(trace), Arc::clone(learnt));
    let examined = tokio::task::spawn_blocking(move || {
        let found = match whole {
            Some(id) => came_back(&trace, &source, id, &message, true),
            None if reports => of_report(&trace, &source, &message),
            None => Ok(None),
        };
        match found {
            Ok(None) => of_answer(&trace, &answers),
            found => found,
        }
        .and_then(|found| {
            let Some(found) = found else {
                return Ok(None);
            };
            let given = given_id(&trace, &found);
            trace.came_back(found);
            given
        })
    });
    tokio::spawn(async move {
        match examined.await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(given))) => learn(&*learnt, given).await,
            Ok(Err(error)) => tracing::warn!(%error, "what came back cannot be compared"),
            Err(error) => tracing::warn!(%error, "what came back cannot be compared"),
        }
    });
}

/// Returns the Message-ID with which a message of ours came back, if it is not ours.
fn given_id(trace: &Trace, found: &CameBack) -> Result<Option<LearntId>, TraceError> {
    let mut findings = found.findings.iter();
    let finding = findings.find(|finding| {
        finding.header == "Message-ID"
            && matches!(finding.change, Change::Replaced | Change::Altered)
    });
    let ids = finding.and_then(|of| bare_message_id(&of.sent).zip(bare_message_id(&of.came)));
    let Some((ours, theirs)) = ids else {
        return Ok(None);
    };
    // The id of one message of ours does not become that of another.
    let is_of_ours = trace.sent_by_message_id(&format!("<{theirs}>"))?.is_some();
    Ok((!is_of_ours).then(|| LearntId {
        account: found.account.clone(),
        ours: ours.to_owned(),
        theirs: theirs.to_owned(),
        at: found.at,
    }))
}

/// Remembers an id that came back. One that a service told in its reply stays as it is.
async fn learn(learnt: &dyn LearntIds, given: LearntId) {
    if let Err(error) = learnt.learn(given).await {
        tracing::warn!(%error, "the Message-ID of a message that came back is not remembered");
    }
}

/// Returns the transaction of the first email id of ours in any header.
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

/// Returns the Message-IDs that a message answers, with their angle brackets.
pub fn answered(message: &Message) -> Vec<String> {
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
        if let Some(sent) = trace.sent_by_message_id(id)? {
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
    source: &ReturnSource,
    id: TransactionId,
    message: &Message,
    is_whole: bool,
) -> Result<Option<CameBack>, TraceError> {
    let sent = trace.sent_by_id(id)?;
    compared(trace, source, sent, message, (true, is_whole))
}

/// Compares a returned message with the one sent, if it comes from a server that can have it from
/// us alone.
fn compared(
    trace: &Trace,
    source: &ReturnSource,
    sent: Option<Sent>,
    came: &Message,
    (proved, is_whole): (bool, bool),
) -> Result<Option<CameBack>, TraceError> {
    let Some(sent) = sent else { return Ok(None) };
    if !source.has_received_it_from_us(trace, &sent)? {
        tracing::info!(
            id = %sent.id, client = ?source.client(),
            "what is said to have become of a message does not come from where it was sent"
        );
        return Ok(None);
    }
    let mut findings = compare::findings(&sent.headers, &STANDARD, came);
    if is_whole {
        findings.extend(compare::body(&sent.headers, came));
    }
    Ok(Some(CameBack {
        at: Millis::now(),
        findings,
        id: sent.id,
        account: sent.account,
        domain: sent.domain,
        proved,
    }))
}

/// Compares the original in a report with the message that we sent.
fn of_report(
    trace: &Trace,
    source: &ReturnSource,
    report: &Message,
) -> Result<Option<CameBack>, TraceError> {
    let returned = beginning(report).and_then(|octets| gatepost_reports::returned(&octets));
    let Some((returned, original)) = returned.and_then(|of| Some((of.message.clone()?, of))) else {
        return Ok(None);
    };
    match find(trace, source.view(), &original)? {
        Some((sent, by)) => {
            // Reports cut bodies short.
            let is_whole = false;
            compared(
                trace,
                source,
                Some(sent),
                &returned,
                (by == BY_EMAIL_ID, is_whole),
            )
        }
        None => Ok(None),
    }
}

/// Signs by which a message of ours is found.
const BY_EMAIL_ID: &str = "email-id";
const BY_MESSAGE_ID: &str = "message-id";

/// Finds the message of ours that a report returns, and by which sign: an email id of ours in the
/// header section, or the Message-ID.
pub(crate) fn find(
    trace: &Trace,
    view: &View,
    returned: &Returned,
) -> Result<Option<(Sent, &'static str)>, TraceError> {
    let id = returned.message.as_ref().and_then(|of| email_id(view, of));
    if let Some(id) = id {
        return Ok(trace.sent_by_id(id)?.map(|sent| (sent, BY_EMAIL_ID)));
    }
    let Some(message_id) = returned.message_id() else {
        return Ok(None);
    };
    let sent = match trace.sent_by_message_id(&message_id)? {
        None => {
            // It may have been sent this very moment.
            trace.flush()?;
            trace.sent_by_message_id(&message_id)?
        }
        found => found,
    };
    Ok(sent.map(|sent| (sent, BY_MESSAGE_ID)))
}

/// Returns the header section of a message, and the beginning of its body.
pub(crate) fn beginning(message: &Message) -> Option<Vec<u8>> {
    let mut octets = message.head().to_vec();
    let begin = octets.len();
    let length = message.body().len().min(SEARCHED);
    octets.resize(begin + usize::try_from(length).ok()?, 0);
    let mut filled = begin;
    while filled < octets.len() {
        let at = (filled - begin) as u64;
        match message.body().read_at(at, octets.get_mut(filled..)?) {
            Ok(0) | Err(_) => break,
            Ok(count) => filled += count,
        }
    }
    octets.truncate(filled);
    Some(octets)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn message(text: &str) -> Message {
        Message::from_bytes(Bytes::from(text.replace('\n', "\r\n")))
    }

    fn original(report: &Message) -> Option<Message> {
        gatepost_reports::returned(&beginning(report)?)?.message
    }

    #[test]
    fn finds_the_message_that_a_report_is_about() {
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
    fn finds_the_messages_that_are_answered() {
        let reply = message("References: <1@x> <2@x>\n <3@x>\nIn-Reply-To: <3@x> (your mail)\n\n");
        assert_eq!(answered(&reply), ["<3@x>", "<2@x>", "<1@x>"]);
    }
}
