//! A route that takes TLS where it is offered takes it, with a certificate that nobody vouches for.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::messages_arrive;

#[test]
fn messages_arrive_octet_for_octet() {
    let sink = Sink::start();
    let Some(postfix) = Postfix::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address())
        .replace("tls = \"none\"", "tls = \"opportunistic\"")
        .start();
    messages_arrive(
        relay,
        postfix,
        sink,
        &["from mx.desk.example ", " with ESMTPS id "],
    );
}
