//! A message belongs to one account. The first recipient says to which; one of another account is
//! told to come again in a transaction of its own (452 4.5.3: RFC 5321 section 4.5.3.1.10 has
//! clients do so).

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

#[test]
fn a_recipient_of_another_account_comes_in_another_transaction() {
    let sink = Sink::start();
    let other = "[[account]]\nid = \"other\"\ndomains = [\"other.example\"]";
    let relay = RelayBuilder::usual(sink.address()).with(other).start();
    let mut client = relay.client("mx");
    client.ehlo();

    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<user@desk.example>", 250);
    let later = client.command("RCPT TO:<user@other.example>", 452);
    assert_eq!(later.enhanced(), Some("4.5.3"));
    client.command("RCPT TO:<second@desk.example>", 250);
    client.command("DATA", 354);
    client.send(MESSAGE).unwrap();
    client.command(".", 250);
    assert_eq!(sink.take().to, ["user@desk.example", "second@desk.example"]);

    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<user@other.example>", 250);
    client.command("RCPT TO:<user@desk.example>", 452);
    client.command("DATA", 354);
    client.send(MESSAGE).unwrap();
    client.command(".", 250);
    assert_eq!(sink.take().to, ["user@other.example"]);
    drop(client);
    relay.leaves_nothing(sink);
}
