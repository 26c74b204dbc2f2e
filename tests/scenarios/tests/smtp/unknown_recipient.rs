//! A recipient that its account does not have is refused at RCPT, where the account says which it
//! has: a message that is taken and bounced later goes to whom its sender names.

use test_support::{RelayBuilder, Sink};

use crate::MESSAGE;

#[test]
fn recipients_that_are_not_listed_are_refused() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address())
        .replace(
            "domains = [\"desk.example\"]",
            "domains = [\"desk.example\", \"all.example\"]\n\
             addresses = [\"help@desk.example\", \"@all.example\"]",
        )
        .start();
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    for unknown in [
        "sales@desk.example",
        "helper@desk.example",
        "+x@desk.example",
    ] {
        let reply = client.command(&format!("RCPT TO:<{unknown}>"), 550);
        assert_eq!(reply.enhanced(), Some("5.1.1"), "{unknown}");
    }
    let known = [
        "HELP@desk.example",
        "help+ticket-1@desk.example",
        "postmaster@desk.example",
        "anybody@all.example",
    ];
    for address in known {
        client.command(&format!("RCPT TO:<{address}>"), 250);
    }
    client.command("RSET", 250);
    let reply = client.deliver("ann@sender.example", &known, MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    let arrived = sink.take();
    assert_eq!(arrived.to, known);
    drop(client);
    relay.leaves_nothing(sink);
}

/// Of an account of the directory all addresses are known, in its native domain and in those that
/// are connected.
#[test]
fn an_account_of_the_directory_knows_its_addresses() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let native = ["--native-domain", "acme.desk.test", "--product", "Acme"];
    relay.json(&[&["account", "add"], &native[..]].concat());
    let account = ["--account", "acme.desk.test"];
    let claim = ["--domain", "customer.test", "--kind", "two-way"];
    let made = relay.json(&[&["connector", "add"], &account[..], &claim].concat());
    relay.json(&["connector", "vouch", made[0]["id"].as_str().unwrap()]);
    relay.json(&[&["address", "add"], &account[..], &["help@customer.test"]].concat());
    let mut client = relay.client("mx");
    client.ehlo();
    client.command("MAIL FROM:<ann@sender.example>", 250);
    for unknown in ["sales@acme.desk.test", "sales@customer.test"] {
        let reply = client.command(&format!("RCPT TO:<{unknown}>"), 550);
        assert_eq!(reply.enhanced(), Some("5.1.1"), "{unknown}");
    }
    client.command("RCPT TO:<help@customer.test>", 250);
    client.command("RSET", 250);
    drop(client);
    relay.leaves_nothing(sink);
}
