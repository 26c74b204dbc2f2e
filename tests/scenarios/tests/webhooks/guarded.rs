//! The address of an endpoint is held to the guard: one that is not public, and that the site has
//! not allowed, is not connected to.

use test_support::{RelayBuilder, Sink};

use super::endpoint::Endpoint;
use super::{secret, webhook};

#[test]
fn an_endpoint_at_an_inner_address_is_not_connected_to() {
    let (sink, endpoint) = (Sink::start(), Endpoint::start());
    let relay = RelayBuilder::usual(sink.address())
        .with(&webhook("desk", endpoint.address, &secret()))
        .start();
    relay.json(&["account", "suspend", "acme"]);
    let state = relay.eventually("it was tried", |relay| {
        let state = relay.json(&["events", "webhooks"]).remove(0);
        (state["failures"].as_u64() > Some(0)).then_some(state)
    });
    let answer = &state["last-answer"];
    assert!(answer["status"].is_null(), "{state}");
    assert!(
        answer["words"].as_str().unwrap().contains("127.0.0.1"),
        "{state}"
    );
    assert!(endpoint.is_idle());
    relay.leaves_nothing(sink);
}
