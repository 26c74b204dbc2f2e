//! With `per-mailbox` the limits of a minute hold for each mailbox that mail leaves from; without
//! it, for all mail together.

use crate::{Service, TLS, submit, submit_from, waits};

#[test]
fn each_mailbox_has_a_limit_of_its_own() {
    let service = Service::start(TLS);
    let keys = "limits = { messages-a-minute = 1, per-mailbox = true }\n";
    let relay = service.relay(keys).start();
    submit(&relay, &["x@elsewhere.example"]);
    assert_eq!(service.sink.take().from, "ann@sender.example");
    let id = submit(&relay, &["y@elsewhere.example"]);
    waits(&relay, &id, "limits of the connection");
    submit_from(&relay, "bob@sender.example", &["z@elsewhere.example"]);
    assert_eq!(service.sink.take().from, "bob@sender.example");
    relay.json(&["queue", "cancel", &id]);
    relay.leaves_nothing(service.sink);
}

#[test]
fn all_mailboxes_share_a_limit_otherwise() {
    let service = Service::start(TLS);
    let relay = service
        .relay("limits = { messages-a-minute = 1 }\n")
        .start();
    submit(&relay, &["x@elsewhere.example"]);
    service.sink.take();
    let id = submit_from(&relay, "bob@sender.example", &["z@elsewhere.example"]);
    waits(&relay, &id, "limits of the connection");
    relay.json(&["queue", "cancel", &id]);
    relay.leaves_nothing(service.sink);
}
