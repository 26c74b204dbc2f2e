//! A route that requires TLS does not take just any certificate: the message waits, and goes out
//! once the operator has said whom to trust.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{assert_whole, awkward, nothing_is_left, submit};

#[test]
fn a_message_waits_for_a_certificate_to_trust() {
    let sink = Sink::start();
    let Some(postfix) = Postfix::start(sink.address()) else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let strict = RelayBuilder::usual(postfix.address())
        .replace("tls = \"none\"", "tls = \"required\"")
        .directory(directory.path());
    let mut relay = strict.clone().start();
    submit(relay.address("mx"), &["user@desk.example"], &awkward());
    relay.logged("invalid peer certificate");
    relay.terminate();
    let queue = relay.json(&["queue", "list", "--messages"]);
    assert_eq!(queue.len(), 1, "{queue:?}");

    let trust = format!("retry = [\"1s\"]\nca-file = {:?}", postfix.certificate());
    let relay = strict.replace("retry = [\"1s\"]", &trust).start();
    assert_whole(&sink.take(), &awkward());
    nothing_is_left(relay, postfix, sink);
}
