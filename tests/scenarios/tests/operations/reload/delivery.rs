//! Where mail goes changes with the next attempt, for what waits in the queue, too.

use test_support::Sink;

use super::changed;
use crate::{MESSAGE, accepted, waiting_after, without_next_hop};

#[test]
fn waiting_mail_takes_a_new_default_route() {
    let sink = Sink::start();
    let builder = without_next_hop(&sink);
    let relay = builder.clone().start();
    let id = accepted(&relay, &["x@desk.example"], MESSAGE);
    waiting_after(&relay, 1, &id);

    let port = format!("port = {}", sink.address().port());
    let reloaded = relay.reloads(&builder.replace("port = 1,", &format!("{port},")));
    assert_eq!(changed(&reloaded), ["delivery.default-route.port"]);
    relay.json(&["queue", "retry", &id]);
    sink.take();
    accepted(&relay, &["x@desk.example"], MESSAGE);
    sink.take();
    relay.eventually("both are delivered", |relay| {
        relay
            .json(&["queue", "list", "--messages"])
            .is_empty()
            .then_some(())
    });
    relay.leaves_nothing(sink);
}
