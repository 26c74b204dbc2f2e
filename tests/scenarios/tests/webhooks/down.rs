//! An endpoint that is down, answers 500 or asks for a pause loses nothing, and holds no other
//! webhook up.

use std::net::SocketAddr;

use test_support::Sink;

use super::endpoint::{Endpoint, in_order};
use super::{SECRET, builder, make_events, secret, webhook};

/// Nobody else listens at this address of the loopback network.
fn address() -> SocketAddr {
    let process = std::process::id().to_be_bytes();
    SocketAddr::from(([127, 78, process[2], process[3].max(1)], 8026))
}

#[test]
fn an_endpoint_that_is_down_loses_nothing_and_holds_nobody_up() {
    let (sink, other) = (Sink::start(), Endpoint::start());
    let relay = builder(&sink)
        .with(&webhook("down", address(), &secret()))
        .with(&webhook("other", other.address, &secret()))
        .start();
    make_events(&relay);
    make_events(&relay);
    // The other one has its events while this one is tried.
    let told = other.take(4);
    in_order(&told);
    let state = |name: &str| {
        let states = relay.json(&["events", "webhooks"]);
        states
            .into_iter()
            .find(|state| state["name"] == name)
            .unwrap()
    };
    let down = relay.eventually("two tries failed", |_| {
        Some(state("down")).filter(|down| down["failures"].as_u64() >= Some(2))
    });
    assert_eq!(down["lag"], 4, "{down}");
    assert!(down["last-answer"]["status"].is_null());
    assert!(!down["url"].as_str().unwrap().contains("hidden"), "{down}");
    assert_eq!(state("other")["lag"], 0);

    let endpoint = Endpoint::at(&address().to_string());
    let first = endpoint.request();
    assert!(first.is_signed_by(SECRET));
    let (id, body) = (first.id.clone(), first.body().to_vec());
    first.answer("500 Oops", "");
    let second = endpoint.request();
    assert_eq!((&second.id, second.body()), (&id, &body[..]));
    second.answer("503 Busy", "Retry-After: 2\r\n");
    let waits = relay.eventually("it waits", |_| {
        Some(state("down")).filter(|down| down["last-answer"]["status"] == 503)
    });
    assert_eq!(waits["last-answer"]["words"], "words of the endpoint");
    let third = endpoint.request();
    assert_eq!(third.id, id);
    let mut events = third.events();
    third.answer("200 OK", "");
    events.extend(endpoint.take(4 - events.len()));
    assert_eq!(events, told);
    relay.eventually("it has caught up", |_| {
        Some(()).filter(|()| state("down")["lag"] == 0)
    });
    let taken = relay.metric(r#"gatepost_webhook_events_total{webhook="down"}"#);
    assert_eq!(taken, Some(4.0));
    relay.leaves_nothing(sink);
}
