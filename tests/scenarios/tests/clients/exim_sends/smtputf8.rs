//! A message with addresses and header fields outside ASCII comes from Exim through the relay (RFC
//! 6531).

use test_support::{Exim, RelayBuilder, Sink};

use crate::internationalised::{assert_arrived, send};

#[test]
fn an_internationalised_message_arrives_as_it_was_sent() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let Some(exim) = Exim::start(relay.address("mx")) else {
        return;
    };
    send(exim.address());
    assert_arrived(&sink.take());
    exim.drained();
    relay.leaves_nothing(sink);
}
