//! Properties for arbitrary octets and any order of fields.

use proptest::prelude::*;

use crate::classified;

/// Fields with a meaning, some of them twice.
const FIELDS: &[&str] = &[
    "From: Ann <ann@x.example>",
    "From: Mail Delivery System <mailer-daemon@x.example>",
    "From: noreply@x.example",
    "Sender: owner-wool@x.example",
    "Reply-To: wool@x.example",
    "To: wool@x.example",
    "Subject: Automatic reply: lamp",
    "Subject: Undelivered Mail Returned to Sender",
    "Subject: =?utf-8?Q?R=C3=A9ponse_automatique?= : lampe",
    "Auto-Submitted: no",
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: auto-generated",
    "Precedence: bulk",
    "Precedence: list",
    "X-Precedence: auto_reply",
    "X-Auto-Response-Suppress: All",
    "X-Auto-Response-Suppress: None",
    "X-Autoreply: yes",
    "X-MS-Exchange-Inbox-Rules-Loop: ann@x.example",
    "List-Id: <wool.x.example>",
    "Feedback-ID: 1:2:3:service",
    "X-SES-Outgoing: 2020",
    "X-Loop: help@desk.example",
    "X-Mailer: Zendesk Mailer",
    "X-Mailer: Apple Mail",
    "X-Mailer: Gate Notifier 2",
    "Received: by x.example (Postfix, from userid 33) id 1",
    "X-Shop-Template: 1",
    "X-Shop-Kind: autoResponse",
    "Sender: no-reply@x.example",
    "Reply-To: verify-1@x.example",
    "Recipient-Id: 1",
    "X-Gatepost-Trigger: agent",
    "X-Gatepost-Trigger: automatic",
    "In-Reply-To: <1@x.example>",
    "Return-Path: <>",
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
    "Content-Type: multipart/report; boundary=b",
    "Content-Type: text/plain",
];

fn message(fields: &[&str]) -> Vec<u8> {
    let mut message = fields.join("\r\n");
    message.push_str("\r\n\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\n");
    message.into_bytes()
}

proptest! {
    #[test]
    fn classifying_any_octets_does_not_panic(octets: Vec<u8>, from in ".{0,30}", to in ".{0,30}") {
        classified(&octets, &from, &[&to]);
    }

    #[test]
    fn classifying_any_body_of_a_known_field_does_not_panic(
        field in prop::sample::select(FIELDS),
        body in "[ -~\\r\\n\\t=?\u{e9}\u{3042}<>@\";:()]{0,60}",
        from in "[a-zA-Z0-9=+@._-]{0,30}",
    ) {
        let name = field.split(':').next().unwrap_or_default();
        let message = format!("{name}: {body}\r\n\r\n");
        classified(message.as_bytes(), &from, &["help@desk.example"]);
    }

    #[test]
    fn the_order_of_the_fields_changes_nothing(
        fields in prop::sample::subsequence(FIELDS, 0..9).prop_shuffle(),
        from in prop::sample::select(&["", "ann@x.example", "wool-bounces@x.example"][..]),
    ) {
        let mut sorted = fields.clone();
        sorted.sort_unstable();
        let to = &["help@desk.example"];
        let [as_is, in_order] =
            [&fields, &sorted].map(|fields| classified(&message(fields), from, to));
        prop_assert_eq!(as_is, in_order);
    }
}
