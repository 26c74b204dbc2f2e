//! The fields by which those downstream learn what the relay made of a message: which may not
//! come from outside, and what is written.
//!
//! Everything that might be taken for ours goes before any policy sees the message, whichever way
//! it travels: the fields of `[headers]`, however their names are dressed up, and each
//! Authentication-Results that is not strictly another's (RFC 8601 section 5). It is removed and
//! not refused: nobody means it well, and what else the message says is for policies to judge. A
//! submission alone may say why it is sent; and where it goes to another account of this relay,
//! that is taken off as it leaves. When all is decided, what was gathered and what was said goes
//! on top of inbound mail.
//!
//! What a reader might find where no field stands is taken from it, too: indented lines above the
//! first field that read like one of ours go. Behind a line that is no field everything is body, of
//! which nothing can be taken: a message with a field of ours there is refused, and any other gets
//! an empty line in front of that line, so that it is body for everybody.

use std::io;

use gatepost_authentication::{Facts, Stamp, claims_authserv_id};
use gatepost_message::{Edit, Field, FieldBody, FieldError, FieldName, Message, TolerantNames};
use gatepost_model::{Flow, Transaction};
use gatepost_policy::{Findings, Reserved};
use gatepost_smtp::Reply;

use crate::edits::reasons;
use crate::ownership::{Ownership, RecipientOwner};
use gatepost_config::Config;

/// RFC 8601 section 2.
const AUTHENTICATION_RESULTS: &str = "Authentication-Results";

/// The longest line that tags are written on, where one tag does not need more.
const LINE: usize = 76;

/// The message without what might be taken for ours. Not a single octet of it changes besides.
pub fn cleared(config: &Config, flow: Flow, message: &Message) -> Message {
    let authserv_id = authserv_id(config);
    let ours = ours(config);
    let trigger = config.headers.trigger.0.as_str();
    let message = message.without_preamble_like(&ours);
    message.without(|field| {
        let by_right =
            is_anothers(field, authserv_id) || flow == Flow::Submission && field.is(trigger);
        field.holds_another(&ours) || field.may_be_read_as(&ours) && !by_right
    })
}

/// How much behind a line that is no field is searched: no reader takes more for a header section.
const SEARCHED: u64 = 256 << 10;

/// Refuses a message in which a reader might find a field of ours behind the line that ends its
/// header section and is no field.
///
/// # Errors
/// Those of reading the body.
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

/// The names of everything that is ours, or may be.
fn ours(config: &Config) -> TolerantNames {
    let named = config.headers.named().map(|(_, name)| name.as_str());
    TolerantNames::new(named.into_iter().chain([AUTHENTICATION_RESULTS]))
}

/// Whether it is what another host has found out, and nobody could think otherwise.
fn is_anothers(field: &Field<'_>, authserv_id: &str) -> bool {
    let body = || String::from_utf8_lossy(field.body_raw());
    field.is(AUTHENTICATION_RESULTS) && !claims_authserv_id(&body(), authserv_id)
}

/// What only the relay writes, whatever a policy wants.
pub fn reserved(config: &Config) -> Reserved {
    let headers = &config.headers;
    let own = [
        &headers.tags.0,
        headers.reasons.name(),
        &headers.auth.0,
        &headers.original_recipient.0,
    ];
    Reserved::new(own, authserv_id(config))
}

/// Who vouches in Authentication-Results.
pub fn authserv_id(config: &Config) -> &str {
    let own = config.authentication.authserv_id.as_ref();
    own.unwrap_or(&config.relay.hostname).as_ascii()
}

/// What is told downstream, to be put on top in this order. Of a submission nothing is; but where
/// it goes to an address of an account here, why its application sent it is taken off: what
/// account says to account is said in no name of the relay's.
///
/// # Errors
/// None in practice: what strangers say is written as tokens, or quoted.
pub fn edits(
    ownership: Ownership<'_>,
    transaction: &Transaction,
    facts: Option<&Facts>,
    said: &Findings,
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
    if !said.tags.is_empty() {
        edits.push(set(&headers.tags.0, &listed(&headers.tags.0, &said.tags))?);
    }
    if let Some(name) = headers.reasons.written() {
        let reasons = reasons::of(&said.judgements, &transaction.recipients);
        if !reasons.is_empty() {
            edits.push(set(name, &reasons::field_body(name, &reasons))?);
        }
    }
    let Some(facts) = facts else {
        // Where nobody has looked, nothing is said.
        return Ok(edits);
    };
    // As in the trace field: of several recipients none learns of another (RFC 5321 section 7.2).
    if let [only] = transaction.recipients.as_slice() {
        let recipient = only.to_ascii();
        let recipient = recipient.as_ref().unwrap_or(only);
        edits.push(set(&headers.original_recipient.0, recipient.as_str())?);
    }
    let session = &transaction.session;
    edits.push(set(&headers.auth.0, &in_short(facts))?);
    let stamp = Stamp {
        authserv_id: authserv_id(config),
        client: session.client.ip().to_canonical(),
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

/// `a, b, c`, folded, to stand behind this name.
fn listed(name: &FieldName, tags: &[String]) -> String {
    let mut text = String::new();
    let mut column = name.as_str().len() + 2;
    for tag in tags {
        if !text.is_empty() {
            // With the commas in front and behind.
            let folds = column + tag.len() + 3 > LINE;
            text.push_str(if folds { ",\r\n\t" } else { ", " });
            column = if folds { 8 } else { column + 2 };
        }
        text.push_str(tag);
        column += tag.len();
    }
    text
}

/// `spf=pass dkim=pass dmarc=pass arc=none iprev=pass`: the results alone, each method once.
fn in_short(facts: &Facts) -> String {
    format!(
        "spf={} dkim={} dmarc={} arc={} iprev={}",
        facts.spf.mailfrom.result.word(),
        facts.best_dkim().word(),
        facts.dmarc.result.word(),
        facts.arc.result.word(),
        facts.iprev.result.word()
    )
}
