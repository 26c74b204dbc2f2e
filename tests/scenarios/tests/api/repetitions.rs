//! A request under a key is executed once, however often it is sent, and whatever becomes of the relay
//! in between.

use std::io::Read as _;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::{fs, thread};

use serde_json::{Value, json};
use test_support::{ApiAnswer, Relay, Sink};

use crate::{account, names, with_api};

/// Sends a request under a key.
fn keyed(relay: &Relay, token: &str, key: &str, path: &str, body: &Value) -> ApiAnswer {
    let fields = fields(token, key);
    relay.api_with("POST", path, &fields, body.to_string().as_bytes())
}

fn fields(token: &str, key: &str) -> String {
    format!(
        "Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Idempotency-Key: {key}\r\n"
    )
}

#[test]
fn a_repetition_is_answered_as_the_first_request_was() {
    let sink = Sink::start();
    let mut relay = with_api(&sink).with("[directory]\nlive-sets = 9").start();
    let token = relay.api_token("administer", &[]);
    let id = account(&relay, &token, "a.desk.test");
    let path = format!("/accounts/{id}/credentials");
    let first = keyed(&relay, &token, "\"one\"", &path, &json!({})).with_status(201);
    let again = keyed(&relay, &token, "one", &path, &json!({})).with_status(201);
    assert_eq!(first.text, again.text);
    assert_eq!(first.fields["location"], again.fields["location"]);

    // The answer is on disk before it is sent, and encrypted.
    relay.kill();
    let secret = first.text_of("secret");
    for file in fs::read_dir(relay.directory().join("store")).unwrap() {
        let file = file.unwrap().path();
        if file.is_file() {
            let bytes = fs::read(&file).unwrap();
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{}", file.display());
        }
    }
    relay.restart();
    let again = keyed(&relay, &token, "one", &path, &json!({})).with_status(201);
    assert_eq!(first.text, again.text);
    let listed = relay
        .api("GET", &path, &token, &Value::Null)
        .with_status(200);
    assert_eq!(
        names(&listed.body, "user-name"),
        [first.text_of("user-name")]
    );

    // Another request under the key is refused; under another key or of another token it is made.
    let other = keyed(&relay, &token, "one", &path, &json!({"alias": true})).with_status(422);
    assert_eq!(other.code(), "request.key-reused");
    keyed(&relay, &token, "two", &path, &json!({})).with_status(201);
    let second = relay.api_token("administer", &[]);
    keyed(&relay, &second, "one", &path, &json!({})).with_status(201);
    let listed = relay
        .api("GET", &path, &token, &Value::Null)
        .with_status(200);
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 3);

    // What was refused has done nothing, and may be sent again under its key.
    let asked = json!({"address": "help@a.desk.test", "brand": "Acme"});
    let addresses = format!("/accounts/{id}/addresses");
    keyed(&relay, &token, "three", &addresses, &asked).with_status(404);
    let asked = json!({"address": "help@a.desk.test"});
    keyed(&relay, &token, "three", &addresses, &asked).with_status(201);
    for wrong in ["", "\"a b\"", &"a".repeat(256)] {
        let refused = keyed(&relay, &token, wrong, &path, &json!({})).with_status(400);
        assert_eq!(refused.text_of("field"), "Idempotency-Key");
    }
    relay.leaves_nothing(sink);
}

#[test]
fn what_the_relay_did_not_bring_to_its_end_is_not_executed_again() {
    let sink = Sink::start();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut relay = with_api(&sink)
        .with(&format!(
            "[connection.silent]\nhost = \"127.0.0.1\"\nport = {}\n\
             tls = \"none\"",
            server.local_addr().unwrap().port()
        ))
        .start();
    let token = relay.api_token("operate", &[]);
    let path = "/connections/silent/test";
    let mut asking = TcpStream::connect(relay.address("api")).unwrap();
    let fields = fields(&token, "one");
    write!(
        asking,
        "POST /api/v1{path} HTTP/1.1\r\nHost: relay\r\n{fields}Content-Length: 2\r\n\r\n{{}}"
    )
    .unwrap();
    // The server is asked, and says nothing: the request is under way.
    let (session, _) = server.accept().unwrap();
    let meanwhile = keyed(&relay, &token, "one", path, &json!({})).with_status(409);
    assert_eq!(meanwhile.code(), "request.under-way");
    relay.kill();
    drop(session);
    let mut rest = Vec::new();
    let _ = asking.read_to_end(&mut rest);
    assert!(rest.is_empty());

    relay.restart();
    let asked = thread::spawn(move || server.accept().map(drop));
    let again = keyed(&relay, &token, "one", path, &json!({})).with_status(409);
    assert_eq!(again.code(), "request.outcome-unknown");
    assert!(!asked.is_finished(), "the server is not asked again");
    let other = keyed(&relay, &token, "two", path, &json!({})).with_status(200);
    assert!(other.body["refused-at"].is_string(), "{other:?}");
    asked.join().unwrap().unwrap();
    relay.leaves_nothing(sink);
}
