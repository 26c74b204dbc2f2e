//! A route that takes TLS where it is offered takes it from Exim; messages arrive octet for octet,
//! small and large.

use test_support::{Exim, RelayBuilder, Sink};

use crate::messages_arrive;

#[test]
fn messages_arrive_octet_for_octet() {
    let sink = Sink::start();
    let Some(exim) = Exim::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(exim.address())
        .replace("tls = \"none\"", "tls = \"opportunistic\"")
        .start();
    messages_arrive(
        relay,
        exim,
        sink,
        &["helo=mx.desk.example", " with esmtps "],
    );
}
