//! An attempt that is made after a restart belongs to the trace of its message as the one before.

use test_support::Sink;

use super::{Collector, exported_to, named, root_of};
use crate::{MESSAGE, accepted, waiting_after, without_next_hop};

#[test]
fn the_trace_goes_on_in_the_next_process() {
    let collector = Collector::start();
    let mut relay = without_next_hop(&Sink::start())
        .with(&exported_to(&collector))
        .start();
    let id = accepted(&relay, &["help@desk.example"], MESSAGE);
    waiting_after(&relay, 1, &id);
    relay.terminate();
    relay.restart();
    relay.json(&["queue", "retry", &id]);
    waiting_after(&relay, 2, &id);
    relay.terminate();

    let spans = collector.spans();
    let attempts = named(&spans, "delivery.attempt");
    assert_eq!(attempts.len(), 2, "{attempts:#?}");
    let (trace, root) = root_of(&id);
    for (attempt, number) in attempts.into_iter().zip(["1", "2"]) {
        assert_eq!((&attempt.trace, &attempt.parent), (&trace, &root));
        assert_eq!(attempt.get("gatepost.attempt"), number);
        assert_eq!(attempt.get("gatepost.reply.enhanced"), "4.4.1");
    }
}
