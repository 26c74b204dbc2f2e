//! Where spans go is settled at start: a reload that changes it is refused as a whole, and shows no
//! secret.

use test_support::{RelayBuilder, Sink};

const OTLP: &str = "[otlp]\nendpoint = \"http://127.0.0.1:1\"\n\
                    headers = { Authorization = \"Bearer hidden\" }";

#[test]
fn the_collector_cannot_change_while_the_relay_runs() {
    let sink = Sink::start();
    let without = RelayBuilder::usual(sink.address());
    let with = without.clone().with(OTLP);
    let relay = with.clone().start();
    for changed in [
        with.clone().replace("127.0.0.1:1\"", "127.0.0.1:2\""),
        with.clone().with("sample = 0.5"),
        with.clone().with("addresses = true"),
        with.clone().replace("Bearer", "Basic"),
        without.clone(),
    ] {
        let said = relay.refuses_to_reload(&changed.replace("\"secret\"", "\"another\""));
        let why = "otlp cannot change while the relay runs";
        assert!(said.contains(why), "{said}");
        assert!(!said.contains("hidden"), "{said}");
        // Nothing else of it is put in use.
        let client = relay.client("submission");
        client.authenticated("user", "secret");
    }
    with.write(relay.directory());
    relay.json(&["reload"]);
    relay.leaves_nothing(sink);
}

#[test]
fn a_collector_cannot_be_added_while_the_relay_runs() {
    let sink = Sink::start();
    let without = RelayBuilder::usual(sink.address());
    let relay = without.clone().start();
    let said = relay.refuses_to_reload(&without.clone().with(OTLP));
    let why = "otlp cannot change while the relay runs";
    assert!(said.contains(why), "{said}");
    without.write(relay.directory());
    relay.leaves_nothing(sink);
}
