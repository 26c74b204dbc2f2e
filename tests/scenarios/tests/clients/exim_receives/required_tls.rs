//! A route that requires TLS trusts Exim's certificate by `ca-file`.

use test_support::{Exim, RelayBuilder, Sink};

use crate::{assert_whole, awkward, nothing_is_left, submit};

#[test]
fn a_message_arrives_under_required_tls() {
    let sink = Sink::start();
    let Some(exim) = Exim::start(sink.address()) else {
        return;
    };
    let trust = format!("retry = [\"1s\"]\nca-file = {:?}", exim.certificate());
    let relay = RelayBuilder::usual(exim.address())
        .replace("tls = \"none\"", "tls = \"required\"")
        .replace("retry = [\"1s\"]", &trust)
        .start();
    submit(relay.address("mx"), &["user@desk.example"], &awkward());
    let taken = sink.take();
    let field = taken.header("Received").unwrap();
    assert!(field.contains(" with esmtps "), "{field}");
    assert_whole(&taken, &awkward());
    nothing_is_left(relay, exim, sink);
}
