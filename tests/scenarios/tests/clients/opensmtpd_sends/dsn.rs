//! What a sender wants to hear of a message (RFC 3461) comes from OpenSMTPD through the relay as it was
//! asked.

use test_support::{OpenSmtpd, RelayBuilder, Sink};

use crate::notifications::{MORE, NEVER, ask, assert_asked};

#[test]
fn dsn_parameters_arrive_as_they_were_asked() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let Some(opensmtpd) = OpenSmtpd::start(relay.address("mx")) else {
        return;
    };
    // One at a time: it takes the NOTIFY of two recipients of a message for one.
    for asked in [MORE, NEVER] {
        ask(opensmtpd.address(), &[asked]);
        assert_asked(&sink.take(), &[asked]);
    }
    opensmtpd.drained();
    relay.leaves_nothing(sink);
}
