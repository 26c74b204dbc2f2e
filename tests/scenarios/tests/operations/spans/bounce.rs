//! A bounce is a message of the relay's own: its trace begins with the notification, which links to
//! the message that could not be delivered.

use test_support::{RelayBuilder, Sink};

use super::{Collector, exported_to, named, only, root_of};
use crate::{MESSAGE, accepted};

#[test]
fn a_notification_links_to_its_original() {
    let collector = Collector::start();
    let sink = Sink::with(&["--fail-rcpt", "nobody"]);
    let mut relay = RelayBuilder::usual(sink.address())
        .with(&exported_to(&collector))
        .start();
    let id = accepted(&relay, &["nobody@desk.example"], MESSAGE);
    assert_eq!(sink.take().from, "", "a bounce");
    relay.terminate();

    let spans = collector.spans();
    let notification = only(&spans, "notification");
    assert_eq!(notification.links, [root_of(&id)]);
    assert_eq!(notification.get("gatepost.original"), id);
    assert_eq!(notification.get("gatepost.action"), "failed");
    let own = notification.get("gatepost.transaction");
    assert_eq!(
        (notification.trace.clone(), notification.id.clone()),
        root_of(own)
    );
    let attempts = named(&spans, "delivery.attempt");
    let [failed, told] = attempts.as_slice() else {
        panic!("two attempts: {attempts:#?}");
    };
    assert_eq!(failed.get("gatepost.ending"), "failed");
    assert_eq!((failed.trace.clone(), failed.parent.clone()), root_of(&id));
    assert_eq!(told.get("gatepost.ending"), "delivered");
    assert_eq!((told.trace.clone(), told.parent.clone()), root_of(own));
}
