//! A listener that speaks TLS from the first octet (RFC 8314 section 3).

use test_support::{Client, Relay, RelayBuilder, Sink};

use crate::{MESSAGE, trace_field_and_rest, without_marks};

fn relay(sink: &Sink) -> Relay {
    RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"submission\"",
            "direction = \"submission\"\ntls = \"implicit\"",
        )
        .start()
}

#[test]
fn a_user_submits_under_tls_from_the_start() {
    let sink = Sink::start();
    let relay = relay(&sink);
    let mut client = Client::connect(relay.address("submission")).unwrap();
    client.secure().unwrap();
    client.expect(220);
    let offered = client.ehlo();
    assert!(
        offered.contains(&"AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN".to_owned()),
        "{offered:?}"
    );
    assert!(!offered.contains(&"STARTTLS".to_owned()), "{offered:?}");
    client.command("STARTTLS", 503);
    client.command("AUTH PLAIN AHVzZXIAc2VjcmV0", 235);
    let reply = client.deliver("user@desk.example", &["x@elsewhere.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    client.command("QUIT", 221);
    assert!(client.closed());
    let arrived = sink.take().bytes();
    let (field, rest) = trace_field_and_rest(&arrived);
    assert!(field.contains(" with ESMTPSA id "), "{field}");
    assert_eq!(without_marks(rest), MESSAGE);
    relay.leaves_nothing(sink);
}

/// Plaintext gets no SMTP at all, greeting included.
#[test]
fn plaintext_on_an_implicit_tls_listener_gets_no_reply() {
    let sink = Sink::start();
    let relay = relay(&sink);
    let mut client = Client::connect(relay.address("submission")).unwrap();
    client.send("EHLO client.example\r\n").unwrap();
    assert!(client.closed());
    relay.leaves_nothing(sink);
}
