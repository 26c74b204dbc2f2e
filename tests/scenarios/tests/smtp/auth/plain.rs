//! AUTH PLAIN under TLS, with and without an initial response (RFC 4954 section 4, RFC 4616):
//! then mail for any domain is taken.

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, trace_field_and_rest, without_marks};

/// `\0user\0secret` in base64.
const RESPONSE: &str = "AHVzZXIAc2VjcmV0";

#[test]
fn auth_plain_accepts_an_initial_response() {
    submits(&[(&format!("AUTH PLAIN {RESPONSE}"), 235)]);
}

#[test]
fn auth_plain_accepts_a_response_to_a_challenge() {
    submits(&[("AUTH PLAIN", 334), (RESPONSE, 235)]);
}

#[test]
fn auth_plain_accepts_the_users_own_authorization_identity() {
    // `user\0user\0secret`.
    submits(&[("auth plain dXNlcgB1c2VyAHNlY3JldA==", 235)]);
}

fn submits(exchange: &[(&str, u16)]) {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("submission");
    client.ehlo();
    client.starttls();
    for (line, code) in exchange {
        client.command(line, *code);
    }
    let reply = client.deliver("user@desk.example", &["x@elsewhere.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    let taken = sink.take();
    assert_eq!(taken.to, ["x@elsewhere.example"]);
    let arrived = taken.bytes();
    let (field, rest) = trace_field_and_rest(&arrived);
    assert!(field.contains(" with ESMTPSA id "), "{field}");
    assert_eq!(without_marks(rest), MESSAGE);
    // Not even in base64.
    let log = relay.log();
    assert!(!log.contains("secret") && !log.contains(RESPONSE), "{log}");
    drop(client);
    relay.leaves_nothing(sink);
}
