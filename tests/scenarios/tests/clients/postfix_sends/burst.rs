//! Many messages at once, over as many connections as Postfix sees fit.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{numbers, submit_numbered};

#[test]
fn each_message_of_a_burst_from_postfix_arrives_once() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let Some(postfix) = Postfix::start(relay.address("mx")) else {
        return;
    };
    submit_numbered(postfix.address(), 10, 20);
    assert_eq!(numbers(&sink, 200), (0..200).collect::<Vec<_>>());
    postfix.drained();
    relay.leaves_nothing(sink);
}
