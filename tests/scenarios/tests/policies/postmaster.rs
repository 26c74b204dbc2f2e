//! `<Postmaster>` is always taken (RFC 5321 section 4.5.1), whatever policies think of recipients,
//! and is the postmaster of the first domain that the relay takes mail for.

use test_support::{Relay, Sink};

use crate::{Guest, INNOCENT};

/// A relay whose policy refuses every recipient on the listener of that name.
fn refusing(sink: &Sink, listener: &str) -> Relay {
    Guest::new("traps_in")
        .relay(sink)
        .with("settings = { hook = \"recipient\" }")
        .replace(&format!("name = \"{listener}\""), "name = \"recipient\"")
        .start()
}

#[test]
fn mail_to_postmaster_is_accepted_from_outside() {
    let sink = Sink::start();
    let relay = refusing(&sink, "mx");
    let mut client = relay.client("recipient");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<help@desk.example>", 451);
    client.command("RSET", 250);
    let to = ["Postmaster"];
    let reply = client.deliver("ann@sender.example", &to, INNOCENT).unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    assert_eq!(sink.take().to, ["postmaster@desk.example"]);
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn mail_to_postmaster_is_accepted_from_users() {
    let sink = Sink::start();
    let relay = refusing(&sink, "submission");
    let mut client = relay.client("recipient").authenticated("user", "secret");
    let to = ["postmaster"];
    let reply = client.deliver("user@desk.example", &to, INNOCENT).unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    assert_eq!(sink.take().to, ["postmaster@desk.example"]);
    drop(client);
    relay.leaves_nothing(sink);
}
