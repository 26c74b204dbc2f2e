//! A local part that names a further way is refused at RCPT, although its domain is ours: a next
//! hop that trusts the relay, a stock Postfix for one, would send the message there (RFC 5321
//! appendix F.2).

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

const ROUTED: &[&str] = &[
    "victim%elsewhere.example@desk.example",
    "\"victim@elsewhere.example\"@desk.example",
    "elsewhere.example!victim@desk.example",
    "x%elsewhere.example%other.example@Desk.Example",
    "\"victim%elsewhere.example\"@desk.example",
    "\"victim\\@elsewhere.example\"@desk.example",
    "\"elsewhere.example!victim\"@desk.example",
    "@desk.example:victim%elsewhere.example@desk.example",
    "postmaster%elsewhere.example@desk.example",
    "user+victim%elsewhere.example@desk.example",
];

/// Unicode makes the same characters of these.
const ALIKE: &[&str] = &[
    "victim\u{ff05}elsewhere.example@desk.example",
    "victim\u{ff20}elsewhere.example@desk.example",
    "elsewhere.example\u{ff01}victim@desk.example",
    "victim\u{fe6a}elsewhere.example@desk.example",
];

#[test]
fn a_source_route_is_refused_for_good() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example> SMTPUTF8", 250);
    for address in ROUTED.iter().chain(ALIKE) {
        let reply = client.command(&format!("RCPT TO:<{address}>"), 550);
        assert_eq!(reply.enhanced(), Some("5.7.1"), "{address}");
        assert!(reply.text().contains("Source routing"), "{}", reply.text());
    }
    client.command("RCPT TO:<user@desk.example>", 250);
    client.command("RSET", 250);
    drop(client);
    relay.leaves_nothing(sink);
}

/// Accounts may say that their next hop does not follow such routes; and an address that somebody
/// has listed is a mailbox.
#[test]
fn an_account_may_have_mailboxes_that_look_like_source_routes() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace("id = \"acme\"", "id = \"acme\"\nsource-routes = \"accept\"")
        .with(
            "[[account]]\nid = \"other\"\ndomains = [\"other.example\"]\n\
             addresses = [\"100%@other.example\", \"help@other.example\"]",
        )
        .start();
    let mut client = relay.client("mx");
    client.ehlo();
    for address in ["a%b@desk.example", "100%@other.example"] {
        let reply = client.deliver("ann@sender.example", &[address], MESSAGE);
        assert_eq!(reply.unwrap().code, 250, "{address}");
        assert_eq!(sink.take().to, [address]);
    }
    client.command("MAIL FROM:<ann@sender.example>", 250);
    let reply = client.command("RCPT TO:<help+a%b@other.example>", 550);
    assert_eq!(reply.enhanced(), Some("5.7.1"));
    drop(client);
    relay.leaves_nothing(sink);
}
