//! What policies decide about a submission is told with the reason: suppressed, refused, held.

use test_support::Sink;

use crate::{judged_by, kinds, listed, submit, submitted, until};

#[test]
fn a_suppressed_recipient_is_told_of_with_the_reason() {
    let sink = Sink::start();
    let relay = judged_by("suppresses", &sink).start();
    let suppress = "X-Suppress: x@desk.example\r\n";
    let id = submitted(&relay, &["x@desk.example", "y@desk.example"], suppress);
    let events = until(&relay, &id, "delivered");
    assert_eq!(kinds(&events), ["suppressed", "queued", "delivered"]);
    assert_eq!(events[0]["recipient"], "x@desk.example");
    assert_eq!(events[0]["why"], "the message says so");
    sink.take();
    // Nothing is left of a message that is suppressed for all, but for its event.
    let id = submitted(&relay, &["x@desk.example"], suppress);
    assert_eq!(kinds(&until(&relay, &id, "suppressed")), ["suppressed"]);
    relay.leaves_nothing(sink);
}

#[test]
fn a_discarded_message_is_told_of_as_suppressed() {
    let sink = Sink::start();
    let relay = judged_by("discards", &sink)
        .with("grants = [\"discard\"]")
        .start();
    let id = submitted(&relay, &["x@desk.example"], "X-Attack: now\r\n");
    assert_eq!(kinds(&until(&relay, &id, "suppressed")), ["suppressed"]);
    relay.leaves_nothing(sink);
}

#[test]
fn a_quarantined_message_is_told_of_as_held() {
    let sink = Sink::start();
    let relay = judged_by("quarantines", &sink).start();
    let id = submitted(&relay, &["x@desk.example"], "X-Attack: now\r\n");
    let events = until(&relay, &id, "held");
    assert_eq!(kinds(&events), ["held"]);
    let words = events[0]["reply"]["lines"][0].as_str().unwrap();
    assert!(words.contains("a person should look at it"), "{words}");
}

#[test]
fn a_message_refused_after_its_data_is_told_of() {
    let sink = Sink::start();
    let relay = crate::relay_to(&sink).start();
    let foreign = "Sender: eve@elsewhere.example\r\n";
    let reply = submit(&relay, &["x@b.example", "y@b.example"], foreign);
    assert_eq!(reply.code, 550, "{}", reply.text());
    let events = listed(&relay, &["--kind", "refused"]);
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(events[0]["reply"]["code"], 550);
    assert_eq!(events[0]["transaction"], *reply.transaction());
    relay.leaves_nothing(sink);
}
