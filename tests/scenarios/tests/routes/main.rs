//! Mail that leaves: by MX, by the plan of a policy, and under the rules of the relay that no plan
//! can break.
//!
//! All relays have one configuration ([`relay`]), to which a scenario adds the option that it is
//! about. The servers of domains stand on loopback addresses of their own, at one port.
#![allow(clippy::unwrap_used)]

mod host_rules;
mod mta_sts;
mod mx;
mod peers;
mod plans;
mod stores;

use serde_json::Value;
use test_support::{Certificate, DnsServer, Relay, RelayBuilder, Sink, Zone};

/// Message of the scenarios that are about something else.
const MESSAGE: &[u8] = b"From: Ann <ann@sender.example>\r\n\
    Subject: hello\r\n\
    \r\n\
    Hello!\r\n";

/// The relay of all scenarios: `acme` submits, also as `sender.example`, and what it submits
/// leaves by MX, to servers on loopback addresses at this port.
fn relay(dns: &DnsServer, port: u16) -> RelayBuilder {
    RelayBuilder::new(format!(
        r#"
        [[account]]
        id = "acme"
        domains = ["desk.example"]
        sending-domains = ["sender.example"]
        users = [{{ name = "user", password = "secret" }}]
        [[listener]]
        name = "submission"
        address = "127.0.0.1:0"
        direction = "submission"
        chain = []
        [routes]
        submission = "mx"
        [dns]
        servers = ["{}"]
        timeout = "2s"
        attempts = 1
        [destinations]
        allowed-networks = ["127.0.0.0/8"]
        [mx]
        port = {port}
        [delivery]
        retry = ["1h"]
        "#,
        dns.address()
    ))
}

/// Starts a server that follows a script. It has the address 127.0.0.2, and a port of its own.
fn server(script: &str) -> Sink {
    Sink::scripted_at("127.0.0.2:0", script, &[])
}

/// Starts a server with that last octet in its address, at the port of another.
fn beside(other: &Sink, octet: u8, script: &str) -> Sink {
    let address = format!("127.0.0.{octet}:{}", other.address().port());
    Sink::scripted_at(&address, script, &[])
}

/// Starts a server that accepts everything, with that last octet in its address, at this port.
fn beside_port(port: u16, octet: u8) -> Sink {
    Sink::at(&format!("127.0.0.{octet}:{port}"), &[])
}

/// Returns a zone in which `b.example` has these servers: preference, and last octet of the
/// address. They are called `mx2.b.example` and so on.
fn zone(servers: &[(u16, u8)]) -> Zone {
    let mut zone = Zone::new();
    zone.set_ttl(60);
    for (preference, octet) in servers {
        let host = format!("mx{octet}.b.example");
        zone.mx("b.example", *preference, &host);
        zone.a(&host, [127, 0, 0, *octet].into());
    }
    zone
}

/// Submits a message of ann@sender.example; returns its transaction.
fn submitted(relay: &Relay, to: &[&str], message: &[u8]) -> String {
    let mut client = relay.client("submission").authenticated("user", "secret");
    let reply = client.deliver("ann@sender.example", to, message).unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    reply.transaction()
}

/// Waits for so many attempts of a message, and returns the last.
fn attempt(relay: &Relay, id: &str, number: usize) -> Value {
    relay.eventually("the attempt is on record", |relay| {
        let mut attempts = relay.events(id, "attempt");
        (attempts.len() >= number).then(|| attempts.remove(number - 1))
    })
}

/// Returns code, enhanced code and text of an attempt's reply.
fn reply(attempt: &Value) -> String {
    let reply = &attempt["reply"];
    let lines = reply["lines"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.filter_map(Value::as_str).collect();
    let enhanced = reply["enhanced"].as_str().unwrap_or_default();
    format!("{} {enhanced} {}", reply["code"], lines.join(" "))
}

/// Asserts that the message waits after its first attempt, with a reply that begins so; returns
/// the reply.
fn waits(relay: &Relay, id: &str, begins: &str) -> String {
    let attempt = attempt(relay, id, 1);
    let reply = reply(&attempt);
    assert!(reply.starts_with(begins), "{reply}");
    assert!(attempt["ending"]["deferred"].is_object(), "{attempt}");
    reply
}

/// Returns the messages that a server took and nobody has looked at, and ends it.
fn assert_nothing_came(server: Sink) {
    let rest = server.rest();
    assert!(rest.is_empty(), "{rest:?}");
}

/// Starts a server with this certificate. It has the address 127.0.0.2, and a port of its own.
fn server_certified(script: &str, certificate: &Certificate) -> Sink {
    let [chain, key] = [&certificate.certificate, &certificate.key].map(|path| path.to_str());
    let arguments = ["--certificate", chain.unwrap(), "--key", key.unwrap()];
    Sink::scripted_at("127.0.0.2:0", script, &arguments)
}

/// Adds outbound-route to the chain of a relay, with these routes.
fn routed(relay: RelayBuilder, routes: &str) -> RelayBuilder {
    relay
        .replace("chain = []", "chain = [\"outbound-route\"]")
        .with(&format!(
            r#"
            [[policy]]
            name = "outbound-route"
            builtin = "outbound-route"
            grants = ["next-hop"]
            settings = {{ routes = [{routes}] }}
            "#
        ))
}
