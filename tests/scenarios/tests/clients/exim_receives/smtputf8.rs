//! A message with addresses and header fields outside ASCII goes through the relay to Exim (RFC
//! 6531).

use test_support::{Exim, RelayBuilder, Sink};

use crate::internationalised::{assert_arrived, send};
use crate::nothing_is_left;

#[test]
fn an_internationalised_message_arrives_as_it_was_sent() {
    let sink = Sink::start();
    let Some(exim) = Exim::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(exim.address()).start();
    send(relay.address("mx"));
    assert_arrived(&sink.take());
    nothing_is_left(relay, exim, sink);
}
