//! Where it is set, recipients to whom nothing automatic goes are refused instead.

use test_support::Sink;

use crate::{ANN, AUTOMATIC, comes, goes, suppressed, taken};

#[test]
fn all_recipients_are_refused_by_reply_and_some_by_bounce() {
    let sink = Sink::start();
    let relay = crate::with_settings(&sink, "suppress = \"reject\"").start();
    taken(&comes(&relay, "Auto-Submitted: auto-generated\r\n"));
    sink.take();
    let reply = goes(&relay, AUTOMATIC, &[ANN]);
    assert_eq!(
        (reply.code, reply.enhanced()),
        (550, Some("5.7.1")),
        "{}",
        reply.text()
    );

    let id = taken(&goes(&relay, AUTOMATIC, &[ANN, "bob@other.example"]));
    let mut arrived = [sink.take(), sink.take()];
    arrived.sort_by_key(|one| one.from.clone());
    let [bounce, message] = arrived;
    assert_eq!(message.to, ["bob@other.example"]);
    assert!(
        bounce.from.is_empty() && bounce.text().contains(ANN),
        "{}",
        bounce.text()
    );
    assert_eq!(suppressed(&relay, &id).len(), 0);
    assert_eq!(relay.events(&id, "bounced").len(), 1);
    relay.leaves_nothing(sink);
}
