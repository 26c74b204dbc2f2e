//! `gatepost credential show` tells how much was accepted with a credential, when it was used last
//! and from which network: for submission, and for a customer's server that relays.

use test_support::Sink;

use crate::{Credential, account, builder};

#[test]
fn a_credential_shows_how_it_is_used() {
    let sink = Sink::start();
    let inbound = "direction = \"inbound\"";
    let relay = builder(&sink)
        .replace(inbound, &format!("{inbound}\nauth = true"))
        .start();
    account(&relay, "acme.desk.test");
    let own = Credential::issue(&relay, "acme.desk.test");
    let unused = relay.json(&["credential", "show", &own.user]).remove(0);
    assert!(unused["last-used"].is_null() && unused["last-network"].is_null());
    assert_eq!(unused["accepted"]["messages-in-a-day"], 0);
    let mut client = own.log_in(&relay);
    for to in ["a@world.example", "b@world.example"] {
        assert_eq!(own.send(&mut client, to).code, 250);
        sink.take();
    }
    let shown = relay.json(&["credential", "show", &own.user]).remove(0);
    assert_eq!(shown["last-network"], "127.0.0.1/32");
    assert!(shown["last-used"].as_u64() > Some(0));
    for window in ["an-hour", "a-day"] {
        assert_eq!(shown["accepted"][format!("messages-in-{window}")], 2);
        assert_eq!(shown["accepted"][format!("recipients-in-{window}")], 2);
    }
    assert!(shown.get("secret").is_none() && shown.get("verifier").is_none());

    let claim = ["--domain", "acme.test", "--kind", "two-way"];
    let add = ["connector", "add", "--account", "acme.desk.test"];
    let connector = relay.json(&[&add, &claim[..]].concat()).remove(0);
    let connector = connector["id"].as_str().unwrap();
    relay.json(&["connector", "vouch", connector]);
    relay.json(&[
        "address",
        "add",
        "--account",
        "acme.desk.test",
        "help@acme.test",
    ]);
    let issued = relay
        .json(&["credential", "add", "--inbound", connector])
        .remove(0);
    let (user, secret) = (issued["user-name"].as_str(), issued["secret"].as_str());
    let mut server = relay
        .client("mx")
        .authenticated(user.unwrap(), secret.unwrap());
    let message = b"From: <ann@world.example>\r\nSubject: hello\r\n\r\nHello!\r\n";
    let reply = server.deliver("ann@world.example", &["help@acme.test"], message);
    assert_eq!(reply.unwrap().code, 250);
    sink.take();
    let shown = relay.json(&["credential", "show", user.unwrap()]).remove(0);
    assert_eq!(shown["accepted"]["messages-in-an-hour"], 1);
    // It is none of the account's submissions.
    let volume = relay
        .json(&["account", "volume", "acme.desk.test"])
        .remove(0);
    assert_eq!(volume["volume"][0]["of"], "account");
    assert_eq!(volume["volume"][0]["accepted"]["messages-in-an-hour"], 2);
    let table = relay.command(&["credential", "show", &own.user]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("127.0.0.1/32"));
    relay.leaves_nothing(sink);
}
