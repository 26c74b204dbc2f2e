//! A service that demands a certificate of its clients gets the connection's, octet for octet.
//! Without one, the connection is broken at TLS, its mail waits, and flows when the certificate is
//! there.

use test_support::Certificate;

use crate::{Service, TLS, submit, waits};

#[test]
fn a_demanded_certificate_is_shown() {
    let home = tempfile::tempdir().unwrap();
    let own = Certificate::make_for(home.path(), &["mx.desk.example"]);
    let service = Service::of_clients(TLS, &own.certificate);
    let relay = service.relay("").start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    let (recipient, _) = waits(&relay, &id, "the connection does not take mail now");
    assert_eq!(recipient["attempts"], 1, "{recipient}");
    let shown = relay.json(&["connection", "show", "desk"]).remove(0);
    assert_eq!(shown["status"]["state"], "broken", "{shown}");
    assert_eq!(shown["status"]["stage"], "tls", "{shown}");
    let dialogue = service.sink.dialogue();
    assert!(!dialogue.contains("\"client\":\"MAIL"), "{dialogue}");

    let with = service.relay(&format!(
        "client-certificate = {{ file = {:?} }}\nclient-key = {{ file = {:?} }}\n",
        own.certificate, own.key
    ));
    // The change is tried at once.
    relay.reloads(&with);
    let taken = service.sink.take();
    assert_eq!(taken.to, ["x@elsewhere.example"]);
    assert_eq!(taken.client_certificate, Some(own.base64()));
    relay.leaves_nothing(service.sink);
}

/// A certificate of somebody else does not help.
#[test]
fn a_certificate_of_another_authority_is_refused() {
    let [home, foreign] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let own = Certificate::make_for(home.path(), &["mx.desk.example"]);
    let other = Certificate::make_for(foreign.path(), &["mx.desk.example"]);
    let service = Service::of_clients(TLS, &own.certificate);
    let keys = format!(
        "client-certificate = {{ file = {:?} }}\nclient-key = {{ file = {:?} }}\n",
        other.certificate, other.key
    );
    let relay = service.relay(&keys).start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    waits(&relay, &id, "the connection does not take mail now");
    let shown = relay.json(&["connection", "show", "desk"]).remove(0);
    assert_eq!(shown["status"]["stage"], "tls", "{shown}");
    relay.json(&["queue", "cancel", &id]);
    relay.leaves_nothing(service.sink);
}
