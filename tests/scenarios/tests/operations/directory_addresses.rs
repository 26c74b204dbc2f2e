//! An account is made while mail flows: its addresses receive from that moment, and nobody else's
//! claim changes that.

use test_support::{Relay, RelayBuilder, Sink};

use crate::{MESSAGE, accepted, send};

/// The id of the one thing that a command shows.
fn id(relay: &Relay, arguments: &[&str]) -> String {
    let shown = relay.json(arguments);
    assert_eq!(shown.len(), 1, "{shown:?}");
    shown[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn addresses_of_the_directory_receive_as_soon_as_they_are_added() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let refused = |to: &str| {
        let reply = send(&relay, &[to], MESSAGE);
        (
            reply.code,
            reply.text().get(..5).unwrap_or_default().to_owned(),
        )
    };
    let elsewhere = (550, "5.7.1".to_owned());
    let unknown = (550, "5.1.1".to_owned());
    assert_eq!(refused("help@acme.desk.test"), elsewhere);

    let account = id(
        &relay,
        &[
            "account",
            "add",
            "--native-domain",
            "acme.desk.test",
            "--product",
            "Acme Desk",
            "--time-zone",
            "Europe/Berlin",
            "--brand",
            "Acme",
        ],
    );
    assert_eq!(refused("help@acme.desk.test"), unknown);
    relay.json(&[
        "address",
        "add",
        "--account",
        &account,
        "Help@acme.desk.test",
    ]);
    for to in [
        "HELP@acme.desk.test",
        "help+42@acme.desk.test",
        "postmaster@acme.desk.test",
    ] {
        accepted(&relay, &[to], MESSAGE);
        assert_eq!(sink.take().to, [to]);
    }
    assert_eq!(refused("helper@acme.desk.test"), unknown);

    // Its own domain: a claim is not enough, and no claim of others stands in the way.
    let add = |account: &str| {
        let domain = ["--domain", "acme.test", "--kind", "two-way"];
        id(
            &relay,
            &[&["connector", "add", "--account", account], &domain[..]].concat(),
        )
    };
    let sandbox = id(
        &relay,
        &[
            "account",
            "add",
            "--native-domain",
            "sandbox.desk.test",
            "--product",
            "Acme Desk",
            "--kind",
            "sandbox",
        ],
    );
    let squatted = add(&sandbox);
    let connector = add("acme.desk.test");
    relay.json(&["address", "add", "--account", &account, "help@acme.test"]);
    assert_eq!(refused("help@acme.test"), elsewhere);
    let verified = relay.json(&["connector", "verify", &connector]);
    assert_eq!(verified[0]["state"], "verified");
    assert_eq!(verified[0]["protocol"], "PLAIN");
    accepted(&relay, &["help@acme.test"], MESSAGE);
    assert_eq!(sink.take().to, ["help@acme.test"]);
    assert_eq!(refused("ann@acme.test"), (550, "5.1.1".to_owned()));
    let said = relay.refuses(&["connector", "verify", &squatted]);
    assert!(
        said.contains(&format!("already belongs to account {account}")),
        "{said}"
    );
    let said = relay.refuses(&["address", "add", "--account", &sandbox, "help@acme.test"]);
    assert!(
        said.contains("cannot be in a sandbox and in production at once"),
        "{said}"
    );

    // Two accounts, two transactions; one of the directory beside one of the configuration.
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<help@acme.test>", 250);
    client.command("RCPT TO:<help@acme.desk.test>", 250);
    client.command("RCPT TO:<a@desk.example>", 452);
    drop(client);

    // Disconnected, it goes on receiving; removed, it does not.
    relay.json(&["connector", "disconnect", &connector]);
    accepted(&relay, &["help@acme.test"], MESSAGE);
    sink.take();
    let said = relay.refuses(&["connector", "remove", &connector]);
    assert!(
        said.contains("still has support addresses: remove these first"),
        "{said}"
    );
    relay.json(&["address", "remove", "--account", &account, "HELP@acme.test"]);
    relay.json(&["connector", "remove", &connector]);
    assert_eq!(refused("help@acme.test"), elsewhere);
    relay.leaves_nothing(sink);
}

#[test]
fn nobody_submits_in_the_name_of_an_account_of_the_directory() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let native = ["--native-domain", "acme.desk.test", "--product", "Acme"];
    relay.json(&[&["account", "add"], &native[..]].concat());
    let mut client = relay.client("submission").authenticated("user", "secret");
    client.command("MAIL FROM:<help@acme.desk.test>", 550);
    client.command("MAIL FROM:<help@desk.example>", 250);
    drop(client);
    relay.leaves_nothing(sink);
}
