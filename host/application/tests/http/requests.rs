use std::sync::Arc;

use bytes::Bytes;
use gatepost_application::{
    Arrival, HttpSettings, Letter, LetterRecipient, RecipientFacts, TagWithReasons, Target, sign,
};
use gatepost_message::Address;
use serde_json::{Value, json};

use crate::support::{HEAD, Mail, application};
use crate::{Posted, SECRET, Server, mail};

/// Returns the parts of a request: each part's fields and octets.
fn parts(posted: &Posted) -> Vec<(String, Vec<u8>)> {
    let kind = posted.field("content-type");
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let text = [b"\r\n", &posted.body[..]].concat();
    let text = String::from_utf8(text).unwrap();
    let mut parts: Vec<_> = text.split(&format!("\r\n--{boundary}")).collect();
    assert_eq!((parts.remove(0), parts.pop()), ("", Some("--\r\n")));
    let part = |part: &str| {
        let (fields, octets) = part.split_once("\r\n\r\n").unwrap();
        (fields.to_owned(), octets.as_bytes().to_vec())
    };
    parts.into_iter().map(part).collect()
}

#[test]
fn the_multipart_form_has_the_facts_and_the_message() {
    let server = Server::with_status(200);
    let mail = mail(&["one@desk.example", "two@desk.example"]);
    let alias = Address::parse("alias@desk.example").unwrap();
    let rcpt_to = [
        LetterRecipient {
            address: &mail.to[0].0,
            original: Some(&alias),
            arrival: Arrival::PastRelay,
            owner: RecipientFacts::default(),
        },
        LetterRecipient {
            address: &mail.to[1].0,
            original: None,
            arrival: Arrival::Other,
            owner: RecipientFacts::default(),
        },
    ];
    let reasons = ["the domain's key is unknown".to_owned()];
    let tags = [TagWithReasons {
        tag: "dmarc-fail",
        policy: Some("inbound-auth"),
        reasons: &reasons,
    }];
    let authentication = json!({ "spf": "pass" });
    let letter = Letter {
        message_id: Some("<1@a.example>"),
        requester: Some("ann@a.example"),
        tags: &tags,
        authentication: Some(&authentication),
        ..mail.letter(&rcpt_to)
    };
    let target = Target::Http(server.settings(""));
    let outcomes = server
        .runtime
        .block_on(application().deliver(&target, &letter));
    assert_eq!(outcomes.len(), 2);
    let parts = parts(&server.posted());
    assert!(
        parts[0]
            .0
            .contains("name=\"facts\"\r\nContent-Type: application/json")
    );
    let facts: Value = serde_json::from_slice(&parts[0].1).unwrap();
    let due = json!({
        "transaction": mail.transaction.to_string(),
        "message-id": "<1@a.example>",
        "account": "acme",
        "received": 1_700_000_000_123_u64,
        "mail-from": "ann@a.example",
        "rcpt-to": [
            {
                "address": "one@desk.example",
                "original": "alias@desk.example",
                "arrival": "past-relay",
            },
            { "address": "two@desk.example", "original": null, "arrival": "other" },
        ],
        "requester": "ann@a.example",
        "class": null,
        "tags": [{
            "tag": "dmarc-fail",
            "policy": "inbound-auth",
            "reasons": ["the domain's key is unknown"],
        }],
        "authentication": { "spf": "pass" },
    });
    assert_eq!(facts, due);
    assert!(
        parts[1]
            .0
            .contains("filename=\"message.eml\"\r\nContent-Type: message/rfc822")
    );
    assert_eq!(parts[1].1, format!("{HEAD}body\r\n").into_bytes());
}

#[test]
fn the_raw_form_has_the_message_alone_and_the_envelope_in_fields() {
    let server = Server::with_status(204);
    let mail = mail(&["one@desk.example", "\"a b%\"@desk.example"]);
    let outcomes = server.deliver("form = 'raw'", &mail);
    assert!(outcomes.iter().all(|outcome| outcome.reply.code() == 250));
    let posted = server.posted();
    assert_eq!(posted.field("content-type"), "message/rfc822");
    assert_eq!(posted.body, format!("{HEAD}body\r\n").into_bytes());
    assert_eq!(posted.field("x-gatepost-mail-from"), "ann@a.example");
    let recipients: Vec<_> = posted.fields.get_all("x-gatepost-rcpt-to").iter().collect();
    assert_eq!(
        recipients,
        ["\"a%20b%25\"@desk.example", "one@desk.example"]
    );
    assert_eq!(posted.field("x-gatepost-account"), "acme");
    assert_eq!(
        posted.field("x-gatepost-transaction"),
        mail.transaction.to_string()
    );
}

#[test]
fn a_request_is_signed_over_its_whole_body() {
    let server = Server::with_status(200);
    let secrets = format!("[{SECRET:?}, 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD']");
    for form in ["raw", "multipart"] {
        let text = format!(
            "url = 'http://{}/'\nform = '{form}'\nsecrets = {secrets}",
            server.address
        );
        let settings: HttpSettings = toml::from_str(&text).unwrap();
        let secrets = settings.secrets.clone();
        let mail = mail(&["one@desk.example"]);
        let recipients = mail.recipients();
        let letter = mail.letter(&recipients);
        let target = Target::Http(settings);
        server
            .runtime
            .block_on(application().deliver(&target, &letter));
        let posted = server.posted();
        let timestamp = posted.field("webhook-timestamp").parse().unwrap();
        let body = [Ok::<_, ()>(&posted.body)];
        let due = sign(&secrets, posted.field("webhook-id"), timestamp, body).unwrap();
        assert_eq!(posted.field("webhook-signature"), due, "{form}");
        assert_eq!(due.split(' ').count(), 2);
    }
}

#[test]
fn the_id_is_the_same_for_every_try() {
    let server = Server::with_status(500);
    let mail = mail(&["one@desk.example", "two@desk.example"]);
    server.deliver("", &mail);
    server.deliver("", &mail);
    let ids =
        [server.posted(), server.posted()].map(|posted| posted.field("webhook-id").to_owned());
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn many_recipients_are_posted_in_groups_with_ids_of_their_own() {
    let server = Server::answering(|number| {
        let statuses = [
            axum::http::StatusCode::OK,
            axum::http::StatusCode::UNPROCESSABLE_ENTITY,
        ];
        axum::response::IntoResponse::into_response(statuses[number])
    });
    let mail = mail(&["c@desk.example", "a@desk.example", "b@desk.example"]);
    let outcomes = server.deliver("recipients = 2", &mail);
    let codes: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.reply.code())
        .collect();
    assert_eq!(codes, [550, 250, 250]);
    let (first, second) = (server.posted(), server.posted());
    assert_ne!(first.field("webhook-id"), second.field("webhook-id"));
}

#[test]
fn a_large_message_arrives_whole() {
    let server = Server::with_status(200);
    let body: Bytes = (0..5_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let mail = Mail::new(&["one@desk.example"], Arc::new(body.clone()));
    let outcomes = server.deliver("form = 'raw'", &mail);
    assert_eq!(outcomes[0].reply.code(), 250, "{outcomes:?}");
    let posted = server.posted();
    assert!(posted.body == [HEAD.as_bytes(), &body].concat());
    assert_eq!(
        posted.field("content-length"),
        posted.body.len().to_string()
    );
}
