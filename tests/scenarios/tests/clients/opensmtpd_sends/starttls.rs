use test_support::{OpenSmtpd, RelayBuilder, Sink};

use crate::messages_come;

#[test]
fn messages_arrive_under_tls() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let Some(opensmtpd) = OpenSmtpd::start(relay.address("mx")) else {
        return;
    };
    messages_come(relay, &opensmtpd, sink, "opensmtpd.example", "ESMTPS");
}
