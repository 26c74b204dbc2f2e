//! Postfix on both sides, as where the relay stands between two mail servers of a site.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{assert_whole, awkward, nothing_is_left};

#[test]
fn a_message_arrives_octet_for_octet() {
    let sink = Sink::start();
    let Some(behind) = Postfix::start(sink.address()) else {
        return;
    };
    let relay = RelayBuilder::usual(behind.address())
        .replace("tls = \"none\"", "tls = \"opportunistic\"")
        .start();
    let Some(before) = Postfix::start(relay.address("mx")) else {
        return;
    };
    before.sendmail("ann@sender.example", &["user@desk.example"], &awkward());
    let taken = sink.take();
    assert_eq!(taken.from, "ann@sender.example");
    assert_eq!(taken.to, ["user@desk.example"]);
    assert_whole(&taken, &awkward());
    before.drained();
    nothing_is_left(relay, behind, sink);
}
