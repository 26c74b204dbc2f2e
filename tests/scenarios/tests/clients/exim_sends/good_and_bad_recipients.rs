//! Of several recipients one is refused: Exim hands over the others, and tells the sender in
//! the relay's words.

use test_support::{Exim, RelayBuilder, Sink};

use crate::{GOOD_AND_BAD, awkward, good_ones_arrive, submit};

/// A second account, whose mail goes to the sink as well: the sender's.
#[test]
fn the_good_ones_get_it_and_the_sender_hears_of_the_bad_one() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace("sending-domains = [\"sender.example\"]", "")
        .with("[[account]]\nid = \"sender\"\ndomains = [\"sender.example\"]")
        .start();
    let Some(exim) = Exim::start(relay.address("mx")) else {
        return;
    };
    submit(exim.address(), &GOOD_AND_BAD, &awkward());
    good_ones_arrive(&sink);
    exim.drained();
    relay.leaves_nothing(sink);
}
