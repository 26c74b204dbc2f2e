//! What a sender wants to hear of a message (RFC 3461) goes through the relay to OpenSMTPD as it was
//! asked.

use test_support::{OpenSmtpd, RelayBuilder, Sink};

use crate::nothing_is_left;
use crate::notifications::{MORE, NEVER, ask, assert_asked};

#[test]
fn dsn_parameters_arrive_as_they_were_asked() {
    let sink = Sink::start();
    let Some(opensmtpd) = OpenSmtpd::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(opensmtpd.address()).start();
    // One at a time: it takes the NOTIFY of two recipients of a message for one.
    for asked in [MORE, NEVER] {
        ask(relay.address("mx"), &[asked]);
        assert_asked(&sink.take(), &[asked]);
    }
    nothing_is_left(relay, opensmtpd, sink);
}
