//! A certificate for another name breaks the connection, although its authority is trusted.

use crate::{Service, TLS, submit, waits};

#[test]
fn a_certificate_for_another_name_is_refused() {
    let service = Service::named(TLS, &["other.example"]);
    let relay = service.relay("").start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    waits(&relay, &id, "certificate");
    let shown = relay.json(&["connection", "show", "desk"]).remove(0);
    assert_eq!(shown["status"]["state"], "broken", "{shown}");
    let dialogue = service.sink.dialogue();
    assert!(!dialogue.contains("\"client\":\"MAIL"), "{dialogue}");
    relay.json(&["queue", "cancel", &id]);
    relay.leaves_nothing(service.sink);
}
