//! The origin of a message: the facts, which policies get them, and which look-ups are not made.
//!
//! The policy `origin` (an example of `tests/guests`) gives all facts about a message's origin as
//! its reasons; the name server is the test's own.
#![allow(clippy::unwrap_used)]

mod account;
mod check;
mod dns_down;
mod forged_fields;
mod nobody_asks;
mod reload;
mod repaired;
mod signed_message;

use std::path::Path;

use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use serde_json::Value;
use test_support::{DnsServer, Relay, RelayBuilder, Reply, Sink, Zone, hostile_file};

/// The chain of the usual relay's listeners.
const CHAIN: &str = r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#;

/// From the world to the desk.
const MESSAGE: &str = "From: Ann <ann@sender.example>\r\n\
    To: help@desk.example\r\n\
    Subject: hello\r\n\
    \r\n\
    Hello!\r\n";

/// A relay whose mail `origin` judges, and which asks this name server.
fn relay(sink: &Sink, dns: &DnsServer) -> RelayBuilder {
    RelayBuilder::usual(sink.address())
        .replace(CHAIN, r#"chain = ["origin"]"#)
        .with(&format!(
            "[dns]\nservers = [\"{}\"]\n[[policy]]\nname = \"origin\"\nfile = {:?}\n",
            dns.address(),
            hostile_file("origin")
        ))
}

/// The message, signed by sender.example, and what the DNS says: the key, that clients on loopback
/// may send, and that others are to be refused.
fn signed() -> (Vec<u8>, Zone) {
    let pkcs8 = Ed25519Key::generate_pkcs8().unwrap();
    let key = Ed25519Key::from_pkcs8_der(&pkcs8).unwrap();
    let mut zone = Zone::new();
    let public = base64(&key.public_key());
    zone.txt(
        "s._domainkey.sender.example",
        format!("v=DKIM1; k=ed25519; p={public}"),
    )
    .txt("_dmarc.sender.example", "v=DMARC1; p=reject")
    .txt("sender.example", "v=spf1 ip4:127.0.0.1 -all");
    let signature = DkimSigner::from_key(key)
        .domain("sender.example")
        .selector("s")
        .headers(["From", "Subject"])
        .sign(MESSAGE.as_bytes())
        .unwrap();
    let message = [signature.to_header().as_bytes(), MESSAGE.as_bytes()].concat();
    (message, zone)
}

fn base64(octets: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(octets)
}

/// Sends a message to the desk; the last reply.
fn send(relay: &Relay, message: &[u8]) -> Reply {
    let mut client = relay.client("mx");
    client.ehlo();
    client
        .deliver("ann@sender.example", &["help@desk.example"], message)
        .unwrap()
}

/// Returns the trace of the message that got this reply.
fn trace(relay: &Relay, reply: &Reply) -> Vec<Value> {
    relay.trace(&reply.transaction())
}

/// The events of one kind.
fn events<'a>(trace: &'a [Value], kind: &str) -> Vec<&'a Value> {
    trace
        .iter()
        .filter(|event| event["event"] == kind)
        .collect()
}

/// Returns the report of `gatepost check` on a message, with these arguments.
fn checked(directory: &Path, message: &[u8], arguments: &[&str]) -> Value {
    let file = directory.join("message.eml");
    std::fs::write(&file, message).unwrap();
    let file = file.display().to_string();
    let arguments = [&["check", "--json"], arguments, &[&file]].concat();
    let output = test_support::run(&arguments);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}
