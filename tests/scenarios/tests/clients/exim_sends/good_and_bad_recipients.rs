//! Of several recipients one is refused: Exim hands over the others, and tells the sender in
//! the relay's words.

use test_support::{Exim, RelayBuilder, Sink};

use crate::{assert_whole, awkward, submit};

/// A second account, whose mail goes to the sink as well: the sender's.
#[test]
fn the_good_ones_get_it_and_the_sender_hears_of_the_bad_one() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[[account]]\nid = \"sender\"\ndomains = [\"sender.example\"]")
        .start();
    let Some(exim) = Exim::start(relay.address("mx")) else {
        return;
    };
    let recipients = [
        "one@desk.example",
        "x@elsewhere.example",
        "two@desk.example",
    ];
    submit(exim.address(), &recipients, &awkward());
    let mut taken = [sink.take(), sink.take()];
    taken.sort_by_key(|taken| taken.from.is_empty());
    let [message, bounce] = taken;
    assert_eq!(message.to, ["one@desk.example", "two@desk.example"]);
    assert_whole(&message, &awkward());
    assert_eq!(bounce.to, ["ann@sender.example"]);
    let report = bounce.text();
    for part in ["x@elsewhere.example", "550 5.7.1 "] {
        assert!(report.contains(part), "{report}");
    }
    assert!(!report.contains("one@desk.example"), "{report}");
    exim.drained();
    relay.leaves_nothing(sink);
}
