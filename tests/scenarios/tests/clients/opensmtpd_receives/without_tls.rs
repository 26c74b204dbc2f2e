//! OpenSMTPD takes messages in plaintext; they arrive octet for octet, small and large.

use test_support::{OpenSmtpd, RelayBuilder, Sink};

use crate::messages_arrive;

#[test]
fn messages_arrive_octet_for_octet() {
    let sink = Sink::start();
    let Some(opensmtpd) = OpenSmtpd::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(opensmtpd.address()).start();
    messages_arrive(relay, opensmtpd, sink, &["from mx.desk.example "]);
}
