//! Postfix grants fewer connections than the relay would like (421): the messages come later.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{nothing_is_left, numbers, submit_numbered};

#[test]
fn each_message_over_few_connections_arrives_once() {
    let sink = Sink::start();
    let limit = "smtpd_client_connection_count_limit = 1\n\
                 smtpd_client_event_limit_exceptions =";
    let Some(postfix) = Postfix::with(sink.address(), limit) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address()).start();
    submit_numbered(relay.address("mx"), 10, 3);
    assert_eq!(numbers(&sink, 30), (0..30).collect::<Vec<_>>());
    postfix.logged("Connection concurrency limit exceeded");
    nothing_is_left(relay, postfix, sink);
}
