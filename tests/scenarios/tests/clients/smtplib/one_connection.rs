//! Many messages over one connection, one of them given up in the middle.

use test_support::{RelayBuilder, Sink};

use super::program::run;
use crate::{numbered, numbers};

const PROGRAM: &str = r#"
with connect() as server:
    for number in range(50):
        if number == 25:
            server.mail("ann@sender.example")
            server.rcpt("user@desk.example")
            server.rset()
        each = message.replace(b"Subject: 0", b"Subject: %d" % number)
        server.sendmail("ann@sender.example", "user@desk.example", each)
"#;

#[test]
fn each_message_over_one_connection_arrives_once() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    if run(PROGRAM, &relay, "mx", &numbered(0)).is_none() {
        return;
    }
    assert_eq!(numbers(&sink, 50), (0..50).collect::<Vec<_>>());
    relay.leaves_nothing(sink);
}
