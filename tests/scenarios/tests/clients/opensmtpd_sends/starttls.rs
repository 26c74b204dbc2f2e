//! OpenSMTPD takes the STARTTLS that it is offered; messages arrive octet for octet, small and large.

use test_support::{OpenSmtpd, RelayBuilder, Sink};

use crate::{assert_whole, awkward, megabyte, submit};

#[test]
fn messages_arrive_under_tls() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let Some(opensmtpd) = OpenSmtpd::start(relay.address("mx")) else {
        return;
    };
    for message in [awkward(), megabyte()] {
        submit(opensmtpd.address(), &["user@desk.example"], &message);
        let taken = sink.take();
        assert_eq!(taken.from, "ann@sender.example");
        assert_eq!(taken.to, ["user@desk.example"]);
        let field = taken.header("Received").unwrap();
        assert!(field.starts_with("from opensmtpd.example "), "{field}");
        assert!(field.contains(" with ESMTPS id "), "{field}");
        assert_whole(&taken, &message);
    }
    opensmtpd.drained();
    relay.leaves_nothing(sink);
}
