//! Too many commands that lead nowhere: 421, and the connection closes. Recipients lead on, and a
//! message starts the count afresh.

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

#[test]
fn commands_without_progress_end_the_session() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\nidle-commands = 8")
        .start();
    let mut client = relay.client("mx");
    client.ehlo();
    // Many messages, each with many recipients: that is progress.
    let recipients: Vec<String> = (0..20).map(|n| format!("user{n}@desk.example")).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    for _ in 0..5 {
        let reply = client.deliver("ann@sender.example", &recipients, MESSAGE);
        assert_eq!(reply.unwrap().code, 250);
        assert_eq!(sink.take().to, recipients);
    }
    for _ in 0..4 {
        client.command("NOOP", 250);
        client.command("RSET", 250);
    }
    let reply = client.command("MAIL FROM:<ann@sender.example>", 421);
    assert_eq!(reply.enhanced(), Some("4.7.0"));
    assert!(client.closed());
    drop(client);
    relay.leaves_nothing(sink);
}
