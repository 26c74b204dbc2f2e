//! Domains of customers, connected: what their administrators are told, and how secrets get to
//! them.
#![allow(clippy::unwrap_used)]

mod handover;
mod quickstart;
mod setup;

mod set_up {
    mod account_is_asked_for;
    mod another_kind_is_set_by_command;
    mod commands_can_be_pasted;
    mod connector_goes_by_its_domain;
    mod domain_of_another_account;
    mod errors_name_what_is_wrong;
    mod files_are_read_first;
    mod help_has_an_example;
    mod instructions_are_replaced;
    mod interrupted_by_a_key;
    mod record_is_waited_for;
    mod refused_connection_is_missing;
    mod secret_file_is_asked_for_again;
    mod service_with_oauth;
    mod without_a_relay;
}

mod instructions {
    mod exim;
    mod file;
    mod lines;
    mod postfix;
}

use std::fs;
use std::net::SocketAddr;

use test_support::{Client, DnsServer, Relay, RelayBuilder, Sink, Zone, free_port};

/// Account of every scenario, with one two-way domain.
struct Site {
    sink: Sink,
    relay: Relay,
    /// Listener at which servers of customers log in: it has an address of its own, which is not
    /// the loopback address that mail servers take for themselves.
    inbound: SocketAddr,
    connector: String,
    _dns: DnsServer,
}

impl Site {
    /// With these further settings of the relay.
    fn start(settings: &str) -> Self {
        let (sink, dns) = (Sink::start(), DnsServer::start(Zone::new()));
        let inbound = SocketAddr::from(([127, 0, 0, 2], free_port().port()));
        let relay = RelayBuilder::usual(sink.address())
            .replace(
                r#"chain = ["loop-guard", "header-guard", "outbound-route"]"#,
                r#"chain = ["inbound-auth"]"#,
            )
            .replace(
                "name = \"mx\"\n            address = \"127.0.0.1:0\"",
                &format!("name = \"mx\"\n            address = \"{inbound}\""),
            )
            .with(&format!(
                "[egress.out]\naddresses = [\"127.0.0.1\"]\n[dns]\nservers = [\"{}\"]\n",
                dns.address()
            ))
            .with(settings)
            .start();
        let native = ["--native-domain", "acme.desk.test", "--product", "Acme"];
        relay.json(&[&["account", "add"], &native[..]].concat());
        let claim = ["--domain", "customer.test", "--kind", "two-way"];
        let account = ["--account", "acme.desk.test"];
        let made = relay.json(&[&["connector", "add"], &account[..], &claim].concat());
        let connector = made[0]["id"].as_str().unwrap().to_owned();
        relay.json(&["connector", "vouch", &connector]);
        for address in ["help@customer.test", "sales@customer.test"] {
            relay.json(&[&["address", "add"], &account[..], &[address]].concat());
        }
        Self {
            sink,
            relay,
            inbound,
            connector,
            _dns: dns,
        }
    }

    /// Issues a credential; its user name and secret.
    fn credential(&self) -> (String, String) {
        let made = (self.relay).json(&["credential", "add", "--inbound", &self.connector]);
        let text = |key: &str| made[0][key].as_str().unwrap().to_owned();
        (text("user-name"), text("secret"))
    }

    /// Instructions for this software, as Markdown.
    fn instructions(&self, software: &str) -> String {
        let command = [
            "connector",
            "instructions",
            &self.connector,
            "--for",
            software,
        ];
        let made = self.relay.json(&command);
        made[0]["text"].as_str().unwrap().to_owned()
    }

    /// Certificate of the relay, as PEM.
    fn certificate(&self) -> String {
        fs::read_to_string(self.relay.directory().join("certificate.pem")).unwrap()
    }

    /// Sends a request to the page of handovers; status and whole response.
    fn ask(&self, method: &str, path: &str) -> (u16, String) {
        let mut browser = Client::connect(self.relay.address("handover")).unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        browser.send(request).unwrap();
        let response = browser.rest().unwrap();
        let status = response.split(' ').nth(1).unwrap().parse().unwrap();
        (status, response)
    }
}
