//! Postfix closes a connection that has nothing to do for too long: the next message goes over a
//! new one, at once.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{nothing_is_left, numbered, numbers, submit};

#[test]
fn the_next_message_goes_over_a_new_connection() {
    let sink = Sink::start();
    let Some(postfix) = Postfix::with(sink.address(), "smtpd_timeout = 1s") else {
        return;
    };
    // A second attempt would come far too late.
    let relay = RelayBuilder::usual(postfix.address())
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        .start();
    submit(relay.address("mx"), &["user@desk.example"], &numbered(0));
    assert_eq!(numbers(&sink, 1), [0]);
    postfix.logged("timeout after END-OF-MESSAGE");
    submit(relay.address("mx"), &["user@desk.example"], &numbered(1));
    assert_eq!(numbers(&sink, 1), [1]);
    nothing_is_left(relay, postfix, sink);
}
