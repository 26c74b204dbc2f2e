//! STARTTLS, with a look at the certificate.

use test_support::{RelayBuilder, Sink};

use super::program::Swaks;
use crate::{assert_whole, awkward};

#[test]
fn a_message_arrives_under_tls() {
    let Some(swaks) = Swaks::with_tls() else {
        return;
    };
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let root = relay.directory().join("certificate.pem");
    let arguments = [
        ["--from", "ann@sender.example"],
        ["--to", "user@desk.example"],
        ["--tls-ca-path", root.to_str().unwrap()],
        ["--tls", "--tls-verify"],
    ];
    swaks
        .send(&relay, "mx", &awkward(), &arguments.concat())
        .accepted();
    let taken = sink.take();
    let field = taken.header("Received").unwrap();
    assert!(field.contains(" with ESMTPS id "), "{field}");
    assert_whole(&taken, &awkward());
    relay.leaves_nothing(sink);
}
