//! Compares the headers that were sent with those that came back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_dkim::{Canonicalization, body_hash};
use gatepost_message::Message;
use gatepost_trace::{Change, Finding, SIGNATURE, shortened};
use mail_parser::MessageParser;

/// Returns the change of each header of `sent`, and the `standard` ones that were added.
pub(super) fn findings(
    sent: &[(String, String)],
    standard: &[&str],
    came: &Message,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = sent
        .iter()
        .map(|(name, value)| finding(name, value, came))
        .collect();
    for name in standard {
        let was_sent = sent.iter().any(|(sent, _)| sent.eq_ignore_ascii_case(name));
        if let Some(value) = came.header(name).filter(|_| !was_sent) {
            findings.push(Finding {
                header: (*name).to_owned(),
                change: Change::Added,
                sent: String::new(),
                came: shortened(value),
            });
        }
    }
    findings
}

fn finding(name: &str, sent: &str, came: &Message) -> Finding {
    let values = came.headers_named(name);
    let (change, value) = match name {
        SIGNATURE => signature(sent, values),
        _ => header(name, sent, values),
    };
    Finding {
        header: name.to_owned(),
        change,
        sent: sent.to_owned(),
        came: shortened(value),
    }
}

fn header(name: &str, sent: &str, came: Vec<String>) -> (Change, String) {
    let meant = meaning(sent);
    if let Some(same) = came.iter().find(|value| meaning(value) == meant) {
        return (Change::Intact, same.clone());
    }
    let Some(first) = came.into_iter().next() else {
        return (Change::Lost, String::new());
    };
    let (before, after) = (meant.to_lowercase(), meaning(&first).to_lowercase());
    let of_mailboxes = ["From", "To", "Cc", "Reply-To"];
    let kept = match of_mailboxes
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
    {
        // The display name has changed, but not the address.
        true => addresses(sent) == addresses(&first),
        false => {
            !before.is_empty()
                && !after.is_empty()
                && (after.contains(&before) || before.contains(&after))
        }
    };
    match kept {
        true => (Change::Altered, first),
        false => (Change::Replaced, first),
    }
}

/// Compares the body with the hash in our signature, if there is one. Blocks where the body is in a
/// file.
pub(super) fn body(sent: &[(String, String)], came: &Message) -> Option<Finding> {
    let (_, signature) = sent.iter().find(|(name, _)| name == SIGNATURE)?;
    let hash = tag(signature, "bh")?;
    let is_relaxed = tag(signature, "c").is_some_and(|forms| forms.ends_with("/relaxed"));
    let came = body_hash(came.body().as_ref(), Canonicalization::Relaxed).ok()?;
    let came = STANDARD.encode(came);
    is_relaxed.then(|| Finding {
        header: "body".to_owned(),
        change: match came == hash {
            true => Change::Intact,
            false => Change::Altered,
        },
        sent: hash,
        came,
    })
}

/// Returns the value of a tag without its white space.
fn tag(value: &str, name: &str) -> Option<String> {
    let mut tags = value.split(';').filter_map(|tag| tag.split_once('='));
    let (_, value) = tags.find(|(tag, _)| tag.trim() == name)?;
    Some(value.split_whitespace().collect())
}

/// Compares signatures: servers on the way add their own, so ours must be among those that came.
fn signature(sent: &str, came: Vec<String>) -> (Change, String) {
    let squeezed = |value: &str| -> String { value.split_whitespace().collect() };
    if came.iter().any(|value| squeezed(value) == squeezed(sent)) {
        return (Change::Intact, sent.to_owned());
    }
    let lower = |value: &str, name| tag(value, name).map(|value| value.to_ascii_lowercase());
    let whose = |value: &str| (lower(value, "d"), lower(value, "s"));
    let ours = came.iter().find(|value| whose(value) == whose(sent));
    match (ours, came.first()) {
        (Some(altered), _) => (Change::Altered, altered.clone()),
        (None, Some(another)) => (Change::Replaced, another.clone()),
        (None, None) => (Change::Lost, String::new()),
    }
}

/// Returns a value as a reader sees it: encoded words decoded, white space as one space. Refolding
/// and re-encoding do not change it.
fn meaning(value: &str) -> String {
    let field = format!("Subject: {value}\r\n\r\n");
    let parsed = MessageParser::default().parse_headers(field.as_bytes());
    let decoded = parsed.as_ref().and_then(|parsed| parsed.subject());
    let words: Vec<&str> = decoded.unwrap_or(value).split_whitespace().collect();
    words.join(" ")
}

/// Returns the addresses of a field's body, in lower case and in order.
pub(super) fn addresses(value: &str) -> Vec<String> {
    let field = format!("From: {value}\r\n\r\n");
    let parsed = MessageParser::default().parse_headers(field.as_bytes());
    let from = parsed.as_ref().and_then(|parsed| parsed.from());
    let addresses = from.into_iter().flat_map(|from| from.iter());
    addresses
        .filter_map(|address| address.address().map(str::to_lowercase))
        .collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn change(name: &str, sent: &str, came: &str) -> Change {
        let came = Message::from_bytes(Bytes::from(format!("{came}\r\n\r\n")));
        let sent = [(name.to_owned(), sent.to_owned())];
        findings(&sent, &[], &came)[0].change
    }

    #[test]
    fn classifies_the_change_of_a_header() {
        use Change::*;
        for (name, sent, came, expected) in [
            ("X-Mailer", "Gatepost Mailer", "X-Other: 1", Lost),
            (
                "X-Mailer",
                "Gatepost Mailer",
                "x-mailer:Gatepost\r\n\tMailer",
                Intact,
            ),
            ("X-Mailer", "Gatepost Mailer", "X-Mailer: Other", Replaced),
            ("X-Mailer", "Gatepost Mailer", "X-Mailer: ", Replaced),
            (
                "X-Mailer",
                "Gatepost Mailer",
                "X-Mailer: Other\r\nX-Mailer: Gatepost Mailer",
                Intact,
            ),
            (
                "Subject",
                "Your ticket",
                "Subject: [EXTERN] Your ticket",
                Altered,
            ),
            (
                "Subject",
                "=?utf-8?q?caf=C3=A9?= au lait",
                "Subject: =?utf-8?B?Y2Fmw6k=?= au lait",
                Intact,
            ),
            (
                "Subject",
                "=?utf-8?q?caf=C3=A9?=",
                "Subject: caf\u{e9}",
                Intact,
            ),
            (
                "From",
                "Support <a@x.example>",
                "From: \"Support\" <A@x.example>",
                Altered,
            ),
            (
                "From",
                "Support <a@x.example>",
                "From: Support <b@x.example>",
                Replaced,
            ),
            (
                "DKIM-Signature",
                "v=1; d=x.example; s=s; b=AB CD",
                "DKIM-Signature: v=1; d=other.example; s=t; b=x\r\nDKIM-Signature: v=1; d=x.example;\r\n s=s; b=A\r\n BCD",
                Intact,
            ),
            (
                "DKIM-Signature",
                "v=1; d=x.example; s=s; b=ABCD",
                "DKIM-Signature: v=1; d=X.example; s=s; b=EFGH",
                Altered,
            ),
            (
                "DKIM-Signature",
                "v=1; d=x.example; s=s; b=ABCD",
                "DKIM-Signature: v=1; d=y.example; s=s; b=EFGH",
                Replaced,
            ),
            (
                "DKIM-Signature",
                "v=1; d=x.example; s=s; b=ABCD",
                "X-Other: 1",
                Lost,
            ),
        ] {
            assert_eq!(change(name, sent, came), expected, "{sent} -> {came}");
        }
    }

    #[test]
    fn a_header_that_was_not_sent_is_added() {
        let came = Message::from_bytes(Bytes::from_static(b"Reply-To: a@x.example\r\n\r\n"));
        let found = findings(&[], &["Reply-To", "Cc"], &came);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].header.as_str(), found[0].change),
            ("Reply-To", Change::Added)
        );
    }
}
