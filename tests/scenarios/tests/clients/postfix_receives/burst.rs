//! Many messages at once, over connections under TLS that are used again.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{nothing_is_left, numbers, submit_numbered};

#[test]
fn each_message_of_a_burst_to_postfix_arrives_once() {
    let sink = Sink::start();
    let Some(postfix) = Postfix::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address())
        .replace("tls = \"none\"", "tls = \"opportunistic\"")
        .start();
    submit_numbered(relay.address("mx"), 10, 20);
    assert_eq!(numbers(&sink, 200), (0..200).collect::<Vec<_>>());
    nothing_is_left(relay, postfix, sink);
}
