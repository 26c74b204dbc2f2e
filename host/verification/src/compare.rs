//! Header fields as they were sent beside those that came back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_dkim::{Canonicalization, body_hash};
use gatepost_message::Message;
use mail_parser::MessageParser;
use serde::{Deserialize, Serialize};

use crate::token::decoded;

/// Change of a field on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldChange {
    /// It came back as it was sent.
    Intact,
    /// It did not come back.
    Lost,
    /// It came back with more or less than was sent.
    Altered,
    /// It came back with another value.
    Replaced,
}

/// Fields that hold mailboxes: their addresses count more than the names beside them.
const OF_MAILBOXES: [&str; 4] = ["From", "To", "Cc", "Reply-To"];

/// Compares a field with those of its name that came back; returns the change and the value that
/// came. Folds, encodings and white space do not count.
pub fn compare_field(name: &str, sent: &str, came: Vec<String>) -> (FieldChange, String) {
    let meant = meaning(sent);
    if let Some(same) = came.iter().find(|value| meaning(value) == meant) {
        return (FieldChange::Intact, same.clone());
    }
    let Some(first) = came.into_iter().next() else {
        return (FieldChange::Lost, String::new());
    };
    let (before, after) = (meant.to_lowercase(), meaning(&first).to_lowercase());
    let has_mailboxes = OF_MAILBOXES
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known));
    let kept = match has_mailboxes {
        // The display name has changed, but not the address.
        true => addresses(sent) == addresses(&first),
        false => {
            !before.is_empty()
                && !after.is_empty()
                && (after.contains(&before) || before.contains(&after))
        }
    };
    match kept {
        true => (FieldChange::Altered, first),
        false => (FieldChange::Replaced, first),
    }
}

/// Compares a signature with those that came back: servers on the way add their own, so it must be
/// among them.
pub fn compare_signature(sent: &str, came: &[String]) -> (FieldChange, String) {
    let squeezed = |value: &str| -> String { value.split_whitespace().collect() };
    if came.iter().any(|value| squeezed(value) == squeezed(sent)) {
        return (FieldChange::Intact, sent.to_owned());
    }
    let ours = came.iter().find(|value| signer(value) == signer(sent));
    match (ours, came.first()) {
        (Some(altered), _) => (FieldChange::Altered, altered.clone()),
        (None, Some(another)) => (FieldChange::Replaced, another.clone()),
        (None, None) => (FieldChange::Lost, String::new()),
    }
}

/// Compares a body with the hash in a signature; returns both hashes. `None` if the signature has
/// none of the form that the relay writes. Blocks where the body is in a file.
pub fn compare_body(signature: &str, came: &Message) -> Option<(FieldChange, String, String)> {
    let hash = tag(signature, "bh")?;
    let is_relaxed = tag(signature, "c").is_some_and(|forms| forms.ends_with("/relaxed"));
    let came = body_hash(came.body().as_ref(), Canonicalization::Relaxed).ok()?;
    let came = STANDARD.encode(came);
    let change = match came == hash {
        true => FieldChange::Intact,
        false => FieldChange::Altered,
    };
    is_relaxed.then_some((change, hash, came))
}

/// Returns domain and selector of a signature, in lower case.
pub(crate) fn signer(signature: &str) -> (Option<String>, Option<String>) {
    let lower = |name| tag(signature, name).map(|value| value.to_ascii_lowercase());
    (lower("d"), lower("s"))
}

/// Returns the value of a tag without its white space.
fn tag(value: &str, name: &str) -> Option<String> {
    let mut tags = value.split(';').filter_map(|tag| tag.split_once('='));
    let (_, value) = tags.find(|(tag, _)| tag.trim() == name)?;
    Some(value.split_whitespace().collect())
}

/// Returns a value as a reader sees it: encoded words decoded, white space as one space.
fn meaning(value: &str) -> String {
    let decoded = decoded(value);
    let words: Vec<&str> = decoded.split_whitespace().collect();
    words.join(" ")
}

/// Returns the addresses of a field's body, in lower case and in order.
pub fn addresses(value: &str) -> Vec<String> {
    let field = format!("From: {value}\r\n\r\n");
    let parsed = MessageParser::default().parse_headers(field.as_bytes());
    let from = parsed.as_ref().and_then(|parsed| parsed.from());
    let addresses = from.into_iter().flat_map(|from| from.iter());
    addresses
        .filter_map(|address| address.address().map(str::to_lowercase))
        .collect()
}
