use test_support::{Exim, RelayBuilder, Sink};

use crate::messages_come;

#[test]
fn messages_arrive_under_tls() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let Some(exim) = Exim::start(relay.address("mx")) else {
        return;
    };
    messages_come(relay, &exim, sink, "exim.example", "ESMTPS");
}
