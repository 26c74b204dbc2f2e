//! Signatures of mail that leaves (DKIM): with which key and when, in which form, on which way, and
//! what others make of them.
//!
//! Each file has one scenario. The key records stand in the zone of the test's own name server, and
//! `gatepost dkim check` looks for them at once; only `keys/on_a_schedule.rs` waits for the relay.
#![allow(clippy::unwrap_used)]

mod keys {
    mod before_the_record;
    mod lost;
    mod not_shown;
    mod on_a_schedule;
    mod published;
    mod rotated;
}

mod ways {
    mod converted;
    mod customers_service;
    mod native;
    mod several_destinations;
    mod subdomain;
}

mod policy {
    mod as_default_address;
    mod refused;
}

mod names {
    mod forwarded;
    mod smart_host;
}

mod far_side {
    mod came_back;
    mod exim;
    mod opensmtpd;
    mod postfix;
}

mod verifiers {
    mod dkimpy;
    mod opendkim;
}

use std::fs;

use bytes::Bytes;
use gatepost_authentication::{Arrival, DkimFact, Settings, gather};
use gatepost_dns::{NameServer, Resolver, ResolverSettings};
use gatepost_message::{Message, Millis, ReversePath};
use serde_json::Value;
use test_support::{DnsServer, Relay, RelayBuilder, Sink, Taken, Zone};

/// Message of the scenarios, in the name of `{from}`.
const MESSAGE: &str = "From: Desk <{from}>\r\n\
    To: x@b.example\r\n\
    Subject: your ticket\r\n\
    Date: Mon, 2 Mar 2026 11:09:00 +0000\r\n\
    Message-ID: <1@customer.example>\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    \r\n\
    Hello!  How are you? \r\n\
    \r\n";

/// Domain of the customer.
const CUSTOMER: &str = "customer.example";

/// Native domain of the customer's account.
const NATIVE: &str = "acme.desk.test";

/// A relay whose submitted mail leaves by MX, to servers at this port of loopback addresses, and
/// whose own addresses are 203.0.113.9 to the world.
fn by_mx(dns: &DnsServer, port: u16) -> RelayBuilder {
    RelayBuilder::new(format!(
        r#"
        [[account]]
        id = "site"
        domains = ["desk.test"]
        users = [{{ name = "user", password = "secret" }}]
        [[listener]]
        name = "mx"
        address = "127.0.0.1:0"
        direction = "inbound"
        chain = []
        [[listener]]
        name = "submission"
        address = "127.0.0.1:0"
        direction = "submission"
        chain = []
        [http]
        address = "127.0.0.1:0"
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
        own-addresses = ["203.0.113.9"]
        [dkim]
        selector = "desk"
        look-pending = "1h"
        [delivery]
        retry = ["1s"]
        "#,
        dns.address()
    ))
}

/// Starts the server of `b.example`, at 127.0.0.2, which follows a script.
fn server(script: &str) -> Sink {
    Sink::scripted_at("127.0.0.2:0", script, &[])
}

/// Zone in which `b.example` has that server.
fn zone() -> Zone {
    let mut zone = Zone::new();
    zone.set_ttl(0);
    zone.mx("b.example", 10, "mx.b.example");
    zone.a("mx.b.example", [127, 0, 0, 2].into());
    zone
}

/// A relay with the account `acme.desk.test`, which has connected these domains.
struct Customer {
    relay: Relay,
    user: String,
    secret: String,
}

impl Customer {
    /// Its operator vouches for the ways out.
    fn on(relay: Relay, domains: &[&str]) -> Self {
        Self::connected(relay, domains, "outbound-only", &["--outbound"])
    }

    /// Connects the domains in this way; the operator vouches for them with these options.
    fn connected(relay: Relay, domains: &[&str], kind: &str, options: &[&str]) -> Self {
        let account = ["account", "add", "--native-domain", NATIVE];
        relay.json(&[&account[..], &["--product", "Acme"]].concat());
        for domain in domains {
            let connector = ["connector", "add", "--kind", kind];
            let of = ["--domain", domain, "--account", NATIVE];
            let made = relay.json(&[&connector[..], &of].concat());
            let vouch = ["connector", "vouch", made[0]["id"].as_str().unwrap()];
            relay.json(&[&vouch[..], options].concat());
        }
        let made = relay.json(&["credential", "add", "--submission", NATIVE]);
        let text = |key: &str| made[0][key].as_str().unwrap().to_owned();
        Self {
            user: text("user-name"),
            secret: text("secret"),
            relay,
        }
    }

    /// Adds a support address, and returns it as the command shows it.
    fn address(&self, address: &str) -> Value {
        let add = ["address", "add", "--account", NATIVE, address];
        self.relay.json(&add).remove(0)
    }

    /// Adds a native address and names it as the default address.
    fn default_address(&self, address: &str) {
        self.address(address);
        let set = ["account", "set-default-address", NATIVE, address];
        self.relay.json(&set);
    }

    /// Returns what the command shows of messages that an address has sent from the default one.
    fn left_from_default(&self, address: &str) -> Value {
        let shown = self.relay.json(&["address", "show", address]);
        shown[0]["leaves-from-default"].clone()
    }

    /// Submits a message from an address; returns its transaction.
    fn submit(&self, from: &str) -> String {
        self.submit_text(from, &MESSAGE.replace("{from}", from))
    }

    fn submit_text(&self, from: &str, message: &str) -> String {
        let client = self.relay.client("submission");
        let mut client = client.authenticated(&self.user, &self.secret);
        let reply = client.deliver(from, &["x@b.example"], message.as_bytes());
        let reply = reply.unwrap();
        assert_eq!(reply.code, 250, "{}", reply.text());
        reply.transaction()
    }

    /// Runs `gatepost dkim` for the customer's account.
    fn dkim(&self, command: &[&str]) -> Vec<Value> {
        let account = ["--account", NATIVE];
        self.relay.json(&[&["dkim"], command, &account].concat())
    }

    /// Makes keys of a domain and has their records seen.
    fn sign_for(&self, domain: &str, dns: &DnsServer) {
        publish(dns, &self.dkim(&["generate", domain]));
        let keys = self.dkim(&["check", domain]);
        assert_eq!(states(&keys), ["active", "active"]);
    }

    /// Adds a connection to a service that serves the customer's domain.
    fn connect(&self, service: &Sink, keys: &str) {
        let file = self.relay.directory().join("settings");
        let port = service.address().port();
        let settings = format!(
            "host = '127.0.0.1'\nport = {port}\ntls = 'none'\nserves = ['@{CUSTOMER}']\n{keys}"
        );
        fs::write(&file, settings).unwrap();
        let add = ["connection", "add", "outlook", "--account", NATIVE];
        let file = ["--settings", file.to_str().unwrap()];
        self.relay.json(&[&add[..], &file].concat());
    }
}

/// Makes keys of the site's own for a domain, and has their records seen.
fn sign_for_site(relay: &Relay, domain: &str, dns: &DnsServer) {
    publish(dns, &relay.json(&["dkim", "generate", domain]));
    let keys = relay.json(&["dkim", "check", domain]);
    assert_eq!(states(&keys), ["active", "active"]);
}

/// Publishes the records of keys.
fn publish(dns: &DnsServer, keys: &[Value]) {
    let mut zone = dns.zone();
    for key in keys {
        let strings = key["record"]["strings"].as_array().unwrap().iter();
        let strings: Vec<_> = strings
            .map(|text| text.as_str().unwrap().as_bytes())
            .collect();
        zone.txt_strings(record_name(key), &strings);
    }
}

fn record_name(key: &Value) -> &str {
    key["record"]["name"].as_str().unwrap()
}

/// States of keys, in the order of an answer.
fn states(keys: &[Value]) -> Vec<&str> {
    keys.iter()
        .map(|key| key["state"].as_str().unwrap())
        .collect()
}

/// Results of the signatures of a message, as the relay's own verifier finds them: result, domain
/// and selector.
fn verified(dns: &DnsServer, message: &[u8]) -> Vec<String> {
    let settings = ResolverSettings {
        servers: vec![NameServer(dns.address())],
        ..ResolverSettings::default()
    };
    let path = ReversePath::parse("").unwrap();
    let arrival = Arrival {
        client: [192, 0, 2, 99].into(),
        helo: "client.invalid",
        receiver: "mx.b.example",
        reverse_path: &path,
        at: Millis::now(),
    };
    let message = Message::from_bytes(Bytes::copy_from_slice(message));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let facts = runtime.block_on(async {
        let resolver = Resolver::new(&settings).unwrap();
        gather(&message, &arrival, &resolver, &Settings::default()).await
    });
    let line = |of: &DkimFact| format!("{} {} {}", of.result.word(), of.domain, of.selector);
    facts.dkim.iter().map(line).collect()
}

/// Asserts that a message has a signature of each algorithm by a domain, at the selectors whose
/// turn it is, and that both verify.
fn assert_signed(dns: &DnsServer, taken: &Taken, domain: &str, turn: u8) {
    let expected =
        ["rsa", "ed25519"].map(|algorithm| format!("pass {domain} desk-{algorithm}-{turn}"));
    assert_eq!(verified(dns, &taken.bytes()), expected, "{}", taken.text());
}

fn assert_unsigned(taken: &Taken) {
    assert_eq!(taken.header("DKIM-Signature"), None, "{}", taken.text());
}

/// Waits for the end of the first attempt of a message; returns its reply and its ending.
fn attempt(relay: &Relay, id: &str) -> (String, Value) {
    let attempt = relay.eventually("the attempt is on record", |relay| {
        relay.events(id, "attempt").into_iter().next()
    });
    let reply = &attempt["reply"];
    let lines = reply["lines"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.filter_map(Value::as_str).collect();
    let enhanced = reply["enhanced"].as_str().unwrap_or_default();
    let reply = format!("{} {enhanced} {}", reply["code"], lines.join(" "));
    (reply, attempt["ending"].clone())
}

/// Signs messages for `sender.example`, sends them by a server that passes them on to a sink, and
/// asserts that they verify there.
fn verifies_behind(server: std::net::SocketAddr, sink: &Sink) {
    let dns = DnsServer::start(zone());
    let relay = RelayBuilder::usual(server)
        .replace("[delivery]", "[delivery]\nconvert-8bit = true")
        .with(&format!(
            "[dkim]\nselector = 'desk'\nlook-pending = '1h'\n[dns]\nservers = ['{}']\n",
            dns.address()
        ))
        .start();
    sign_for_site(&relay, "sender.example", &dns);
    let plain = MESSAGE.replace("{from}", "ann@sender.example");
    let long = "a line of words, and of spaces at its end   \r\n".repeat(4000);
    for message in [
        plain.clone(),
        plain.replace("Hello!", "Gr\u{fc}\u{df}e, .\r\n.."),
        plain.replace("Hello!", &long),
    ] {
        let mut client = relay.client("submission").authenticated("user", "secret");
        let to = ["user@elsewhere.example"];
        let reply = client.deliver("ann@sender.example", &to, message.as_bytes());
        assert_eq!(reply.unwrap().code, 250);
        assert_signed(&dns, &sink.take(), "sender.example", 1);
    }
}

/// Records of keys for other verifiers: name and text, one a line.
fn record_lines(keys: &[Value]) -> String {
    let line = |key: &Value| {
        let strings = key["record"]["strings"].as_array().unwrap().iter();
        let text: String = strings.map(|text| text.as_str().unwrap()).collect();
        format!("{} {text}\n", record_name(key))
    };
    keys.iter().map(line).collect()
}
