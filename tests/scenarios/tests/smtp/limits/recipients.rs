//! Too many recipients: 452 for the next, which the client sends again later; those before it get
//! the message (RFC 5321 section 4.5.3.1.10).

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

#[test]
fn recipients_within_the_limit_are_accepted() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .with("[limits]\nrecipients = 2")
        .start();
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<one@desk.example>", 250);
    client.command("RCPT TO:<two@desk.example>", 250);
    for _ in 0..30 {
        let reply = client.command("RCPT TO:<three@desk.example>", 452);
        assert_eq!(reply.enhanced(), Some("4.5.3"));
    }
    client.command("DATA", 354);
    client.send(MESSAGE).unwrap();
    client.command(".", 250);
    assert_eq!(sink.take().to, ["one@desk.example", "two@desk.example"]);

    let reply = client.deliver("ann@sender.example", &["three@desk.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    assert_eq!(sink.take().to, ["three@desk.example"]);
    drop(client);
    relay.leaves_nothing(sink);
}
