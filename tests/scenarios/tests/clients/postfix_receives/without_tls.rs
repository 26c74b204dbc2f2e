//! A route that wants no TLS gets none, though Postfix offers it.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::messages_arrive;

#[test]
fn messages_arrive_octet_for_octet() {
    let sink = Sink::start();
    let Some(postfix) = Postfix::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address()).start();
    messages_arrive(
        relay,
        postfix,
        sink,
        &["from mx.desk.example ", " with ESMTP id "],
    );
}
