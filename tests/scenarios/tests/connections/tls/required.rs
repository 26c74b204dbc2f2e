//! Where TLS is required, a service without STARTTLS gets nothing.

use crate::{Service, TLS, submit, waits};

#[test]
fn mail_waits_where_tls_is_required_and_not_offered() {
    let service = Service::start("");
    let relay = service.relay("tls = 'required'\n").start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    waits(&relay, &id, "STARTTLS");
    let dialogue = service.sink.dialogue();
    assert!(!dialogue.contains("\"client\":\"MAIL"), "{dialogue}");
    relay.json(&["queue", "cancel", &id]);
    relay.leaves_nothing(service.sink);

    let taken = Service::start(TLS).takes("tls = 'required'\n");
    assert!(taken.tls.is_some());
}
