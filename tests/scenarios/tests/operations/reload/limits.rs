//! A session keeps the limits that it was greeted with; new ones have the new limits.

use test_support::{RelayBuilder, Sink};

use super::changed;

#[test]
fn sizes_and_numbers_change_with_a_reload() {
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address());
    let relay = builder.clone().start();
    let mut open = relay.client("mx");
    assert!(open.ehlo().contains(&"SIZE 26214400".to_owned()));

    let smaller = builder
        .clone()
        .with("[limits]\nmessage-size = 1000\nrecipients = 1");
    let reloaded = relay.reloads(&smaller);
    assert_eq!(
        changed(&reloaded),
        ["limits.message-size", "limits.recipients"]
    );
    let mut new = relay.client("mx");
    assert!(new.ehlo().contains(&"SIZE 1000".to_owned()));
    for (client, second) in [(&mut open, 250), (&mut new, 452)] {
        client.command("MAIL FROM:<ann@sender.example>", 250);
        client.command("RCPT TO:<x@desk.example>", 250);
        client.command("RCPT TO:<y@desk.example>", second);
        client.command("RSET", 250);
    }
    relay.leaves_nothing(sink);
}

#[test]
fn total_connections_change_with_a_reload() {
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address());
    let relay = builder.clone().start();
    let mut open = [relay.client("mx"), relay.client("mx")];
    relay.reloads(&builder.clone().with("[limits]\nconnections = 1"));
    let mut over = test_support::Client::connect(relay.address("mx")).unwrap();
    over.expect(421);
    for client in &mut open {
        client.ehlo();
    }
    relay.reloads(&builder);
    relay.client("mx").ehlo();
    relay.leaves_nothing(sink);
}
