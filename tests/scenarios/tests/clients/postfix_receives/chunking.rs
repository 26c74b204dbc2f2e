//! A message without an end to its last line goes to Postfix in a chunk, where DATA would add one
//! (RFC 3030).

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{OPEN, nothing_is_queued, submit_in_chunks};

#[test]
fn the_last_line_stays_open_on_the_way() {
    let sink = Sink::start();
    let Some(postfix) = Postfix::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address()).start();
    submit_in_chunks(relay.address("mx"), &["user@desk.example"], OPEN);
    sink.take();
    nothing_is_queued(relay);
    let session = postfix.logged("disconnect from ");
    assert!(session.contains(" bdat="), "{session}");
}
