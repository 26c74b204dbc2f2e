//! A message that the service defers is given up after the connection's own time.

use crate::{Service, TLS, submit};

#[test]
fn mail_is_given_up_after_the_connections_time() {
    let defers =
        "[[on]]\ncommand = 'RCPT'\nmatch = 'x@*'\nreply = '450 4.2.1 not now, says the service'\n";
    let service = Service::start(&format!("{TLS}{defers}"));
    // The relay itself would go on for five days.
    let relay = service.relay("expiry = '2s'\n").start();
    submit(&relay, &["x@elsewhere.example"]);
    let bounce = service.sink.take();
    assert_eq!((&*bounce.from, &*bounce.to[0]), ("", "ann@sender.example"));
    let text = bounce.text();
    assert!(text.contains("Status: 5.4.7"), "{text}");
    assert!(
        text.contains("450 4.2.1 not now, says the service"),
        "{text}"
    );
    relay.leaves_nothing(service.sink);
}
