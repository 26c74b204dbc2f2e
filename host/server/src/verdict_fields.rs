//! The fields by which those downstream learn what the relay made of a message: which may not
//! come from outside, and what is written.
//!
//! On inbound mail everything that claims to be ours goes before any policy sees the message: the
//! fields of `[headers]`, and each Authentication-Results of our authserv-id (RFC 8601 section 5).
//! When all is decided, what was gathered and what was said goes on top. A submission is the
//! application's own: it may say why it sends, and what leaves says nothing of ours.

use gatepost_authentication::{Facts, Stamp, claims_authserv_id};
use gatepost_message::{Edit, FieldBody, FieldError, FieldName, Message};
use gatepost_policy::{Flow, Transaction};

use crate::config::Config;

/// RFC 8601 section 2.
const AUTHENTICATION_RESULTS: &str = "Authentication-Results";

/// The longest line that tags are written on, where one tag does not need more.
const LINE: usize = 76;

/// The message without what claims to be ours. Not a single octet of it changes besides.
pub fn cleared(config: &Config, flow: Flow, message: &Message) -> Message {
    if flow == Flow::Submission {
        return message.clone();
    }
    let authserv_id = authserv_id(config);
    message.without(|field| {
        let claims = || {
            let body = String::from_utf8_lossy(field.body_raw());
            claims_authserv_id(&body, authserv_id)
        };
        let named = |name: &str| field.is(name);
        let of_ours = config.headers.named();
        of_ours.iter().any(|(_, name)| named(name.as_str()))
            || named(AUTHENTICATION_RESULTS) && claims()
    })
}

/// Who vouches in Authentication-Results.
pub fn authserv_id(config: &Config) -> &str {
    let own = config.authentication.authserv_id.as_ref();
    own.unwrap_or(&config.relay.hostname).as_ascii()
}

/// What is told downstream, to be put on top in this order.
///
/// # Errors
/// None in practice: what strangers say is written as tokens, or quoted.
pub fn edits(
    config: &Config,
    transaction: &Transaction,
    facts: Option<&Facts>,
    tags: &[String],
) -> Result<Vec<Edit>, FieldError> {
    if transaction.session.flow == Flow::Submission {
        return Ok(Vec::new());
    }
    let headers = &config.headers;
    let mut edits = Vec::new();
    if !tags.is_empty() {
        edits.push(set(&headers.tags.0, &listed(tags))?);
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

/// `a, b, c`, folded.
fn listed(tags: &[String]) -> String {
    let mut text = String::new();
    let mut column = 0;
    for tag in tags {
        if !text.is_empty() {
            let folds = column + tag.len() > LINE;
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
