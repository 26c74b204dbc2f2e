//! OpenSMTPD sends in plaintext if no TLS is offered; messages arrive octet for octet, small and
//! large.

use test_support::{OpenSmtpd, Sink};

use crate::{messages_come, without_tls};

#[test]
fn messages_arrive_octet_for_octet_in_plaintext() {
    let sink = Sink::start();
    let relay = without_tls(&sink);
    let Some(opensmtpd) = OpenSmtpd::start(relay.address("mx")) else {
        return;
    };
    messages_come(relay, &opensmtpd, sink, "opensmtpd.example", "ESMTP");
}
