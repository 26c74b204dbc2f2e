//! A message in plaintext, small and large.

use test_support::{RelayBuilder, Sink};

use super::program::Swaks;
use crate::{assert_whole, awkward, megabyte};

#[test]
fn a_message_arrives_octet_for_octet() {
    arrives(&awkward());
}

#[test]
fn a_large_message_arrives_octet_for_octet() {
    arrives(&megabyte());
}

fn arrives(message: &[u8]) {
    let Some(swaks) = Swaks::installed() else {
        return;
    };
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let envelope = ["--from", "ann@sender.example", "--to", "user@desk.example"];
    swaks.send(&relay, "mx", message, &envelope).accepted();
    let taken = sink.take();
    assert_eq!(taken.from, "ann@sender.example");
    assert_eq!(taken.to, ["user@desk.example"]);
    assert_whole(&taken, message);
    relay.leaves_nothing(sink);
}
