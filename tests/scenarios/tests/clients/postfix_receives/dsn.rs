//! What a sender wants to hear of a message (RFC 3461) goes through the relay to Postfix as it was
//! asked.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::nothing_is_left;
use crate::notifications::{MORE, NEVER, ask, assert_asked};

#[test]
fn dsn_parameters_arrive_as_they_were_asked() {
    let sink = Sink::start();
    let Some(postfix) = Postfix::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address()).start();
    ask(relay.address("mx"), &[MORE, NEVER]);
    assert_asked(&sink.take(), &[MORE, NEVER]);
    nothing_is_left(relay, postfix, sink);
}
