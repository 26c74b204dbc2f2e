//! Exim sends in chunks where that is offered (RFC 3030); messages arrive octet for octet, small
//! and large.

use test_support::{Exim, RelayBuilder, Sink};

use crate::messages_come;

#[test]
fn messages_arrive_octet_for_octet() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let Some(exim) = Exim::start(relay.address("mx")) else {
        return;
    };
    messages_come(relay, &exim, sink, "exim.example", "ESMTPS");
    // By this Exim says that it used CHUNKING.
    let delivered = exim.logged("=> user@desk.example");
    assert!(delivered.contains(" K C="), "{delivered}");
}
