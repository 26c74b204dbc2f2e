//! A draft becomes the message that its members describe.

#![allow(clippy::unwrap_used)] // clippy.toml lets tests unwrap, not their helpers

use bytes::Bytes;
use gatepost_compose::{Composed, Draft, Setting, compose};
use gatepost_message::{FieldName, Message, Millis};
use mail_parser::{MessageParser, MimeHeaders};
use serde_json::{Value, json};

fn setting() -> Setting {
    Setting {
        trigger: FieldName::new("X-Gatepost-Trigger").unwrap(),
        metadata: FieldName::new("X-Gatepost-Metadata").unwrap(),
        id: "0190".to_owned(),
        at: Millis(1_772_000_000_000),
    }
}

fn composed(draft: Value) -> Composed {
    let draft: Draft = serde_json::from_value(draft).unwrap();
    let file = |name: &str| (name == "photo").then(|| Bytes::from_static(b"\xff\xd8\x00photo"));
    compose(&draft, &setting(), file).unwrap()
}

#[test]
fn all_members_stand_in_the_message() {
    let made = composed(json!({
        "from": {"address": "help@acme.example", "name": "Zoë, of the Desk"},
        "to": ["ann@a.example", {"address": "bob@b.example", "name": "Bob"}],
        "cc": ["Ann@a.example"],
        "bcc": ["secret@c.example"],
        "reply-to": ["answers@acme.example"],
        "subject": "Ihre Frage – wir haben eine Antwort für Sie, die etwas länger ist als eine Zeile",
        "text": "Grüße\nund Dank\n",
        "html": "<p>Grüße <img src=\"cid:logo\"></p>",
        "files": [
            {"name": "logo.png", "type": "image/png", "content-id": "logo", "part": "photo"},
            {"name": "Übersicht.txt", "type": "text/plain", "base64": "SGVsbG8="},
        ],
        "in-reply-to": "<1@a.example>",
        "references": ["0@a.example", "<1@a.example>"],
        "trigger": "agent",
        "metadata": "{\"ticket\": 4711}",
        "headers": {"X-Ticket": "Nr. 4711 (größer)"},
    }));
    assert_eq!(made.author.as_str(), "help@acme.example");
    let recipients: Vec<_> = made.recipients.iter().map(ToString::to_string).collect();
    assert_eq!(
        recipients,
        [
            "ann@a.example",
            "bob@b.example",
            "Ann@a.example",
            "secret@c.example"
        ],
        "local parts may differ by case"
    );
    assert_eq!(made.message_id, "0190@acme.example");
    let text = String::from_utf8(made.octets.clone()).unwrap();
    assert!(!text.contains("secret@"), "{text}");
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "{text}");
    let message = MessageParser::new().parse(&made.octets).unwrap();
    let from = message.from().unwrap().first().unwrap();
    assert_eq!(from.name(), Some("Zoë, of the Desk"));
    assert_eq!(
        message.subject(),
        Some("Ihre Frage – wir haben eine Antwort für Sie, die etwas länger ist als eine Zeile")
    );
    assert_eq!(message.in_reply_to().as_text(), Some("1@a.example"));
    assert_eq!(
        message.references().as_text_list().unwrap(),
        ["0@a.example", "1@a.example"]
    );
    assert_eq!(
        message.body_text(0).unwrap().replace("\r\n", "\n"),
        "Grüße\nund Dank\n"
    );
    assert!(message.body_html(0).unwrap().contains("cid:logo"));
    assert_eq!(
        message.header("X-Ticket").unwrap().as_text(),
        Some("=?utf-8?Q?Nr._4711_(gr=C3=B6=C3=9Fer)?=")
    );
    assert_eq!(
        message.header("X-Gatepost-Trigger").unwrap().as_text(),
        Some("agent")
    );
    let names: Vec<_> = message
        .attachments()
        .map(|of| of.attachment_name())
        .collect();
    assert_eq!(names, [Some("logo.png"), Some("Übersicht.txt")]);
    let logo = message.attachments().next().unwrap();
    assert_eq!(
        (logo.contents(), logo.content_id()),
        (&b"\xff\xd8\x00photo"[..], Some("logo"))
    );
    assert_eq!(message.attachments().nth(1).unwrap().contents(), b"Hello");
    let kinds = message.parts.iter().filter_map(|part| {
        let of = part.content_type()?;
        Some(format!("{}/{}", of.ctype(), of.subtype().unwrap()))
    });
    let kinds: Vec<_> = kinds.collect();
    assert_eq!(
        kinds,
        [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            "image/png",
            "text/plain"
        ]
    );
}

#[test]
fn metadata_is_read_back_as_it_was_given() {
    for metadata in [
        "{\"ticket\": 4711, \"name\": \"Zoë\"}".to_owned(),
        "a  b ".repeat(150),
    ] {
        let made = composed(json!({
            "from": "help@acme.example", "to": ["ann@a.example"], "text": "x", "metadata": metadata,
        }));
        let message = Message::from_bytes(Bytes::from(made.octets));
        let field = message.named("X-Gatepost-Metadata").next().unwrap();
        assert_eq!(field.unfolded(), metadata.trim());
    }
}

#[test]
fn an_answer_without_references_names_the_message_that_it_answers() {
    let made = composed(json!({
        "from": "help@acme.example", "to": ["ann@a.example"], "text": "x", "in-reply-to": "1@a.example",
    }));
    let text = String::from_utf8(made.octets).unwrap();
    assert!(text.contains("References: <1@a.example>\r\n"), "{text}");
    assert!(text.contains("In-Reply-To: <1@a.example>\r\n"), "{text}");
}
