//! OpenSMTPD sends in plaintext where no TLS is offered.

use test_support::{OpenSmtpd, RelayBuilder, Sink};

use crate::{assert_whole, awkward, submit};

#[test]
fn a_message_arrives_octet_for_octet() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"inbound\"",
            "direction = \"inbound\"\ntls = \"none\"",
        )
        .start();
    let Some(opensmtpd) = OpenSmtpd::start(relay.address("mx")) else {
        return;
    };
    submit(opensmtpd.address(), &["user@desk.example"], &awkward());
    let taken = sink.take();
    let field = taken.header("Received").unwrap();
    assert!(field.contains(" with ESMTP id "), "{field}");
    assert_whole(&taken, &awkward());
    opensmtpd.drained();
    relay.leaves_nothing(sink);
}
