//! A service that offers none of the connection's mechanisms gets no log-in and no mail.

use crate::{LOGIN, Service, USER, submit, waits};

#[test]
fn a_service_without_a_fitting_mechanism_breaks_the_connection() {
    let service = Service::start(LOGIN);
    let keys = format!("{USER}mechanisms = ['plain']\n");
    let service_of_others = Service::start(&LOGIN.replace("'PLAIN', ", ""));
    let relay = service_of_others.relay(&keys).start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    waits(&relay, &id, "no mechanism");
    let shown = relay.json(&["connection", "show", "desk"]).remove(0);
    assert_eq!(shown["status"]["state"], "broken", "{shown}");
    assert_eq!(shown["status"]["stage"], "auth", "{shown}");
    let dialogue = service_of_others.sink.dialogue();
    assert!(!dialogue.contains("\"client\":\"AUTH"), "{dialogue}");
    relay.json(&["queue", "cancel", &id]);
    relay.leaves_nothing(service_of_others.sink);
    // Where it is offered, the same connection works.
    assert_eq!(service.takes(&keys).mechanism.as_deref(), Some("PLAIN"));
}
