//! The envelope in one group, with a recipient who is refused in the middle.

use test_support::{RelayBuilder, Sink};

use super::program::Swaks;
use crate::{assert_whole, awkward};

#[test]
fn a_refused_recipient_costs_the_others_nothing() {
    let Some(swaks) = Swaks::installed() else {
        return;
    };
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let arguments = [
        "--pipeline",
        "--from",
        "ann@sender.example",
        "--to",
        "one@desk.example,x@elsewhere.example,two@desk.example",
    ];
    let run = swaks.send(&relay, "mx", &awkward(), &arguments);
    run.accepted();
    assert!(run.dialogue.contains("550 5.7.1 "), "{}", run.dialogue);
    let taken = sink.take();
    assert_eq!(taken.to, ["one@desk.example", "two@desk.example"]);
    assert_whole(&taken, &awkward());
    relay.leaves_nothing(sink);
}
