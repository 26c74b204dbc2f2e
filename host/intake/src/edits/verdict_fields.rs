//! Removes forged fields in the relay's name, and writes those that tell systems downstream its
//! verdict on a message.
//!
//! Fields that could be mistaken for ours are removed before any policy sees the message, in either
//! direction: those of `[headers]`, however their names are disguised, and each
//! Authentication-Results that is not strictly another host's (RFC 8601 section 5). The message is
//! not refused for them: policies judge the rest. Only a submission may carry a trigger field;
//! if it goes to another account of this relay, the field is removed as the message leaves. After
//! the decision, facts and verdicts are added on top of inbound mail. The [metadata](super::metadata)
//! of a submission are taken off before.
//!
//! Text that a reader might take for a field is removed as well: indented lines above the first
//! field that read like one of ours. After a line that is no field everything is body, from which
//! nothing can be removed: a message with a field of ours there is refused, and any other gets an
//! empty line in front of that line, so that it is body for every reader.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use gatepost_authentication::{Facts, Stamp, claims_authserv_id};
use gatepost_message::{
    Edit, Field, FieldBody, FieldError, FieldName, Message, TolerantNames, TransactionId,
};
use gatepost_model::{Flow, Transaction};
use gatepost_policy::{Findings, Reserved};
use gatepost_smtp::Reply;

use crate::edits::reasons;
use crate::ownership::{Ownership, RecipientOwner};
use gatepost_config::Config;

/// Name of the field (RFC 8601 section 2).
const AUTHENTICATION_RESULTS: &str = "Authentication-Results";

/// Longest line of tags, unless one tag needs more.
const LINE: usize = 76;

/// Returns the message without the fields that could be mistaken for ours. No other octet changes.
pub fn cleared(config: &Config, flow: Flow, message: &Message) -> Message {
    let authserv_id = authserv_id(config);
    let ours = ours(config);
    let trigger = config.headers.trigger.0.as_str();
    let message = message.without_preamble_like(&ours);
    message.without(|field| {
        let by_right =
            is_another_hosts(field, authserv_id) || flow == Flow::Submission && field.is(trigger);
        field.holds_another(&ours) || field.may_be_read_as(&ours) && !by_right
    })
}

/// Octets that are searched after a line that is no field: no header section is longer to a reader.
const SEARCHED: u64 = 256 << 10;

/// Refuses a message in which a reader might find a field of ours after a line that is no field and
/// so ends the header section.
///
/// # Errors
/// The body cannot be read.
pub fn refusal(config: &Config, message: &Message) -> io::Result<Option<Reply>> {
    if !message.ends_in_no_field() {
        return Ok(None);
    }
    let body = message.body();
    let mut lines = vec![0; usize::try_from(body.len().min(SEARCHED)).unwrap_or_default()];
    let mut filled = 0;
    while let Some(rest @ [_, ..]) = lines.get_mut(filled..) {
        match body.read_at(filled as u64, rest)? {
            0 => break,
            count => filled += count,
        }
    }
    lines.truncate(filled);
    Ok(ours(config).are_among(&lines).then(|| {
        let text = "A line that is no header field stands above fields in this relay's name";
        Reply::new(550, "5.6.0", text)
    }))
}

/// Returns the names of all fields that are ours, or may be.
fn ours(config: &Config) -> TolerantNames {
    let named = config.headers.named().map(|(_, name)| name.as_str());
    TolerantNames::new(named.into_iter().chain([AUTHENTICATION_RESULTS]))
}

/// Returns true for the results of another host that cannot be mistaken for ours.
fn is_another_hosts(field: &Field<'_>, authserv_id: &str) -> bool {
    let body = || String::from_utf8_lossy(field.body_raw());
    field.is(AUTHENTICATION_RESULTS) && !claims_authserv_id(&body(), authserv_id)
}

/// Returns the fields that only the relay writes, whatever a policy wants.
pub fn reserved(config: &Config) -> Reserved {
    let headers = &config.headers;
    let own = [
        &headers.tags.0,
        headers.reasons.name(),
        &headers.auth.0,
        &headers.original_recipient.0,
        &headers.in_reply_to_transaction.0,
        &headers.metadata.0,
    ];
    Reserved::new(own, authserv_id(config))
}

/// Returns the authserv-id of our Authentication-Results.
pub fn authserv_id(config: &Config) -> &str {
    let own = config.authentication.authserv_id.as_ref();
    own.unwrap_or(&config.relay.hostname).as_ascii()
}

/// Returns the edits that add the verdict on top, in this order. A submission gets none; but if it
/// goes to an address of an account here, its trigger field is removed: one account must not speak
/// to another in the relay's name.
///
/// # Errors
/// None in practice: strangers' text is written as tokens, or quoted.
pub fn edits(
    ownership: Ownership<'_>,
    transaction: &Transaction,
    facts: Option<&Facts>,
    findings: &Findings,
    answered: Option<TransactionId>,
) -> Result<Vec<Edit>, FieldError> {
    let config = ownership.config;
    if transaction.session.flow == Flow::Submission {
        let mut recipients = transaction.recipients.iter();
        let inside =
            recipients.any(|to| matches!(ownership.owner_of(to), RecipientOwner::Account(_)));
        let name = config.headers.trigger.0.clone();
        return Ok(Vec::from_iter(inside.then_some(Edit::Remove { name })));
    }
    let headers = &config.headers;
    let mut edits = Vec::new();
    if let Some(answered) = answered {
        edits.push(set(
            &headers.in_reply_to_transaction.0,
            &answered.to_string(),
        )?);
    }
    if !findings.tags.is_empty() {
        edits.push(set(
            &headers.tags.0,
            &listed(&headers.tags.0, &findings.tags),
        )?);
    }
    if let Some(name) = headers.reasons.written() {
        let reasons = reasons::of(&findings.judgements, &transaction.recipients);
        if !reasons.is_empty() {
            edits.push(set(name, &reasons::field_body(name, &reasons))?);
        }
    }
    let Some(facts) = facts else {
        // Without facts there are no results to write.
        return Ok(edits);
    };
    // As in the trace field: no recipient learns of another (RFC 5321 section 7.2).
    if let [only] = transaction.recipients.as_slice() {
        let recipient = only.to_ascii();
        let recipient = recipient.as_ref().unwrap_or(only);
        edits.push(set(&headers.original_recipient.0, recipient.as_str())?);
    }
    let session = &transaction.session;
    edits.push(set(&headers.auth.0, &results_results_in_short(facts))?);
    let stamp = Stamp {
        authserv_id: authserv_id(config),
        client: (session.client_ip()).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        sasl: session.user.as_deref(),
    };
    edits.push(Edit::Add {
        name: FieldName::new(AUTHENTICATION_RESULTS)?,
        body: FieldBody::new(&stamp.field_body(facts))?,
    });
    Ok(edits)
}

fn set(name: &FieldName, body: &str) -> Result<Edit, FieldError> {
    Ok(Edit::Set {
        name: name.clone(),
        body: FieldBody::new(body)?,
    })
}

/// Returns the tags as `a, b, c`, folded, for a field of this name.
fn listed(name: &FieldName, tags: &[String]) -> String {
    let mut text = String::new();
    let mut column = name.as_str().len() + 2;
    for tag in tags {
        if !text.is_empty() {
            // With the commas before and after it.
            let folds = column + tag.len() + 3 > LINE;
            text.push_str(if folds { ",\r\n\t" } else { ", " });
            column = if folds { 8 } else { column + 2 };
        }
        text.push_str(tag);
        column += tag.len();
    }
    text
}

/// Returns the results alone, each method once:
/// `spf=pass dkim=pass dmarc=pass arc=none iprev=pass`.
fn results_results_in_short(facts: &Facts) -> String {
    format!(
        "spf={} dkim={} dmarc={} arc={} iprev={}",
        facts.spf.mailfrom.result.word(),
        facts.best_dkim().word(),
        facts.dmarc.result.word(),
        facts.arc.result.word(),
        facts.iprev.result.word()
    )
}
