//! A user sends in the name of their own account and in no other, be it another account's, or
//! nobody's whom the relay knows: neither in the envelope nor in From (RFC 6409 section 6.1 allows
//! a relay to hold users to that).

use test_support::{RelayBuilder, Sink};

#[test]
fn nobody_sends_in_a_name_that_is_not_their_accounts() {
    let sink = Sink::start();
    let other = "[[account]]\nid = \"other\"\ndomains = [\"other.example\"]";
    let relay = RelayBuilder::usual(sink.address()).with(other).start();
    let mut client = relay.client("submission").authenticated("user", "secret");
    for (sender, author, code) in [
        ("user@desk.example", "user@desk.example", 250),
        ("user@sender.example", "user@sender.example", 250),
        (
            "prvs=0123456789=user@desk.example",
            "user@desk.example",
            250,
        ),
        (
            "SRS0=HHH=TT=bank.test=ceo@desk.example",
            "user@desk.example",
            250,
        ),
        (
            "news+ann=elsewhere.example@desk.example",
            "user@desk.example",
            250,
        ),
        ("ceo@bank.test", "user@desk.example", 550),
        ("user@sub.desk.example", "user@desk.example", 550),
        ("user@[127.0.0.1]", "user@desk.example", 550),
        ("user@mx.desk.example", "user@desk.example", 550),
        ("user@desk.example", "CEO <ceo@bank.test>", 550),
        ("", "user@desk.example", 250),
        ("ceo@other.example", "user@desk.example", 550),
        ("user@desk.example", "ceo@other.example", 550),
        ("user@desk.example", "CEO <ceo@OTHER.example>", 550),
        ("", "ceo@other.example", 550),
    ] {
        let message = format!("From: {author}\r\nSubject: money\r\n\r\nPlease transfer.\r\n");
        let reply = client
            .deliver(sender, &["x@elsewhere.example"], message.as_bytes())
            .unwrap();
        assert_eq!(reply.code, code, "{sender}, {author}: {reply:?}");
        if code == 250 {
            assert_eq!(sink.take().from, sender);
        } else {
            assert_eq!(reply.enhanced(), Some("5.7.1"));
        }
    }
    drop(client);
    relay.leaves_nothing(sink);
}

/// An account of the directory sends in its native domain and in those that are connected, for as
/// long as they are.
#[test]
fn a_domain_that_is_not_connected_gives_no_right_to_send() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let native = ["--native-domain", "acme.desk.test", "--product", "Acme"];
    relay.json(&[&["account", "add"], &native[..]].concat());
    let account = ["--account", "acme.desk.test"];
    let claim = ["--domain", "customer.test", "--kind", "outbound-only"];
    let made = relay.json(&[&["connector", "add"], &account[..], &claim].concat());
    let connector = made[0]["id"].as_str().unwrap().to_owned();
    let made = relay.json(&["credential", "add", "--submission", "acme.desk.test"]);
    let of = |key: &str| made[0][key].as_str().unwrap();
    let mut client = relay
        .client("submission")
        .authenticated(of("user-name"), of("secret"));
    let mut sends = |address: &str, code| {
        let reply = client.command(&format!("MAIL FROM:<{address}>"), code);
        match code {
            250 => drop(client.command("RSET", 250)),
            _ => assert_eq!(reply.enhanced(), Some("5.7.1"), "{address}"),
        }
    };
    sends("bounces+1@acme.desk.test", 250);
    sends("", 250);
    sends("help@customer.test", 550);
    relay.json(&["connector", "vouch", &connector]);
    sends("help@customer.test", 250);
    relay.json(&["connector", "disconnect", &connector]);
    sends("help@customer.test", 550);
    sends("user@desk.example", 550);
    drop(client);
    relay.leaves_nothing(sink);
}
