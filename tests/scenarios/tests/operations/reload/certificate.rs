//! A certificate that has been renewed is shown at the next handshake, in a session that began
//! before it, too; connections that are secured already live on.

use std::fs;

use test_support::{Certificate, RelayBuilder, Sink};

#[test]
fn a_renewed_certificate_is_shown() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    let mut secured = relay.client("mx");
    secured.ehlo();
    secured.starttls();
    let mut open = relay.client("mx");
    open.ehlo();

    let renewed = Certificate::make(relay.directory());
    let reloaded = relay.json(&["reload"]).remove(0);
    let keys: Vec<_> = reloaded["changes"].as_array().unwrap().iter().collect();
    assert_eq!(keys.len(), 2, "certificate and key: {keys:?}");
    open.starttls();
    let mut new = relay.client("mx");
    new.ehlo();
    new.starttls();
    let shown = [&secured, &open, &new].map(|client| client.certificate().unwrap());
    assert_ne!(shown[0], shown[1]);
    assert_eq!(shown[1], shown[2]);
    secured.command("NOOP", 250);

    // One that cannot be read changes nothing.
    fs::write(&renewed.key, "not a key").unwrap();
    let said = relay.refuses(&["reload"]);
    assert!(said.contains("private key"), "{said}");
    let mut after = relay.client("mx");
    after.ehlo();
    after.starttls();
    assert_eq!(after.certificate().unwrap(), shown[1]);
    relay.leaves_nothing(sink);
}
