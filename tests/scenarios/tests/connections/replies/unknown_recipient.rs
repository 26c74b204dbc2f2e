//! A recipient that the service does not know bounces, and the connection goes on.

use crate::{LOGIN, Service, USER, submit};

#[test]
fn an_unknown_recipient_bounces() {
    let rule = "[[on]]\ncommand = 'RCPT'\nmatch = 'nobody@*'\nreply = '550 5.1.1 no such user'\n";
    let service = Service::start(&format!("{LOGIN}{rule}"));
    let relay = service.relay(USER).start();
    submit(&relay, &["x@elsewhere.example", "nobody@elsewhere.example"]);
    let came = [service.sink.take(), service.sink.take()];
    let (bounces, others): (Vec<_>, Vec<_>) = came.iter().partition(|one| one.from.is_empty());
    assert_eq!(others[0].to, ["x@elsewhere.example"]);
    assert_eq!(bounces[0].to, ["ann@sender.example"]);
    let bounce = bounces[0].text();
    assert!(
        bounce.contains("5.1.1") && bounce.contains("no such user"),
        "{bounce}"
    );
    let shown = relay.json(&["connection", "show", "desk"]).remove(0);
    assert_eq!(shown["status"]["state"], "working", "{shown}");
    relay.leaves_nothing(service.sink);
}
