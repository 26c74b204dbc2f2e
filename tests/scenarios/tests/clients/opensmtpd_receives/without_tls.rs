//! OpenSMTPD takes messages in plaintext; they arrive octet for octet, small and large.

use test_support::{OpenSmtpd, RelayBuilder, Sink};

use crate::{assert_whole, awkward, megabyte, nothing_is_left, submit};

#[test]
fn messages_arrive_octet_for_octet() {
    let sink = Sink::start();
    let Some(opensmtpd) = OpenSmtpd::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(opensmtpd.address()).start();
    for message in [awkward(), megabyte()] {
        submit(relay.address("mx"), &["user@desk.example"], &message);
        let taken = sink.take();
        assert_eq!(taken.from, "ann@sender.example");
        assert_eq!(taken.to, ["user@desk.example"]);
        let field = taken.header("Received").unwrap();
        assert!(field.starts_with("from mx.desk.example "), "{field}");
        assert_whole(&taken, &message);
    }
    nothing_is_left(relay, opensmtpd, sink);
}
