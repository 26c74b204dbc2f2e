//! A message in plaintext, small and large.

use test_support::{RelayBuilder, Sink};

use super::program::run;
use crate::{assert_whole, awkward, megabyte};

const PROGRAM: &str = r#"
with connect() as server:
    refused = server.sendmail(
        "ann@sender.example", "user@desk.example", message, mail_options=["BODY=8BITMIME"])
    assert not refused, refused
"#;

#[test]
fn a_message_arrives_octet_for_octet() {
    arrives(&awkward());
}

#[test]
fn a_large_message_arrives_octet_for_octet() {
    arrives(&megabyte());
}

fn arrives(message: &[u8]) {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    if run(PROGRAM, &relay, "mx", message).is_none() {
        return;
    }
    let taken = sink.take();
    assert_eq!(taken.from, "ann@sender.example");
    assert_eq!(taken.to, ["user@desk.example"]);
    assert_whole(&taken, message);
    relay.leaves_nothing(sink);
}
