use std::sync::Arc;

use bytes::Bytes;
use gatepost_application::{Application, AttachmentLink, LetterRecipient, RecipientFacts, Target};
use gatepost_message::{Message, Millis};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::support::{Mail, application};
use crate::{Posted, Server};

/// A question with an answer above it, an image in its HTML, and a file.
const MESSAGE: &str = "From: Ann <ann@a.example>\r\n\
To: help@desk.example\r\n\
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
Message-ID: <3@a.example>\r\n\
In-Reply-To: <2@desk.example>\r\n\
References: <1@a.example> <2@desk.example>\r\n\
Date: Mon, 3 Feb 2025 10:15:00 +0100\r\n\
MIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=b\r\n\
\r\n\
--b\r\n\
Content-Type: text/plain\r\n\
\r\n\
It works.\r\n\
\r\n\
On 3 Feb 2025, at 09:00, Desk <help@desk.example> wrote:\r\n\
> Does it?\r\n\
--b\r\n\
Content-Type: application/octet-stream; name=\"../a \\\"b\\\".bin\"\r\n\
Content-Disposition: attachment\r\n\
Content-Transfer-Encoding: base64\r\n\
\r\n\
AAECAwT/\r\n\
--b--\r\n";

fn mail(octets: impl Into<Bytes>) -> Mail {
    let mut mail = Mail::new(&["help@desk.example"], Arc::new(Bytes::new()));
    mail.message = Message::from_bytes(octets.into());
    mail
}

/// Delivers a message to a server; returns the request.
fn posted(server: &Server, keys: &str, mail: &Mail) -> Posted {
    let target = Target::Http(server.settings(keys));
    let recipients = mail.recipients();
    let recipients = recipients.map_owner();
    let letter = gatepost_application::Letter {
        message_id: Some("<3@a.example>"),
        thread: Some(mail.transaction),
        ..mail.letter(&recipients)
    };
    let outcomes = server
        .runtime
        .block_on(application().deliver(&target, &letter));
    assert_eq!(outcomes[0].reply.code(), 250, "{outcomes:?}");
    server.posted()
}

trait MapOwner<'a> {
    fn map_owner(self) -> Vec<LetterRecipient<'a>>;
}

impl<'a> MapOwner<'a> for Vec<LetterRecipient<'a>> {
    fn map_owner(mut self) -> Self {
        for one in &mut self {
            one.owner = RecipientFacts {
                support_address: Some("Help@desk.example"),
                brand: Some("Shop"),
                connector: None,
            };
        }
        self
    }
}

/// Returns the parts of a form: their fields, and their octets.
fn parts(posted: &Posted) -> Vec<(String, Vec<u8>)> {
    let kind = posted.field("content-type");
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let divider = format!("\r\n--{boundary}");
    let body = [b"\r\n", &posted.body[..]].concat();
    let find = |octets: &[u8], what: &[u8]| octets.windows(what.len()).position(|of| of == what);
    let mut parts = Vec::new();
    let mut rest = &body[divider.len()..];
    while let Some(end) = find(rest, divider.as_bytes()) {
        let head = find(rest, b"\r\n\r\n").unwrap();
        let fields = String::from_utf8(rest[..head].to_vec()).unwrap();
        parts.push((fields, rest[head + 4..end].to_vec()));
        rest = &rest[end + divider.len()..];
    }
    assert_eq!(rest, b"--\r\n");
    parts
}

#[test]
fn the_json_has_the_message_taken_apart_and_files_beside_it() {
    let server = Server::with_status(200);
    let mail = mail(MESSAGE);
    let parts = parts(&posted(&server, "form = 'json'", &mail));
    assert!(
        parts[0]
            .0
            .contains("name=\"message\"\r\nContent-Type: application/json")
    );
    let found: Value = serde_json::from_slice(&parts[0].1).unwrap();
    let file = [0, 1, 2, 3, 4, 255];
    let sha256: String = (digest(&SHA256, &file).as_ref().iter())
        .map(|octet| format!("{octet:02x}"))
        .collect();
    let due = json!({
        "version": 1,
        "transaction": mail.transaction.to_string(),
        "account": "acme",
        "received": 1_700_000_000_123_u64,
        "envelope": {
            "mail-from": "ann@a.example",
            "rcpt-to": [{
                "address": "help@desk.example",
                "original": null,
                "arrival": "direct",
                "support-address": "Help@desk.example",
                "brand": "Shop",
                "connector": null,
            }],
        },
        "message-id": "<3@a.example>",
        "in-reply-to": ["<2@desk.example>"],
        "references": ["<1@a.example>", "<2@desk.example>"],
        "thread": mail.transaction.to_string(),
        "from": [{ "name": "Ann", "address": "ann@a.example" }],
        "to": [{ "name": null, "address": "help@desk.example" }],
        "cc": [],
        "reply-to": [],
        "subject": "Grüße",
        "date": "2025-02-03T10:15:00+01:00",
        "requester": null,
        "class": null,
        "tags": [],
        "authentication": null,
        "text": "It works.\r\n\r\nOn 3 Feb 2025, at 09:00, Desk <help@desk.example> wrote:\r\n> Does it?",
        "html": null,
        "reply": "It works.",
        "attachments": [{
            "name": "a _b_.bin",
            "type": "application/octet-stream",
            "size": 6,
            "content-id": null,
            "disposition": "attachment",
            "sha256": sha256,
            "part": "attachment-1",
            "url": null,
            "expires": null,
        }],
        "complete": true,
    });
    assert_eq!(found, due);
    let fields = "\r\nContent-Disposition: form-data; name=\"attachment-1\"; filename=\"a _b_.bin\"\r\n\
                  Content-Type: application/octet-stream";
    assert_eq!((parts[1].0.as_str(), &parts[1].1[..]), (fields, &file[..]));
    assert_eq!(parts.len(), 2);
}

/// Removes all values from JSON but the first of each list.
fn keys(json: &Value) -> Value {
    match json {
        Value::Object(map) => {
            let keys = map.iter().map(|(key, value)| (key.clone(), keys(value)));
            Value::Object(keys.collect())
        }
        Value::Array(list) => list.iter().take(1).map(keys).collect(),
        _ => Value::Null,
    }
}

#[test]
fn the_json_on_the_page_has_the_keys_that_the_application_gets() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/application.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut blocks = page.split("```json\n").skip(1);
    let block = blocks
        .find(|block| block.contains("\"version\": 1"))
        .unwrap();
    let shown: Value = serde_json::from_str(block.split("```").next().unwrap()).unwrap();
    let server = Server::with_status(200);
    let parts = parts(&posted(&server, "form = 'json'", &mail(MESSAGE)));
    let found: Value = serde_json::from_slice(&parts[0].1).unwrap();
    assert_eq!(keys(&shown), keys(&found));
}

#[test]
fn without_attachments_the_request_is_json() {
    let server = Server::with_status(200);
    let posted = posted(
        &server,
        "form = 'json'\nattachments = 'none'",
        &mail(MESSAGE),
    );
    assert_eq!(posted.field("content-type"), "application/json");
    let found: Value = serde_json::from_slice(&posted.body).unwrap();
    assert_eq!(found["attachments"][0]["size"], 6);
    assert_eq!(found["attachments"][0]["part"], Value::Null);
}

/// The time of the request and a minute more.
#[test]
fn links_are_signed_and_end_soon() {
    let server = Server::with_status(200);
    let keys = "form = 'json'\nattachments = 'url'\ntimeout-seconds = 10";
    let target = Target::Http(server.settings(keys));
    let mail = mail(MESSAGE);
    let recipients = mail.recipients();
    let letter = mail.letter(&recipients);
    let before = Millis::now().0;
    let deliver = |application: Application| {
        server
            .runtime
            .block_on(application.deliver(&target, &letter))
    };
    let base = Some("https://mx.desk.example/relay".to_owned());
    let outcomes = deliver(application().with_links(base));
    assert_eq!(outcomes[0].reply.code(), 250, "{outcomes:?}");
    let posted = server.posted();
    assert_eq!(posted.field("content-type"), "application/json");
    let found: Value = serde_json::from_slice(&posted.body).unwrap();
    let described = &found["attachments"][0];
    let url = described["url"].as_str().unwrap();
    let link = url.strip_prefix("https://mx.desk.example/relay").unwrap();
    let (path, query) = link.split_once('?').unwrap();
    let link = AttachmentLink::read(path, Some(query)).unwrap();
    assert_eq!((link.transaction, link.number), (mail.transaction, 1));
    assert_eq!(described["expires"], link.until.0);
    assert!((before + 70_000..before + 90_000).contains(&link.until.0));
    // Without a place for them, mail waits.
    assert_eq!(deliver(application())[0].reply.code(), 451);
}

/// Attachments are decoded as they are sent, and the signature is over what is sent.
#[test]
fn a_large_attachment_is_sent_decoded_and_signed() {
    use base64::Engine as _;
    let file: Vec<u8> = (0..3_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let encoded = base64::engine::general_purpose::STANDARD.encode(&file);
    let lines: Vec<_> = encoded.as_bytes().chunks(76).collect();
    let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png\r\n\
                Content-Transfer-Encoding: base64\r\n\r\n";
    let message = [head.as_bytes(), &lines.join(&b"\r\n"[..]), b"\r\n--b--\r\n"].concat();
    let server = Server::with_status(200);
    let settings = server.settings("form = 'json'");
    let posted = posted(&server, "form = 'json'", &mail(message));
    let parts = parts(&posted);
    assert!(
        parts[1].0.contains("filename=\"attachment-1.png\""),
        "{}",
        parts[1].0
    );
    assert!(parts[1].1 == file);
    assert_eq!(
        posted.field("content-length"),
        posted.body.len().to_string()
    );
    let timestamp = posted.field("webhook-timestamp").parse().unwrap();
    let body = [Ok::<_, ()>(&posted.body)];
    let id = posted.field("webhook-id");
    let due = gatepost_application::sign(&settings.secrets, id, timestamp, body).unwrap();
    assert_eq!(posted.field("webhook-signature"), due);
}

#[test]
fn attachments_are_a_setting_of_json_alone() {
    let text = "url = 'http://a.example/'\nsecrets = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw']\n\
                attachments = 'none'";
    let error = toml::from_str::<gatepost_application::HttpSettings>(text).unwrap_err();
    assert!(
        error.to_string().contains("is of `form = \"json\"`"),
        "{error}"
    );
}
