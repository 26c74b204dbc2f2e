//! An endpoint takes events, but its answer is lost. The same request comes again under the same id
//! and with the same numbers, so that it is known as a duplicate.

use test_support::Sink;

use super::endpoint::{Endpoint, numbers};
use super::{SECRET, builder, make_events, secret, webhook};

#[test]
fn events_whose_answer_was_lost_come_again_under_the_same_id() {
    let (sink, endpoint) = (Sink::start(), Endpoint::start());
    let relay = builder(&sink)
        .with(&webhook("desk", endpoint.address, &secret()))
        .start();
    relay.json(&["account", "suspend", "acme"]);
    let taken = endpoint.request();
    let (id, body) = (taken.id.clone(), taken.body().to_vec());
    // The connection ends without an answer.
    drop(taken);
    let again = endpoint.request();
    assert_eq!((&again.id, again.body()), (&id, &body[..]));
    assert!(again.is_signed_by(SECRET));
    let first = numbers(&again.events());
    again.answer("200 OK", "");
    make_events(&relay);
    let rest = numbers(&endpoint.take(2));
    assert!(first.last() < rest.first());
    relay.leaves_nothing(sink);
}
