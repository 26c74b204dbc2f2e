//! Exim sends in plaintext where no TLS is offered.

use test_support::{Exim, RelayBuilder, Sink};

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
    let Some(exim) = Exim::start(relay.address("mx")) else {
        return;
    };
    submit(exim.address(), &["user@desk.example"], &awkward());
    let taken = sink.take();
    let field = taken.header("Received").unwrap();
    assert!(field.contains(" with ESMTP id "), "{field}");
    assert_whole(&taken, &awkward());
    exim.drained();
    relay.leaves_nothing(sink);
}
