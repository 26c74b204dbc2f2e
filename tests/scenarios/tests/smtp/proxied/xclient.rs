//! XCLIENT from a network that is trusted: the session is that of the client behind, in policies,
//! trace and Received field. From all others it is refused.

use test_support::{RelayBuilder, Sink};

use crate::{MESSAGE, trace_field_and_rest};

const TRUSTED: &str = "direction = \"inbound\"\nxclient-from = [\"127.0.0.0/8\"]";

#[test]
fn xclient_sets_the_client() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace("direction = \"inbound\"", TRUSTED)
        .start();
    let mut client = relay.client("mx");
    let offered = client.ehlo();
    let offer = "XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT LOGIN";
    assert!(offered.contains(&offer.to_owned()), "{offered:?}");
    client.command(
        "XCLIENT ADDR=IPV6:2001:db8::7 PORT=77 HELO=spike.example NAME=spike",
        220,
    );
    // All is to be said anew.
    client.command("MAIL FROM:<ann@sender.example>", 503);
    client.ehlo();
    let reply = client.deliver("ann@sender.example", &["user@desk.example"], MESSAGE);
    let id = reply.unwrap().transaction();
    let arrived = sink.take().bytes();
    let (field, _) = trace_field_and_rest(&arrived);
    let from = "Received: from spike.example ([IPv6:2001:db8::7])";
    assert!(field.starts_with(from), "{field}");
    let session = &relay.events(&id, "begun")[0]["session"];
    assert_eq!(session["client"], "[2001:db8::7]:77");
    assert_eq!(session["helo"], "spike.example");
    relay.logged("NAME=spike");
    // Not amid a transaction.
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("XCLIENT ADDR=192.0.2.1", 503);
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn xclient_is_refused_from_other_networks() {
    let sink = Sink::start();
    let elsewhere = TRUSTED.replace("127.0.0.0/8", "192.0.2.0/24");
    let relay = RelayBuilder::usual(sink.address())
        .replace("direction = \"inbound\"", &elsewhere)
        .start();
    let mut client = relay.client("mx");
    let offered = client.ehlo();
    assert!(
        !offered.iter().any(|line| line.starts_with('X')),
        "{offered:?}"
    );
    let reply = client.command("XCLIENT ADDR=192.0.2.1", 550);
    assert_eq!(reply.enhanced(), Some("5.7.0"));
    let reply = client.deliver("ann@sender.example", &["user@desk.example"], MESSAGE);
    let id = reply.unwrap().transaction();
    let session = &relay.events(&id, "begun")[0]["session"];
    assert!(
        session["client"]
            .as_str()
            .unwrap()
            .starts_with("127.0.0.1:")
    );
    sink.take();
    drop(client);
    relay.leaves_nothing(sink);
}

/// One behind the proxy has as many places as one who connects.
#[test]
fn connections_of_one_address_are_counted_behind_the_proxy() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace("direction = \"inbound\"", TRUSTED)
        .with("[limits]\nconnections-per-address = 2")
        .start();
    let mut clients = Vec::new();
    for (address, code) in [
        ("192.0.2.1", 220),
        ("192.0.2.1", 220),
        ("192.0.2.1", 421),
        ("192.0.2.2", 220),
    ] {
        let mut client = relay.client("mx");
        client.command(&format!("XCLIENT ADDR={address}"), code);
        clients.push(client);
    }
    drop(clients);
    relay.leaves_nothing(sink);
}

#[test]
fn a_user_is_believed_where_users_submit() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"submission\"",
            "direction = \"submission\"\nxclient-from = [\"127.0.0.1/32\"]",
        )
        .start();
    let mut client = relay.client("submission");
    client.ehlo();
    let reply = client.command("XCLIENT LOGIN=nobody", 535);
    assert_eq!(reply.enhanced(), Some("5.7.8"));
    client.command("XCLIENT ADDR=192.0.2.1 LOGIN=user", 220);
    client.ehlo();
    let to = ["ann@elsewhere.example"];
    let reply = client.deliver("user@desk.example", &to, MESSAGE).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    let arrived = sink.take().bytes();
    let (field, _) = trace_field_and_rest(&arrived);
    assert!(field.contains("([192.0.2.1])"), "{field}");
    assert!(field.contains(" with ESMTPA id "), "{field}");
    // One that is not believed changes nothing.
    client.command("XCLIENT LOGIN=nobody", 535);
    client.command("MAIL FROM:<user@desk.example>", 250);
    client.command("RSET", 250);
    client.command("XCLIENT LOGIN=[UNAVAILABLE]", 220);
    client.ehlo();
    client.command("MAIL FROM:<user@desk.example>", 530);
    drop(client);
    relay.leaves_nothing(sink);
}
