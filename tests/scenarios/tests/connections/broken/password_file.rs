//! A reload with the same configuration takes another password from the same file: a session of the
//! former one carries no more mail, and mail that a wrong one holds flows with the right one.

use std::fs;

use crate::{LOGIN, PASSWORD, Service, submit, waits};

#[test]
fn another_password_in_the_same_file_is_used_after_a_reload() {
    let service = Service::start(LOGIN);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, PASSWORD).unwrap();
    let keys = format!("user = 'desk'\npassword = {{ file = {file:?} }}\n");
    let relay = service.relay(&keys).start();
    submit(&relay, &["x@elsewhere.example"]);
    assert_eq!(service.sink.take().user.as_deref(), Some("desk"));

    // The session stands idle, and the service would take more on it.
    fs::write(&file, "another one\n").unwrap();
    relay.reload();
    let id = submit(&relay, &["y@elsewhere.example"]);
    waits(&relay, &id, "535");
    let shown = relay.json(&["connection", "show", "desk"]).remove(0);
    assert_eq!(shown["status"]["state"], "broken", "{shown}");

    fs::write(&file, PASSWORD).unwrap();
    let log = relay.reload();
    assert!(
        !log.contains("another one") && !log.contains(PASSWORD),
        "{log}"
    );
    assert_eq!(service.sink.take().to, ["y@elsewhere.example"]);
    relay.leaves_nothing(service.sink);
}
