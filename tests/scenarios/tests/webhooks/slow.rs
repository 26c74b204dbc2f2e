//! An endpoint that does not answer in time gets the same events again; what comes meanwhile goes
//! in one request behind them.

use test_support::Sink;

use super::endpoint::{Endpoint, in_order, numbers};
use super::{builder, make_events, secret, webhook};

#[test]
fn an_endpoint_that_answers_late_gets_the_same_again() {
    let (sink, endpoint) = (Sink::start(), Endpoint::start());
    let keys = format!("{}\ntimeout-seconds = 1", secret());
    let relay = builder(&sink)
        .with(&webhook("slow", endpoint.address, &keys))
        .start();
    relay.json(&["account", "suspend", "acme"]);
    let first = endpoint.request();
    make_events(&relay);
    let second = endpoint.request();
    assert_eq!((&second.id, second.body()), (&first.id, first.body()));
    let mut events = second.events();
    second.answer("200 OK", "");
    // The late answer is nobody's.
    first.answer("200 OK", "");
    let rest = endpoint.request();
    assert_eq!(rest.events().len(), 2, "they go together");
    events.extend(rest.events());
    rest.answer("204 No Content", "");
    in_order(&events);
    assert_eq!(numbers(&events).len(), 3);
    relay.leaves_nothing(sink);
}
