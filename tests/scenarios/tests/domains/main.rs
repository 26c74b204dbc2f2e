//! Domains and their DNS: the proof that a domain is an account's, and what `gatepost domain check`
//! says of each record.
//!
//! Each file has one scenario. Mail leaves from 203.0.113.9; the zone of the test's own name server
//! has what the site needs, and the scenario adds what the customer has.
#![allow(clippy::unwrap_used)]

mod claimed_by_several;
mod domain_of_the_site;
mod exchanges;
mod hostile_records;
mod key_records;
mod look_ups;
mod mta_sts;
mod no_answer;
mod nothing_published;
mod policy_by_route;
mod proved;
mod reloaded;
mod return_path;
mod reverse;
mod smart_host;
mod whole;

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use test_support::{DnsServer, Relay, RelayBuilder, Zone};

/// Domain of the customer.
const CUSTOMER: &str = "customer.example";

/// Native domain of the customer's account.
const NATIVE: &str = "acme.desk.example";

/// Record of the customer that lets the site send.
const SPF: &str = "v=spf1 mx include:_spf.mx.desk.example -all";

/// Zone in which all is right that the site needs, and the customer has a server.
fn zone() -> Zone {
    let mut zone = Zone::new();
    zone.set_ttl(0);
    zone.a("mx.desk.example", [203, 0, 113, 9].into());
    zone.ptr([203, 0, 113, 9].into(), "mx.desk.example");
    zone.txt("_spf.mx.desk.example", "v=spf1 ip4:203.0.113.9 -all");
    zone.mx(NATIVE, 10, "mx.desk.example");
    zone.txt(NATIVE, "v=spf1 include:_spf.mx.desk.example -all");
    zone.mx(CUSTOMER, 10, "mail.customer.example");
    zone.a("mail.customer.example", [198, 51, 100, 1].into());
    zone
}

/// Relay that asks this name server.
fn relay(dns: &DnsServer) -> RelayBuilder {
    RelayBuilder::new(format!(
        r#"
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
        [routes]
        submission = "mx"
        [dns]
        servers = ["{}"]
        timeout = "2s"
        attempts = 1
        [destinations]
        allowed-networks = ["127.0.0.0/8"]
        [mx]
        own-addresses = ["203.0.113.9"]
        [dkim]
        selector = "desk"
        look-pending = "1h"
        "#,
        dns.address()
    ))
}

/// Relay with the account `acme.desk.example`, which has connected the customer's domain.
struct Site {
    relay: Relay,
    dns: DnsServer,
    /// Id of the connector.
    connector: String,
}

impl Site {
    fn start(zone: Zone, kind: &str) -> Self {
        let dns = DnsServer::start(zone);
        let relay = relay(&dns).start();
        Self::on(relay, dns, kind)
    }

    fn on(relay: Relay, dns: DnsServer, kind: &str) -> Self {
        relay.json(&[
            "account",
            "add",
            "--native-domain",
            NATIVE,
            "--product",
            "Acme",
        ]);
        Self {
            connector: connect(&relay, NATIVE, kind),
            relay,
            dns,
        }
    }

    /// Takes the operator's word for the domain.
    fn vouched(self) -> Self {
        self.relay.json(&["connector", "vouch", &self.connector]);
        self
    }

    /// Makes keys of the customer's domain, and publishes their records.
    fn sign(&self) {
        let keys = self.make_keys();
        let mut zone = self.dns.zone();
        for key in &keys {
            let strings = strings(key);
            let strings: Vec<_> = strings.iter().map(String::as_bytes).collect();
            zone.txt_strings(key["record"]["name"].as_str().unwrap(), &strings);
        }
    }

    fn make_keys(&self) -> Vec<Value> {
        let account = ["--account", NATIVE];
        (self.relay).json(&[&["dkim", "generate", CUSTOMER], &account[..]].concat())
    }

    /// Adds a connection to the smart host of the customer.
    fn connect_to(&self, host: &str) {
        let file = self.relay.directory().join("settings");
        let settings =
            format!("host = '{host}'\nport = 587\ntls = 'required'\nserves = ['@{CUSTOMER}']\n");
        fs::write(&file, settings).unwrap();
        let add = ["connection", "add", "out", "--account", NATIVE];
        let file = ["--settings", file.to_str().unwrap()];
        self.relay.json(&[&add[..], &file].concat());
    }

    /// Checks the customer's domain.
    fn check(&self) -> Checked {
        check(&self.relay, &[CUSTOMER])
    }
}

/// Connects the customer's domain to an account; returns the id of the connector.
fn connect(relay: &Relay, account: &str, kind: &str) -> String {
    let add = [
        "connector",
        "add",
        "--account",
        account,
        "--domain",
        CUSTOMER,
    ];
    let made = relay.json(&[&add[..], &["--kind", kind]].concat());
    made[0]["id"].as_str().unwrap().to_owned()
}

/// Strings of a key's record.
fn strings(key: &Value) -> Vec<String> {
    let strings = key["record"]["strings"].as_array().unwrap().iter();
    strings
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

/// Report of a check, with its exit code.
struct Checked {
    report: Value,
    code: i32,
}

/// Runs `gatepost domain check`.
fn check(relay: &Relay, arguments: &[&str]) -> Checked {
    let command = [&["domain", "check"], arguments, &["--json"]].concat();
    let output = relay.command(&command);
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    Checked {
        report: serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}{errors}")),
        code: output.status.code().unwrap(),
    }
}

impl Checked {
    /// Findings about a topic.
    fn all(&self, topic: &str) -> Vec<&Value> {
        let findings = self.report["findings"].as_array().unwrap().iter();
        findings.filter(|of| of["topic"] == topic).collect()
    }

    /// The only finding about a topic, in a line: standing, whether it is only advice, and words.
    fn one(&self, topic: &str) -> String {
        let all = self.all(topic);
        assert_eq!(all.len(), 1, "{topic}: {}", self.report);
        line(all[0])
    }

    /// Lines to paste of the only finding about a topic.
    fn paste(&self, topic: &str) -> Vec<String> {
        let all = self.all(topic);
        assert_eq!(all.len(), 1, "{topic}: {}", self.report);
        lines(&all[0]["paste"])
    }

    /// Returns the results that other servers see, a line each: kind, result, sentence.
    fn outside(&self) -> String {
        let mut text = String::new();
        for outlook in self.report["outside"].as_array().unwrap() {
            let word = |key: &str| outlook[key].as_str().unwrap();
            writeln!(
                text,
                "{}: {}: {}",
                word("kind"),
                word("result"),
                word("sentence")
            )
            .unwrap();
        }
        text
    }
}

fn line(finding: &Value) -> String {
    let word = |key: &str| finding[key].as_str().unwrap();
    let advice = match finding["needed"].as_bool().unwrap() {
        true => "",
        false => "advice: ",
    };
    match word("words") {
        "" => format!("{advice}{}", word("standing")),
        words => format!("{advice}{}: {words}", word("standing")),
    }
}

fn lines(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|line| line.as_str().unwrap().to_owned()).collect()
}
