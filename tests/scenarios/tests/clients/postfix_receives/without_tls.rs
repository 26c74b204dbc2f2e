//! A route that wants no TLS gets none, though Postfix offers it.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{assert_whole, awkward, megabyte, nothing_is_left, submit};

#[test]
fn messages_arrive_octet_for_octet() {
    let sink = Sink::start();
    let Some(postfix) = Postfix::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(postfix.address()).start();
    for message in [awkward(), megabyte()] {
        submit(relay.address("mx"), &["user@desk.example"], &message);
        let taken = sink.take();
        assert_eq!(taken.from, "ann@sender.example");
        assert_eq!(taken.to, ["user@desk.example"]);
        let field = taken.header("Received").unwrap();
        assert!(field.starts_with("from mx.desk.example "), "{field}");
        assert!(field.contains(" with ESMTP id "), "{field}");
        assert_whole(&taken, &message);
    }
    nothing_is_left(relay, postfix, sink);
}
