//! A pinned key is trusted whoever vouches for it, and no other key is.

use crate::{Service, TLS, submit, waits};

#[test]
fn a_pinned_key_is_trusted_and_no_other_key() {
    let service = Service::named(TLS, &["other.example"]);
    let key = format!("pinned-keys = ['{}']\n", service.certificate.pin());
    let relay = service.relay_without_ca(&key).start();
    submit(&relay, &["x@elsewhere.example"]);
    assert!(service.sink.take().tls.is_some());
    relay.leaves_nothing(service.sink);

    let service = Service::start(TLS);
    let relay = service.relay_without_ca(&key).start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    waits(&relay, &id, "certificate");
    relay.json(&["queue", "cancel", &id]);
    relay.leaves_nothing(service.sink);
}
