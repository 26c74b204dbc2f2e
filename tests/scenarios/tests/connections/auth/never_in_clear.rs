//! A service that offers AUTH in clear and no TLS never hears a password: the connection is broken,
//! and the mail waits. A connection with a credential and without TLS is refused at the start.

use crate::{LOGIN, Service, USER, submit, waits};

#[test]
fn a_password_never_goes_in_clear() {
    let script = LOGIN.replace("tls = { mode = 'starttls' }", "");
    let service = Service::start(&script.replace("[auth]", "[auth]\nin-clear = true"));
    let relay = service.relay(USER).start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    let (_, reason) = waits(&relay, &id, "STARTTLS");
    assert!(!reason.is_empty());
    let dialogue = service.sink.dialogue();
    assert!(dialogue.contains("AUTH PLAIN"), "it is offered: {dialogue}");
    assert!(!dialogue.contains("\"client\":\"AUTH"), "{dialogue}");
    assert!(!dialogue.contains("\"client\":\"MAIL"), "{dialogue}");
    relay.json(&["queue", "cancel", &id]);
    relay.leaves_nothing(service.sink);

    for tls in ["none", "opportunistic"] {
        let service = Service::start(LOGIN);
        let keys = format!("{USER}tls = '{tls}'\n");
        let error = service.relay(&keys).try_start().err().unwrap();
        assert!(error.contains("may not be encrypted"), "{error}");
    }
}
