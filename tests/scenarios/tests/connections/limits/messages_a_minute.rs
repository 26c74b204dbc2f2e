//! No more messages within a minute than the connection allows: the next one waits, and is not
//! attempted.

use crate::{Service, TLS, submit, waits};

#[test]
fn a_minute_has_so_many_messages() {
    let service = Service::start(TLS);
    let relay = service
        .relay("limits = { messages-a-minute = 2 }\n")
        .start();
    for _ in 0..2 {
        submit(&relay, &["x@elsewhere.example"]);
        service.sink.take();
    }
    let id = submit(&relay, &["z@elsewhere.example"]);
    let (recipient, reason) = waits(&relay, &id, "limits of the connection");
    assert_eq!(recipient["attempts"], 0, "{recipient}");
    assert!(!reason.is_empty());
    let shown = relay.json(&["queue", "show", &id]).remove(0);
    let due = recipient["next-attempt"].as_u64().unwrap();
    let wait = due - shown["received-at"].as_u64().unwrap();
    assert!((1..=60_000).contains(&wait), "{wait}");
    relay.json(&["queue", "cancel", &id]);
    relay.leaves_nothing(service.sink);
}
