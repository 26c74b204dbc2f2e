//! A signed message goes through a real mail server on its way, and verifies behind it.

use test_support::{Postfix, Sink};

#[test]
fn a_signed_message_verifies_behind_postfix() {
    let sink = Sink::start();
    let Some(server) = Postfix::start(sink.address()) else {
        return;
    };
    crate::verifies_behind(server.address(), &sink);
    server.drained();
}
