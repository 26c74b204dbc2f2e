//! A message from a local program through Postfix, which takes the STARTTLS that it is offered.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{assert_whole, awkward};

#[test]
fn a_message_arrives_under_tls() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let Some(postfix) = Postfix::start(relay.address("mx")) else {
        return;
    };
    postfix.sendmail("ann@sender.example", &["user@desk.example"], &awkward());
    let taken = sink.take();
    assert_eq!(taken.from, "ann@sender.example");
    assert_eq!(taken.to, ["user@desk.example"]);
    let field = taken.header("Received").unwrap();
    assert!(field.starts_with("from postfix.example "), "{field}");
    assert!(field.contains(" with ESMTPS id "), "{field}");
    assert_whole(&taken, &awkward());
    postfix.drained();
    relay.leaves_nothing(sink);
}
