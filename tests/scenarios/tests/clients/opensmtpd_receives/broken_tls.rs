//! OpenSMTPD offers a STARTTLS that it cannot carry out: a message goes in plaintext where that is
//! allowed, and waits where TLS is required.

use test_support::{OpenSmtpd, RelayBuilder, Sink};

use crate::{assert_whole, awkward, nothing_is_left, submit};

#[test]
fn a_message_goes_in_plaintext_where_that_is_allowed() {
    let sink = Sink::start();
    let Some(opensmtpd) = OpenSmtpd::with_broken_tls(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(opensmtpd.address())
        .replace("tls = \"none\"", "tls = \"opportunistic\"")
        .start();
    submit(relay.address("mx"), &["user@desk.example"], &awkward());
    let taken = sink.take();
    let field = taken.header("Received").unwrap();
    assert!(field.contains(" with ESMTP id "), "{field}");
    assert_whole(&taken, &awkward());
    opensmtpd.logged("io-error: ");
    nothing_is_left(relay, opensmtpd, sink);
}

#[test]
fn a_message_waits_where_tls_is_required() {
    let sink = Sink::start();
    let Some(opensmtpd) = OpenSmtpd::with_broken_tls(sink.address()) else {
        return;
    };
    let mut relay = RelayBuilder::usual(opensmtpd.address())
        .replace("tls = \"none\"", "tls = \"required\"")
        .start();
    submit(relay.address("mx"), &["user@desk.example"], &awkward());
    relay.logged("454 4.7.5 ");
    relay.terminate();
    assert_eq!(relay.json(&["queue", "list", "--messages"]).len(), 1);
    opensmtpd.drained();
    assert!(sink.rest().is_empty());
}
