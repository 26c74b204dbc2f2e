//! Whose mail it is, and who may submit, changes with the next transaction, in sessions that are
//! open, too.

use test_support::{Client, RelayBuilder, Sink};

use super::changed;
use crate::MESSAGE;

const DOMAINS: &str = "domains = [\"desk.example\"]";
const USERS: &str = "users = [{ name = \"user\", password = \"secret\" }]";

fn rcpt(client: &mut Client, to: &str, code: u16) {
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command(&format!("RCPT TO:<{to}>"), code);
    client.command("RSET", 250);
}

#[test]
fn domains_change_with_a_reload() {
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address());
    let relay = builder.clone().start();
    let mut open = relay.client("mx");
    open.ehlo();
    rcpt(&mut open, "x@new.example", 550);
    let mut in_hand = relay.client("mx");
    in_hand.ehlo();
    in_hand.command("MAIL FROM:<ann@sender.example>", 250);

    let reloaded = relay.reloads(&builder.replace(DOMAINS, "domains = [\"new.example\"]"));
    assert_eq!(changed(&reloaded), ["account.acme.domains"]);
    for client in [&mut open, &mut relay.client("mx")] {
        client.ehlo();
        rcpt(client, "x@new.example", 250);
        rcpt(client, "x@desk.example", 550);
    }
    // What had begun ends as it began.
    in_hand.command("RCPT TO:<x@new.example>", 550);
    in_hand.command("RCPT TO:<x@desk.example>", 250);
    in_hand.command("DATA", 354);
    in_hand.send([MESSAGE, b".\r\n"].concat()).unwrap();
    in_hand.expect(250);
    sink.take();
    relay.leaves_nothing(sink);
}

#[test]
fn passwords_and_users_change_with_a_reload() {
    let sink = Sink::start();
    let builder = RelayBuilder::usual(sink.address());
    let relay = builder.clone().start();
    let mut open = relay.client("submission").authenticated("user", "secret");
    let mut waiting = relay.client("submission");
    waiting.ehlo();
    waiting.starttls();
    relay.reloads(&builder.clone().with("[limits]\nerrors = 7"));
    open.command("MAIL FROM:<help@desk.example>", 250);

    relay.reloads(&builder.clone().replace("\"secret\"", "\"another\""));
    // AHVzZXIAc2VjcmV0 is user and secret, AHVzZXIAYW5vdGhlcg== user and another.
    waiting.command("AUTH PLAIN AHVzZXIAc2VjcmV0", 535);
    waiting.command("AUTH PLAIN AHVzZXIAYW5vdGhlcg==", 235);
    let reply = open.command("RCPT TO:<x@elsewhere.example>", 421);
    assert_eq!(reply.enhanced(), Some("4.7.0"));
    assert!(open.closed());

    relay.reloads(&builder.replace(USERS, ""));
    waiting.command("MAIL FROM:<help@desk.example>", 421);
    drop((open, waiting));
    relay.leaves_nothing(sink);
}
