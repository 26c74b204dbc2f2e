//! The relay is killed between a request and its answer, and between events and their request.
//! After its start the same batch comes again under the same id, and then the others, in order.

use test_support::Sink;

use super::endpoint::{Endpoint, in_order};
use super::{builder, make_events, secret, webhook};

#[test]
fn a_kill_loses_no_event_and_marks_those_that_come_again() {
    let (sink, endpoint) = (Sink::start(), Endpoint::start());
    let keys = format!("{}\nbatch = 2", secret());
    let mut relay = builder(&sink)
        .with(&webhook("desk", endpoint.address, &keys))
        .start();
    relay.json(&["account", "suspend", "acme"]);
    let first = endpoint.request();
    let (id, body) = (first.id.clone(), first.body().to_vec());
    // More events, which would fit into the same batch.
    make_events(&relay);
    relay.kill();
    relay.restart();
    let again = endpoint.request();
    assert_eq!((&again.id, again.body()), (&id, &body[..]));
    let mut events = again.events();
    assert_eq!(events.len(), 1);
    // Taken, and killed before or after the relay knows.
    again.answer("200 OK", "");
    relay.kill();
    make_events_of_stopped(&relay);
    relay.restart();
    let mut next = endpoint.request();
    if next.id == id {
        next.answer("200 OK", "");
        next = endpoint.request();
    }
    events.extend(next.events());
    next.answer("200 OK", "");
    while events.len() < 5 {
        let more = endpoint.request();
        events.extend(more.events());
        more.answer("200 OK", "");
    }
    in_order(&events);
    assert_eq!(events.len(), 5);
    relay.leaves_nothing(sink);
}

/// Makes two events more while no relay runs.
fn make_events_of_stopped(relay: &test_support::Relay) {
    make_events(relay);
}
