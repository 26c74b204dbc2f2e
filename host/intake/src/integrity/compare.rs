//! Compares the headers that were sent with those that came back.

use gatepost_message::Message;
use gatepost_trace::{Change, Finding, SIGNATURE, shortened};
use gatepost_verification::{FieldChange, compare_body, compare_field, compare_signature};

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
        SIGNATURE => compare_signature(sent, &values),
        _ => compare_field(name, sent, values),
    };
    Finding {
        header: name.to_owned(),
        change: recorded(change),
        sent: sent.to_owned(),
        came: shortened(value),
    }
}

/// Compares the body with the hash in our signature, if there is one. Blocks where the body is in a
/// file.
pub(super) fn body(sent: &[(String, String)], came: &Message) -> Option<Finding> {
    let (_, signature) = sent.iter().find(|(name, _)| name == SIGNATURE)?;
    let (change, sent, came) = compare_body(signature, came)?;
    Some(Finding {
        header: "body".to_owned(),
        change: recorded(change),
        sent,
        came,
    })
}

fn recorded(change: FieldChange) -> Change {
    match change {
        FieldChange::Intact => Change::Intact,
        FieldChange::Lost => Change::Lost,
        FieldChange::Altered => Change::Altered,
        FieldChange::Replaced => Change::Replaced,
    }
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
