//! The API is reached at an address or a socket, stays open over a reload, and closes when it is no
//! longer configured.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use test_support::{RelayBuilder, Sink};

use crate::API;

#[test]
fn a_socket_is_for_its_owner_and_group() {
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address())
        .with("[api]\nsocket = \"api.sock\"")
        .start();
    let token = relay.api_token("read", &[]);
    let socket = relay.directory().join("api.sock");
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let listed = relay.api_at_socket(&socket, "GET", "/accounts", &token);
    listed.with_status(200);
    // A relay that was killed leaves its socket, and the next one takes its place.
    relay.restart();
    let listed = relay.api_at_socket(&socket, "GET", "/accounts", &token);
    listed.with_status(200);
    relay.terminate();
    assert!(!socket.exists());
    drop(sink);
}

#[test]
fn a_reload_changes_the_rate_and_closes_what_is_not_configured() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).with(API).start();
    let token = relay.api_token("read", &[]);
    let ask = || relay.api("GET", "/accounts", &token, &Value::Null);
    let policy = |answer: test_support::ApiAnswer| answer.fields["ratelimit-policy"].clone();
    assert_eq!(policy(ask().with_status(200)), "\"token\";q=1000000;w=60");
    let file = relay.directory().join("gatepost.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("1000000", "7")).unwrap();
    relay.json(&["reload"]);
    assert_eq!(policy(ask()), "\"token\";q=7;w=60");
    fs::write(&file, text.replace(API, "")).unwrap();
    relay.json(&["reload"]);
    assert!(std::net::TcpStream::connect(relay.address("api")).is_err());
    relay.leaves_nothing(sink);
}

#[test]
fn an_address_under_tls_speaks_nothing_else() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[api]\nlisten = \"127.0.0.1:0\"\ntls = \"implicit\"\n")
        .start();
    let token = relay.api_token("read", &[]);
    let listed = relay.api_under_tls("GET", "/accounts", &token);
    assert_eq!(listed.with_status(200).body["items"], serde_json::json!([]));
    let mut plain = std::net::TcpStream::connect(relay.address("api")).unwrap();
    plain
        .write_all(b"GET /api/v1/accounts HTTP/1.1\r\nHost: relay\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    // The connection may be reset.
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    relay.leaves_nothing(sink);
}

#[test]
fn an_address_that_others_reach_needs_tls() {
    let sink = Sink::start();
    let folder = tempfile::tempdir().unwrap();
    let refused = RelayBuilder::usual(sink.address())
        .with("[tls]\ncertificate = \"none.pem\"\nkey = \"none.pem\"")
        .with("[api]\nlisten = \"0.0.0.0:0\"\nsocket = \"api.sock\"")
        .directory(folder.path())
        .try_start();
    let refused = refused.map(|_| ()).unwrap_err();
    assert!(
        refused.contains("leave out one of listen and socket"),
        "{refused}"
    );
}
