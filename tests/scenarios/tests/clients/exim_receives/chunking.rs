//! A message without an end to its last line goes to Exim in a chunk, where DATA would add one
//! (RFC 3030).

use test_support::{Exim, RelayBuilder, Sink};

use crate::{OPEN, nothing_is_left, submit_in_chunks};

#[test]
fn the_last_line_stays_open_on_the_way() {
    let sink = Sink::start();
    let Some(exim) = Exim::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(exim.address()).start();
    submit_in_chunks(relay.address("mx"), &["user@desk.example"], OPEN);
    sink.take();
    // By this Exim says that it got CHUNKING.
    let received = exim.logged("<= ann@sender.example");
    assert!(received.contains(" K S="), "{received}");
    nothing_is_left(relay, exim, sink);
}
