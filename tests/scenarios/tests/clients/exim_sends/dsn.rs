//! What a sender wants to hear of a message (RFC 3461) comes from Exim through the relay as it was
//! asked.

use test_support::{Exim, RelayBuilder, Sink};

use crate::notifications::{MORE, NEVER, ask, assert_asked};

#[test]
fn dsn_parameters_arrive_as_they_were_asked() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let Some(exim) = Exim::start(relay.address("mx")) else {
        return;
    };
    ask(exim.address(), &[MORE, NEVER]);
    assert_asked(&sink.take(), &[MORE, NEVER]);
    exim.drained();
    relay.leaves_nothing(sink);
}
