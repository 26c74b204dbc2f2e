//! A certificate that no public authority vouches for: it breaks the connection, and is trusted
//! where it stands in `ca`.

use crate::{Service, TLS, submit, waits};

#[test]
fn an_authority_of_its_own_is_trusted() {
    let service = Service::start(TLS);
    let relay = service.relay_without_ca("").start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    waits(&relay, &id, "certificate");
    let shown = relay.json(&["connection", "show", "desk"]).remove(0);
    assert_eq!(shown["status"]["state"], "broken", "{shown}");
    assert_eq!(shown["status"]["stage"], "tls", "{shown}");

    // The change is tried at once.
    relay.reloads(&service.relay(""));
    assert!(service.sink.take().tls.is_some());
    relay.leaves_nothing(service.sink);
}
