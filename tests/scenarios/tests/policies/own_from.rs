//! Who submits for an account of the directory writes in the name of its addresses, and in no other.

use test_support::{RelayBuilder, Sink};

fn message(head: &str) -> Vec<u8> {
    format!("{head}\r\nSubject: s\r\n\r\nHello!\r\n").into_bytes()
}

#[test]
fn every_mailbox_of_from_and_sender_is_the_accounts() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let native = ["--native-domain", "one.desk.test", "--product", "One"];
    relay.json(&[&["account", "add"], &native[..]].concat());
    for address in ["help@one.desk.test", "sales@one.desk.test"] {
        relay.json(&["address", "add", "--account", "one.desk.test", address]);
    }
    let made = relay.json(&["credential", "add", "--submission", "one.desk.test"]);
    let of = |key: &str| made[0][key].as_str().unwrap();
    let mut client = relay
        .client("submission")
        .authenticated(of("user-name"), of("secret"));
    let mut submit = |head: &str| {
        let to = ["ann@elsewhere.example"];
        client
            .deliver("help@one.desk.test", &to, &message(head))
            .unwrap()
    };
    for head in [
        "From: help@one.desk.test",
        "From: \"Boss, x@other.example\" <HELP+42@One.Desk.Test>",
        "From: help@one.desk.test, Sales <sales@one.desk.test>\r\nSender: sales@one.desk.test",
    ] {
        let reply = submit(head);
        assert_eq!(reply.code, 250, "{head}: {}", reply.text());
        sink.take();
    }
    for head in [
        "From: boss@one.desk.test",
        "From: Support <ann@elsewhere.example>",
        "From: help@one.desk.test, boss@elsewhere.example",
        "From: Us: help@one.desk.test, boss@elsewhere.example;",
        "From: help@one.desk.test\r\nSender: boss@elsewhere.example",
        "From: \"help@one.desk.test <boss@elsewhere.example>",
    ] {
        let reply = submit(head);
        assert_eq!(
            (reply.code, reply.enhanced()),
            (550, Some("5.7.1")),
            "{head}"
        );
    }
    drop(client);
    relay.leaves_nothing(sink);
}
