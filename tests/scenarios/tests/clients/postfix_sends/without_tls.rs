//! A message that came to Postfix over SMTP goes on in plaintext where no TLS is offered, small
//! and large.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{assert_whole, awkward, megabyte, submit};

#[test]
fn messages_arrive_octet_for_octet() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"inbound\"",
            "direction = \"inbound\"\ntls = \"none\"",
        )
        .start();
    let Some(postfix) = Postfix::start(relay.address("mx")) else {
        return;
    };
    for message in [awkward(), megabyte()] {
        submit(postfix.address(), &["user@desk.example"], &message);
        let taken = sink.take();
        let field = taken.header("Received").unwrap();
        assert!(field.contains(" with ESMTP id "), "{field}");
        assert_whole(&taken, &message);
    }
    postfix.drained();
    relay.leaves_nothing(sink);
}
