//! Postfix takes only so many messages in a time (450): the others come later.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{nothing_is_left, numbers, submit_numbered};

#[test]
fn each_message_over_the_rate_arrives_once() {
    let sink = Sink::start();
    let limit = "smtpd_client_message_rate_limit = 2\n\
                 smtpd_client_event_limit_exceptions =\n\
                 anvil_rate_time_unit = 1s";
    let Some(postfix) = Postfix::with(sink.address(), limit) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address()).start();
    submit_numbered(relay.address("mx"), 1, 3);
    assert_eq!(numbers(&sink, 3), [0, 1, 2]);
    postfix.logged("Message delivery request rate limit exceeded");
    nothing_is_left(relay, postfix, sink);
}
