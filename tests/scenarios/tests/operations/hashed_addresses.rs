//! With `[log] addresses = "hashed"` the log names each address by its hash, the same after a restart.

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, accepted};

#[test]
fn no_address_stands_in_the_log_and_the_store_tells_its_name() {
    for format in ["text", "json"] {
        let sink = Sink::start();
        let settings = format!("[log]\nformat = '{format}'\naddresses = 'hashed'\n");
        let mut relay = (RelayBuilder::usual(sink.address()).with(&settings))
            .environment("RUST_LOG", "debug")
            .start();
        let sent = |relay: &test_support::Relay| {
            accepted(relay, &["x@desk.example"], MESSAGE);
            sink.take();
        };
        sent(&relay);
        let name =
            String::from_utf8(relay.command(&["logged", "Ann@sender.example"]).stdout).unwrap();
        let name = name.trim();
        assert!(name.starts_with("address-"), "{name}");
        assert!(
            relay.logged("message answered").contains(name),
            "{}",
            relay.log()
        );
        assert!(relay.terminate().success());
        relay.restart();
        sent(&relay);
        let answered = relay.logged("message answered");
        assert!(answered.contains(name), "{answered}");
        for address in ["ann@sender.example", "x@desk.example"] {
            assert!(!relay.log().contains(address), "{}", relay.log());
        }
        relay.leaves_nothing(sink);
    }
}
