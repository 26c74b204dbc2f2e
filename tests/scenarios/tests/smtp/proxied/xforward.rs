//! XFORWARD from a network that is trusted: where the mail comes from goes on record, and nothing
//! is decided by it.

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

#[test]
fn xforward_is_logged_and_changes_nothing() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "direction = \"inbound\"",
            "direction = \"inbound\"\nxforward-from = [\"127.0.0.1/32\"]",
        )
        .start();
    let mut client = relay.client("mx");
    let offered = client.ehlo();
    let offer = "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE";
    assert!(offered.contains(&offer.to_owned()), "{offered:?}");
    client.command(
        "XFORWARD NAME=spike.example ADDR=192.0.2.1 PROTO=ESMTP",
        250,
    );
    client.command("XFORWARD HELO=spike SOURCE=REMOTE", 250);
    client.command("XFORWARD LOGIN=user", 501);
    client.command("XCLIENT ADDR=192.0.2.1", 550);
    let reply = client.deliver("ann@sender.example", &["user@desk.example"], MESSAGE);
    let id = reply.unwrap().transaction();
    let line = relay.logged("passed on for another");
    assert!(line.contains(&id), "{line}");
    let said = "NAME=spike.example ADDR=192.0.2.1 PROTO=ESMTP HELO=spike SOURCE=REMOTE";
    assert!(line.contains(said), "{line}");
    let session = &relay.events(&id, "begun")[0]["session"];
    assert!(
        session["client"]
            .as_str()
            .unwrap()
            .starts_with("127.0.0.1:")
    );
    assert_eq!(session["helo"], "client.example");
    sink.take();
    drop(client);
    relay.leaves_nothing(sink);
}
