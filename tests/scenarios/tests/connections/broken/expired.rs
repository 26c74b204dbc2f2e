//! Mail of a broken connection does not expire: it is held, and goes when an operator releases it.

use crate::{LOGIN, Service, USER, submit};

#[test]
fn expired_mail_of_a_broken_connection_is_held() {
    let rule = "[[on]]\ncommand = 'CONNECT'\ntimes = 1\nreply = '554 5.3.2 closed for you'\n";
    let service = Service::start(&format!("{LOGIN}{rule}"));
    let relay = service
        .relay(USER)
        .replace("retry = [\"1s\"]", "retry = [\"1s\"]\nexpiry = \"2s\"")
        .start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    let held = relay.eventually("held", |relay| {
        let shown = relay.json(&["queue", "show", &id]).remove(0);
        let recipient = shown["recipients"][0].clone();
        (recipient["status"] == "held").then_some(recipient)
    });
    assert!(
        held["last-reply"].to_string().contains("closed for you"),
        "{held}"
    );
    relay.json(&["connection", "test", "desk"]);
    relay.json(&["queue", "release", &id]);
    // No bounce came before it.
    assert_eq!(service.sink.take().to, ["x@elsewhere.example"]);
    relay.leaves_nothing(service.sink);
}
