//! A route that requires TLS, and trusts Postfix's certificate by `ca-file`: for the address that
//! it names, and for a name.

use test_support::{Postfix, RelayBuilder, Sink};

use crate::{assert_whole, awkward, nothing_is_left, submit};

#[test]
fn a_message_arrives_at_an_address() {
    arrives("127.0.0.1");
}

#[test]
fn a_message_arrives_at_a_name() {
    arrives("localhost");
}

fn arrives(host: &str) {
    let sink = Sink::start();
    let Some(postfix) = Postfix::start(sink.address()) else {
        return;
    };
    let trust = format!("retry = [\"1s\"]\nca-file = {:?}", postfix.certificate());
    let relay = RelayBuilder::usual(postfix.address())
        .replace("tls = \"none\"", "tls = \"required\"")
        .replace("host = \"127.0.0.1\"", &format!("host = \"{host}\""))
        .replace("retry = [\"1s\"]", &trust)
        .start();
    submit(relay.address("mx"), &["user@desk.example"], &awkward());
    let taken = sink.take();
    let field = taken.header("Received").unwrap();
    assert!(field.contains(" with ESMTPS id "), "{field}");
    assert_whole(&taken, &awkward());
    nothing_is_left(relay, postfix, sink);
}
