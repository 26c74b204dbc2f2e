//! Requests in the shapes of existing applications, field by field.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gatepost_application::{HttpSettings, Letter, Outcome, Target};
use gatepost_message::Message;
use ring::hmac;
use serde_json::{Map, Value, json};

use crate::support::{Mail, application};
use crate::{Posted, Server};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/presets")
}

fn due(name: &str) -> Value {
    let text = fs::read_to_string(fixtures().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn mail(to: &[&str]) -> Mail {
    let mut mail = Mail::new(to, Arc::new(Bytes::new()));
    mail.message = Message::from_bytes(fs::read(fixtures().join("message.eml")).unwrap().into());
    mail
}

/// Settings of an endpoint at this server, without secrets.
fn settings(server: &Server, keys: &str) -> HttpSettings {
    toml::from_str(&format!(
        "url = 'http://{}/inbound'\n{keys}",
        server.address
    ))
    .unwrap()
}

fn deliver(server: &Server, keys: &str, mail: &Mail) -> Vec<Outcome> {
    let target = Target::Http(settings(server, keys));
    let recipients = mail.recipients();
    let authentication = json!({
        "spf": { "mailfrom": { "result": "pass", "domain": "a.example" } },
        "dkim": [
            { "result": "pass", "domain": "sender.example" },
            { "result": "fail", "domain": "list.example" },
        ],
    });
    let letter = Letter {
        message_id: Some("<3@sender.example>"),
        authentication: Some(&authentication),
        client: Some("192.0.2.7".parse().unwrap()),
        ..mail.letter(&recipients)
    };
    server
        .runtime
        .block_on(application().deliver(&target, &letter))
}

/// Delivers the message to one recipient; returns the request.
fn posted(keys: &str) -> (Posted, Mail) {
    let server = Server::with_status(201);
    let mail = mail(&["help+7@desk.example"]);
    let outcomes = deliver(&server, keys, &mail);
    assert_eq!(outcomes[0].reply.code(), 250, "{outcomes:?}");
    let posted = server.posted();
    assert_eq!(
        posted.field("content-length"),
        posted.body.len().to_string()
    );
    assert!(!posted.fields.contains_key("webhook-signature"));
    (posted, mail)
}

/// Returns the fields of a form as the fixtures write them: files with their octets in base64, JSON
/// as such.
fn form(posted: &Posted, json: &[&str]) -> Map<String, Value> {
    let kind = posted.field("content-type");
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let divider = format!("\r\n--{boundary}");
    let body = [b"\r\n", &posted.body[..]].concat();
    let find = |octets: &[u8], what: &[u8]| octets.windows(what.len()).position(|of| of == what);
    let mut fields = Map::new();
    let mut rest = &body[divider.len()..];
    while let Some(end) = find(rest, divider.as_bytes()) {
        let head = find(rest, b"\r\n\r\n").unwrap();
        let described = String::from_utf8(rest[..head].to_vec()).unwrap();
        let octets = &rest[head + 4..end];
        let quoted = |key: &str| {
            let (_, rest) = described.split_once(&format!("; {key}=\""))?;
            Some(rest.split_once('"').unwrap().0.to_owned())
        };
        let name = quoted("name").unwrap();
        let kind = described
            .split_once("\r\nContent-Type: ")
            .map(|(_, kind)| kind);
        let value = match quoted("filename") {
            Some(file) => {
                json!({ "filename": file, "type": kind, "base64": STANDARD.encode(octets) })
            }
            None if json.contains(&name.as_str()) => serde_json::from_slice(octets).unwrap(),
            None => String::from_utf8(octets.to_vec()).unwrap().into(),
        };
        assert!(fields.insert(name, value).is_none());
        rest = &rest[end + divider.len()..];
    }
    fields
}

fn basic(posted: &Posted) -> String {
    let value = posted
        .field("authorization")
        .strip_prefix("Basic ")
        .unwrap();
    String::from_utf8(STANDARD.decode(value).unwrap()).unwrap()
}

#[test]
fn action_mailbox_gets_the_message_with_its_recipients() {
    let server = Server::with_status(204);
    let mail = mail(&["help@desk.example", "two@desk.example"]);
    let outcomes = deliver(
        &server,
        "preset = 'action-mailbox'\napi-key = 'ingress'",
        &mail,
    );
    assert!(outcomes.iter().all(|one| one.reply.code() == 250));
    let posted = server.posted();
    assert_eq!(posted.field("content-type"), "message/rfc822");
    assert_eq!(basic(&posted), "actionmailbox:ingress");
    let message = fs::read(fixtures().join("message.eml")).unwrap();
    let fields = b"X-Original-To: help@desk.example\r\nX-Original-To: two@desk.example\r\n";
    assert!(posted.body == [&fields[..], &message].concat());
}

#[test]
fn osticket_gets_the_message_with_its_key() {
    let (posted, _) = posted("preset = 'osticket'\napi-key = 'BA00B76B'");
    assert_eq!(posted.field("x-api-key"), "BA00B76B");
    let message = fs::read(fixtures().join("message.eml")).unwrap();
    assert!(posted.body == [&b"Delivered-To: help+7@desk.example\r\n"[..], &message].concat());
}

#[test]
fn postmark_gets_its_json() {
    let (posted, mail) = posted("preset = 'postmark'\nuser = 'desk'\napi-key = 'secret'");
    assert_eq!(posted.field("content-type"), "application/json");
    assert_eq!(basic(&posted), "desk:secret");
    let found: Value = serde_json::from_slice(&posted.body).unwrap();
    let mut due = due("postmark");
    due["MessageID"] = mail.transaction.to_string().into();
    assert_eq!(found, due);
}

#[test]
fn mailgun_gets_its_form_with_its_signature() {
    let (posted, _) = posted("preset = 'mailgun'\napi-key = 'key-of-webhooks'");
    assert!(!posted.fields.contains_key("authorization"));
    let mut found = form(&posted, &["message-headers", "content-id-map"]);
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    let (timestamp, token) = (text("timestamp"), text("token"));
    assert_eq!((timestamp.len(), token.len()), (10, 50));
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"key-of-webhooks");
    let tag = hmac::sign(&key, format!("{timestamp}{token}").as_bytes());
    let tag: String = tag
        .as_ref()
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect();
    assert_eq!(text("signature"), tag);
    for name in ["timestamp", "token", "signature"] {
        found.insert(name.to_owned(), name.to_uppercase().into());
    }
    assert_eq!(Value::Object(found), due("mailgun"));
}

#[test]
fn sendgrid_gets_its_form() {
    let (posted, _) = posted("preset = 'sendgrid'");
    assert!(!posted.fields.contains_key("authorization"));
    let of_json = ["envelope", "charsets", "attachment-info", "content-ids"];
    assert_eq!(Value::Object(form(&posted, &of_json)), due("sendgrid"));
}

#[test]
fn sendgrid_gets_the_raw_message() {
    let (posted, _) = posted("preset = 'sendgrid-raw'\napi-key = 'ingress'");
    assert_eq!(basic(&posted), "actionmailbox:ingress");
    let mut due = due("sendgrid-raw");
    let message = fs::read_to_string(fixtures().join("message.eml")).unwrap();
    due["email"] = message.into();
    assert_eq!(Value::Object(form(&posted, &["envelope"])), due);
}

#[test]
fn zammad_gets_a_ticket() {
    let (posted, _) = posted("preset = 'zammad'\napi-key = 'token'\ngroup = 'Users'");
    assert_eq!(posted.field("authorization"), "Token token=token");
    let found: Value = serde_json::from_slice(&posted.body).unwrap();
    assert_eq!(found, due("zammad"));
}

/// The shape of some has room for one recipient.
#[test]
fn each_recipient_gets_a_request_where_the_shape_has_one() {
    let server = Server::with_status(200);
    let mail = mail(&["b@desk.example", "a@desk.example"]);
    deliver(&server, "preset = 'postmark'", &mail);
    let recipients = [server.posted(), server.posted()].map(|posted| {
        let found: Value = serde_json::from_slice(&posted.body).unwrap();
        found["OriginalRecipient"].as_str().unwrap().to_owned()
    });
    assert_eq!(recipients, ["a@desk.example", "b@desk.example"]);
}

/// 422 of an application that knows nothing of the relay may be about its settings.
#[test]
fn a_preset_fails_by_the_statuses_of_its_service() {
    let codes: BTreeMap<_, _> = [
        ("preset = 'mailgun'\napi-key = 'k'", 406, 550),
        ("preset = 'mailgun'\napi-key = 'k'", 422, 451),
        ("preset = 'postmark'", 422, 451),
        ("preset = 'postmark'\nfailing = [422]", 422, 550),
        ("preset = 'osticket'\napi-key = 'k'", 417, 550),
        ("preset = 'zammad'\napi-key = 'k'\ngroup = 'g'", 422, 451),
    ]
    .into_iter()
    .map(|(keys, status, due)| ((keys, status), due))
    .collect();
    for ((keys, status), due) in codes {
        let server = Server::with_status(status);
        let outcomes = deliver(&server, keys, &mail(&["help@desk.example"]));
        assert_eq!(outcomes[0].reply.code(), due, "{keys} {status}");
    }
}

#[test]
fn settings_without_effect_are_errors() {
    for (keys, says) in [
        ("preset = 'mailgun'", "wants an `api-key`"),
        ("preset = 'zammad'\napi-key = 'k'", "the `group` that gets"),
        ("preset = 'postmark'\nform = 'raw'", "`preset` or `form`"),
        (
            "preset = 'osticket'\napi-key = 'k'\nuser = 'u'",
            "has no user",
        ),
        (
            "preset = 'osticket'\napi-key = 'k'\ngroup = 'g'",
            "`group` is of",
        ),
        (
            "preset = 'postmark'\nattachments = 'none'",
            "`attachments` is of",
        ),
        (
            "preset = 'postmark'\nrecipients = 2",
            "`recipients` is out of range",
        ),
        ("preset = 'osticket'\napi-key = \"a\\nb\"", "visible ASCII"),
        ("api-key = 'k'", "`api-key` is of a `preset`"),
        ("user = 'u'", "`user` is of a `preset`"),
        ("", "give 1 to 5 secrets"),
    ] {
        let text = format!("url = 'http://desk.example/'\n{keys}");
        let error = toml::from_str::<HttpSettings>(&text)
            .unwrap_err()
            .to_string();
        assert!(error.contains(says), "{keys}: {error}");
    }
}
