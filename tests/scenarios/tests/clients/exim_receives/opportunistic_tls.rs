//! A route that takes TLS where it is offered takes it from Exim; messages arrive octet for octet,
//! small and large.

use test_support::{Exim, RelayBuilder, Sink};

use crate::{assert_whole, awkward, megabyte, nothing_is_left, submit};

#[test]
fn messages_arrive_octet_for_octet() {
    let sink = Sink::start();
    let Some(exim) = Exim::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(exim.address())
        .replace("tls = \"none\"", "tls = \"opportunistic\"")
        .start();
    for message in [awkward(), megabyte()] {
        submit(relay.address("mx"), &["user@desk.example"], &message);
        let taken = sink.take();
        assert_eq!(taken.from, "ann@sender.example");
        assert_eq!(taken.to, ["user@desk.example"]);
        let field = taken.header("Received").unwrap();
        assert!(field.contains("helo=mx.desk.example"), "{field}");
        assert!(field.contains(" with esmtps "), "{field}");
        assert_whole(&taken, &message);
    }
    nothing_is_left(relay, exim, sink);
}
