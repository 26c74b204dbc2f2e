//! A domain is an account's of the configuration or a native one of the directory. What would make
//! it both is refused where it is asked for, and said where it has come to be.

use test_support::{Relay, RelayBuilder, Sink};

const ADD: [&str; 6] = [
    "account",
    "add",
    "--native-domain",
    "xn--bcher-kva.example",
    "--product",
    "Desk",
];

const CLASH: &str = "a native domain of the directory is in the domains of an [[account]], too";

/// The usual relay with both domains.
fn both(sink: &Sink) -> RelayBuilder {
    let domains = "\"desk.example\", \"bücher.example\"";
    RelayBuilder::usual(sink.address()).replace("\"desk.example\"", domains)
}

fn refused(relay: &Relay) {
    let why = relay.refuses(&ADD);
    let expected = "already belongs to account acme of the configuration";
    assert!(why.contains(expected), "{why}");
    assert!(relay.json(&["account", "list"]).is_empty());
}

#[test]
fn no_account_is_given_a_domain_of_the_configuration() {
    let sink = Sink::start();
    let mut relay = both(&sink).start();
    refused(&relay);
    // As it is in use at that moment, …
    relay.reloads(&RelayBuilder::usual(sink.address()));
    let account = relay.json(&ADD)[0]["id"].as_str().unwrap().to_owned();
    relay.json(&["account", "remove", &account]);
    relay.reloads(&both(&sink));
    refused(&relay);
    // … and where no relay runs as it is written.
    relay.terminate();
    refused(&relay);
}

#[test]
fn a_domain_of_directory_and_configuration_is_warned_of() {
    let sink = Sink::start();
    let mut relay = RelayBuilder::usual(sink.address()).start();
    relay.json(&ADD);
    relay.reloads(&RelayBuilder::usual(sink.address()));
    assert!(!relay.log().contains(CLASH), "{}", relay.log());
    relay.reloads(&both(&sink));
    let warning = relay.logged(CLASH);
    assert!(warning.contains("WARN"), "{warning}");
    assert!(
        warning.contains("domain=xn--bcher-kva.example"),
        "{warning}"
    );
    assert!(warning.contains("configured=\"acme\""), "{warning}");
    relay.restart();
    relay.logged(CLASH);
    relay.leaves_nothing(sink);
}
