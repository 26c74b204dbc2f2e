//! A customer's connection whose host leads into the relay's own network is broken, and says so as
//! loudly as one that its server refuses: its mail is held, and a changed connection is tried.

use crate::{LOGIN, Service, settings, waits, with_customer};

#[test]
fn a_host_that_the_guard_refuses_breaks_the_connection() {
    let service = Service::start(LOGIN);
    let customer = with_customer("");
    let relay = &customer.relay;
    customer.connection("add", &settings(&service));
    let id = customer.submit(&["x@elsewhere.example"]);
    waits(relay, &id, "which is loopback");
    let show = [
        "connection",
        "show",
        "outlook",
        "--account",
        "acme.desk.test",
    ];
    let shown = relay.json(&show).remove(0);
    let status = &shown["status"];
    assert_eq!(
        (&status["state"], &status["stage"]),
        (&"broken".into(), &"connect".into())
    );
    let has = |key: &str, words: &str| status[key].as_str().unwrap().contains(words);
    assert!(has("words", "127.0.0.1, which is loopback"), "{status}");
    assert!(has("advice", "allowed-networks"), "{status}");
    let logged = relay.logged("connection broken: its mail is held");
    assert!(logged.contains("which is loopback"), "{logged}");
    let tested = relay.command(&[
        "connection",
        "test",
        "outlook",
        "--account",
        "acme.desk.test",
    ]);
    let tested = String::from_utf8_lossy(&tested.stdout).into_owned();
    assert!(tested.contains("allowed-networks"), "{tested}");
    // What comes meanwhile waits without an attempt of its own.
    let later = customer.submit(&["y@elsewhere.example"]);
    let (later, _) = waits(relay, &later, "which is loopback");
    assert_eq!(later["attempts"], 0, "{later}");

    customer.connection(
        "set",
        &settings(&service).replace("127.0.0.1'", "169.254.169.254'"),
    );
    waits(relay, &id, "169.254.169.254");
    relay.json(&["queue", "cancel", "--all"]);
    customer.relay.leaves_nothing(service.sink);
}
