//! A draft that cannot be written as it is, is refused with the member that is wrong.

use gatepost_compose::{Draft, Setting, compose};
use gatepost_message::{FieldName, Millis};
use proptest::prelude::*;
use serde_json::{Value, json};

fn setting() -> Setting {
    let name = |name: &str| FieldName::new(name).unwrap_or_else(|error| panic!("{error}"));
    Setting {
        trigger: name("X-Gatepost-Trigger"),
        metadata: name("X-Gatepost-Metadata"),
        id: "0190".to_owned(),
        at: Millis(0),
    }
}

/// Returns the member that is refused of a draft with these members beside the usual ones.
fn refused(members: Value) -> String {
    let mut draft = json!({"from": "help@acme.example", "to": ["ann@a.example"], "text": "x"});
    if let (Value::Object(draft), Value::Object(members)) = (&mut draft, members) {
        draft.extend(members);
    }
    let draft: Draft = serde_json::from_value(draft).unwrap_or_else(|error| panic!("{error}"));
    match compose(&draft, &setting(), |_| None) {
        Ok(made) => panic!("{made:?}"),
        Err(error) => error.member,
    }
}

#[test]
fn each_member_that_is_wrong_is_named() {
    let file = |members: Value| {
        let mut file = json!({"name": "a.txt", "type": "text/plain", "base64": ""});
        if let (Value::Object(file), Value::Object(members)) = (&mut file, members) {
            file.extend(members);
        }
        json!({"files": [file]})
    };
    for (members, member) in [
        (json!({"from": null}), "from"),
        (json!({"to": []}), "to"),
        (json!({"bcc": vec!["b@b.example"; 1000]}), "to"),
        (json!({"text": null}), "text"),
        (json!({"subject": "a\r\nBcc: b@b.example"}), "subject"),
        (
            json!({"from": {"address": "a@b.example", "name": "a\nb"}}),
            "from",
        ),
        (
            json!({"cc": [{"address": "a@b.example", "name": "x".repeat(201)}]}),
            "cc[0]",
        ),
        (json!({"in-reply-to": "<a> <b>"}), "in-reply-to"),
        (json!({"references": ["<a@b>", "a b"]}), "references[1]"),
        (json!({"metadata": "a\nb"}), "metadata"),
        (json!({"headers": {"Bcc": "a@b.example"}}), "headers.Bcc"),
        (
            json!({"headers": {"content-type": "text/plain"}}),
            "headers.content-type",
        ),
        (
            json!({"headers": {"DKIM-Signature": "v=1"}}),
            "headers.DKIM-Signature",
        ),
        (
            json!({"headers": {"x-gatepost-trigger": "agent"}}),
            "headers.x-gatepost-trigger",
        ),
        (json!({"headers": {"X A": "b"}}), "headers.X A"),
        (json!({"headers": {"X-A": "b\r\nX-B: c"}}), "headers.X-A"),
        (file(json!({"name": ""})), "files[0].name"),
        (file(json!({"name": "../../etc/passwd"})), "files[0].name"),
        (file(json!({"type": "text"})), "files[0].type"),
        (
            file(json!({"type": "text/html; charset=x"})),
            "files[0].type",
        ),
        (file(json!({"type": "message/rfc822"})), "files[0].type"),
        (file(json!({"content-id": "a>b"})), "files[0].content-id"),
        (file(json!({"base64": "?"})), "files[0].base64"),
    ] {
        let shown = members.to_string();
        assert_eq!(refused(members), member, "{shown}");
    }
    let part = json!({"name": "a.txt", "part": "absent"});
    assert_eq!(refused(json!({"files": [part]})), "files[0].part");
}

proptest! {
    /// Whatever text a member has, it stays in the one field, and the fields are those that were asked for.
    #[test]
    fn no_text_makes_a_field_of_its_own(subject in ".{0,200}", name in ".{0,100}", value in ".{0,200}") {
        let draft = json!({
            "from": {"address": "help@acme.example", "name": name},
            "to": ["ann@a.example"], "subject": subject, "text": "x", "headers": {"X-A": value},
        });
        let draft: Draft = serde_json::from_value(draft)?;
        if let Ok(made) = compose(&draft, &setting(), |_| None) {
            let text = String::from_utf8_lossy(&made.octets).into_owned();
            let (head, _) = text.split_once("\r\n\r\n").ok_or(TestCaseError::fail("no head"))?;
            let fields = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
            let names: Vec<_> = fields.filter_map(|line| line.split(':').next()).collect();
            let mut expected = vec![
                "From", "Subject", "Date", "Message-ID", "To", "X-A", "MIME-Version", "Content-Type",
            ];
            expected.push("Content-Transfer-Encoding");
            prop_assert_eq!(names, expected, "{}", text);
        }
    }
}
