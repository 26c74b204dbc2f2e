//! An endpoint that answers 410 is asked no more, loudly; its events are kept, and go when it is
//! configured anew.

use test_support::Sink;

use super::endpoint::{Endpoint, in_order};
use super::{builder, make_events, secret, webhook};

#[test]
fn an_endpoint_that_is_gone_is_stopped_until_it_is_configured_anew() {
    let (sink, gone, other) = (Sink::start(), Endpoint::start(), Endpoint::start());
    let with = |address| {
        builder(&sink)
            .with(&webhook("desk", address, &secret()))
            .with(&webhook("other", other.address, &secret()))
    };
    let relay = with(gone.address).start();
    relay.json(&["account", "suspend", "acme"]);
    gone.request().answer("410 Gone", "");
    relay.logged("answers that it is gone (410)");
    let told = other.take(2);
    assert_eq!(told[1]["subject"], "webhook", "{told:?}");
    let states = relay.json(&["events", "webhooks"]);
    assert_eq!(states[0]["phase"], "gone");
    assert_eq!(states[0]["last-answer"]["status"], 410);
    make_events(&relay);
    other.take(2);

    let back = Endpoint::start();
    relay.reloads(&with(back.address));
    let events = back.take(4);
    in_order(&events);
    assert_eq!(events[..2], told);
    relay.leaves_nothing(sink);
}
