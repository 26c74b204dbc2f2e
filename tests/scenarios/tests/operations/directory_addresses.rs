//! An account is made while mail flows: its addresses receive at once, and a claim of another
//! account changes nothing.

use test_support::{Relay, RelayBuilder, Sink};

use crate::{MESSAGE, accepted, send};

/// The id of the one thing that a command shows.
fn id(relay: &Relay, arguments: &[&str]) -> String {
    let shown = relay.json(arguments);
    assert_eq!(shown.len(), 1, "{shown:?}");
    shown[0]["id"].as_str().unwrap().to_owned()
}

/// Makes an account with a native domain; returns its id.
fn account(relay: &Relay, domain: &str, arguments: &[&str]) -> String {
    let add = [
        "account",
        "add",
        "--native-domain",
        domain,
        "--product",
        "Acme Desk",
    ];
    id(relay, &[&add[..], arguments].concat())
}

/// Connects acme.test to an account, not verified yet; returns the connector's id.
fn connector(relay: &Relay, account: &str) -> String {
    let add = [
        "connector",
        "add",
        "--account",
        account,
        "--domain",
        "acme.test",
    ];
    id(relay, &[&add[..], &["--kind", "two-way"]].concat())
}

/// Sends a message that must be refused: code and enhanced code.
fn refused(relay: &Relay, to: &str) -> (u16, String) {
    let reply = send(relay, &[to], MESSAGE);
    (reply.code, reply.enhanced().unwrap_or_default().to_owned())
}

fn elsewhere() -> (u16, String) {
    (550, "5.7.1".to_owned())
}

fn unknown() -> (u16, String) {
    (550, "5.1.1".to_owned())
}

#[test]
fn native_addresses_receive_as_soon_as_they_are_added() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    assert_eq!(refused(&relay, "help@acme.desk.test"), elsewhere());
    let more = ["--time-zone", "Europe/Berlin", "--brand", "Acme"];
    let account = account(&relay, "acme.desk.test", &more);
    assert_eq!(refused(&relay, "help@acme.desk.test"), unknown());
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
    assert_eq!(refused(&relay, "helper@acme.desk.test"), unknown());
    relay.leaves_nothing(sink);
}

/// A claim is not enough, and no claim of others stands in the way.
#[test]
fn a_connected_domain_receives_once_it_is_verified() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let account_id = account(&relay, "acme.desk.test", &[]);
    relay.json(&[
        "address",
        "add",
        "--account",
        &account_id,
        "help@acme.desk.test",
    ]);
    let sandbox = account(&relay, "sandbox.desk.test", &["--kind", "sandbox"]);
    let squatted = connector(&relay, &sandbox);
    let connector = connector(&relay, "acme.desk.test");
    relay.json(&["address", "add", "--account", &account_id, "help@acme.test"]);
    assert_eq!(refused(&relay, "help@acme.test"), elsewhere());
    let verified = relay.json(&["connector", "vouch", &connector]);
    assert_eq!(verified[0]["state"], "verified");
    assert_eq!(verified[0]["protocol"], "PLAIN");
    accepted(&relay, &["help@acme.test"], MESSAGE);
    assert_eq!(sink.take().to, ["help@acme.test"]);
    assert_eq!(refused(&relay, "ann@acme.test"), unknown());
    let said = relay.refuses(&["connector", "vouch", &squatted]);
    let owner = format!("already belongs to account {account_id}");
    assert!(said.contains(&owner), "{said}");
    let said = relay.refuses(&["address", "add", "--account", &sandbox, "help@acme.test"]);
    let both = "cannot be in a sandbox and in production at once";
    assert!(said.contains(both), "{said}");

    // Two accounts, two transactions; one of the directory beside one of the configuration.
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    client.command("RCPT TO:<help@acme.test>", 250);
    client.command("RCPT TO:<help@acme.desk.test>", 250);
    client.command("RCPT TO:<a@desk.example>", 452);
    drop(client);
    relay.leaves_nothing(sink);
}

#[test]
fn a_disconnected_domain_receives_until_it_is_removed() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let account = account(&relay, "acme.desk.test", &[]);
    let connector = connector(&relay, &account);
    relay.json(&["address", "add", "--account", &account, "help@acme.test"]);
    relay.json(&["connector", "vouch", &connector]);
    relay.json(&["connector", "disconnect", &connector]);
    accepted(&relay, &["help@acme.test"], MESSAGE);
    sink.take();
    let said = relay.refuses(&["connector", "remove", &connector]);
    let first = "still has support addresses: remove these first";
    assert!(said.contains(first), "{said}");
    relay.json(&["address", "remove", "--account", &account, "HELP@acme.test"]);
    relay.json(&["connector", "remove", &connector]);
    assert_eq!(refused(&relay, "help@acme.test"), elsewhere());
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
