//! The sender is told of a delay at the connection's own time.

use crate::{Service, TLS, submit};

#[test]
fn the_sender_is_told_at_the_connections_time() {
    let defers =
        "[[on]]\ncommand = 'RCPT'\nmatch = 'x@*'\ntimes = 2\nreply = '450 4.2.1 not now'\n";
    let service = Service::start(&format!("{TLS}{defers}"));
    // The relay itself would tell after four hours.
    let relay = service
        .relay("delay-notice = '1s'\n")
        .replace("retry = [\"1s\"]", "retry = [\"1h\"]")
        // Senders of automatic mail are not told, and the policies would take it for such.
        .replace(r#"["loop-guard", "header-guard", "outbound-route"]"#, "[]")
        .start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    let notice = service.sink.take();
    assert_eq!((&*notice.from, &*notice.to[0]), ("", "ann@sender.example"));
    let text = notice.text();
    assert!(text.contains("Action: delayed"), "{text}");
    let shown = relay.json(&["queue", "show", &id]).remove(0);
    assert_eq!(shown["recipients"][0]["delay-told"], true, "{shown}");
    relay.json(&["queue", "retry", &id]);
    assert_eq!(service.sink.take().to, ["x@elsewhere.example"]);
    relay.leaves_nothing(service.sink);
}
