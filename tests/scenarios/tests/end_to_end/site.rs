//! The relay with its help desk, the world around, and what an operator does at it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;
use test_support::{Client, DnsServer, Relay, RelayBuilder, free_port};

use crate::desk::{Acknowledges, Desk};
use crate::places::{DEFAULT, DOMAIN, NATIVE, RELAY, RELAY_NAME, at};
use crate::world::World;

/// A relay with a help desk behind it. It has one account, which has no connector yet.
pub struct Site {
    pub dns: DnsServer,
    pub world: World,
    pub desk: Desk,
    pub relay: Relay,
    /// Listener for the servers of customers and of the world.
    pub inbound: SocketAddr,
}

impl Site {
    /// Starts one in this world, whose customers of these domains have smart hosts.
    pub fn start(
        dns: DnsServer,
        world: World,
        acknowledges: Acknowledges,
        domains: &[&str],
    ) -> Self {
        let desk = Desk::start(acknowledges);
        let inbound = at(RELAY, free_port().port());
        let relay = relay(&dns, &world, inbound, (&desk, domains)).start();
        let site = Self {
            dns,
            world,
            desk,
            relay,
            inbound,
        };
        site.has_account(NATIVE, DEFAULT);
        site
    }

    /// Adds an account with a default address, whose submissions are those of the desk.
    pub fn has_account(&self, native: &str, address: &str) {
        has_account(&self.relay, &self.desk, native, address);
    }

    /// Runs the guided set-up of the customer's connector with these options; returns true if
    /// nothing is left to do, and what it said.
    pub fn set_up(&self, kind: &str, options: &[&str]) -> (bool, String) {
        let of = [
            "connector",
            "setup",
            "--yes",
            "--account",
            NATIVE,
            "--domain",
            DOMAIN,
        ];
        let output = self
            .relay
            .command(&[&of[..], &["--kind", kind], options].concat());
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed).into_owned();
        (output.status.success(), printed)
    }

    /// Publishes the record by which the account proves its domain, as the set-up has shown it.
    pub fn publish_proof(&self, domain: &str) {
        let connector = self.connector(domain);
        let said = self.relay.refuses(&["connector", "prove", &connector]);
        let proof = said
            .split('"')
            .find(|text| text.starts_with("gatepost-verification="));
        let proof = proof.unwrap_or_else(|| panic!("no record in {said}"));
        self.dns.zone().txt(&format!("_gatepost.{domain}"), proof);
    }

    /// Returns the id of a domain's connector.
    pub fn connector(&self, domain: &str) -> String {
        let all = self.relay.json(&["connector", "list"]);
        let found = all.iter().find(|of| of["domain"] == domain);
        let found = found.unwrap_or_else(|| panic!("{domain} is not in {all:?}"));
        found["id"].as_str().unwrap().to_owned()
    }

    /// Returns the forwarding target of a support address.
    pub fn target(&self, address: &str) -> String {
        let shown = self.relay.json(&["address", "show", address]);
        shown[0]["forwarding-target"].as_str().unwrap().to_owned()
    }

    /// Opens a link as the customer's administrator does; returns the secret behind it.
    pub fn secret_behind(&self, link: &str) -> String {
        let path = &link[link.find("/handover/").unwrap()..];
        let mut browser = Client::connect(self.relay.address("handover")).unwrap();
        let request = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        browser.send(request).unwrap();
        let page = browser.rest().unwrap();
        let secret = page
            .find("gpst_")
            .unwrap_or_else(|| panic!("no secret: {page}"));
        page[secret..][..43].to_owned()
    }

    /// Verifies an address by the probes that its connector needs, or by these, and asserts that
    /// they pass.
    pub fn verifies(&self, address: &str, probes: &[&str]) -> Value {
        let verify = ["connector", "verify", address, "--wait"];
        self.relay.json(&[&verify[..], probes].concat()).remove(0)
    }

    /// Writes a file into the relay's directory; returns its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let file = self.relay.directory().join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// Returns true while mail is queued at the relay.
    pub fn is_busy(&self) -> bool {
        !self.relay.json(&["queue", "list", "--messages"]).is_empty()
    }

    /// Ends all, and asserts that nothing is queued, and that nothing came that was not looked at.
    pub fn ends(self) {
        self.relay.eventually("the queue is empty", |relay| {
            let queue = relay.json(&["queue", "list", "--messages"]);
            queue.is_empty().then_some(())
        });
        self.relay.leaves_nothing_at(self.world.sinks());
    }
}

/// The relay of a site: customers' servers log in to `inbound`, what comes in goes to the desk, and
/// what the desk submits leaves by the connection of its sender in these domains, else by MX.
pub fn relay(
    dns: &DnsServer,
    world: &World,
    inbound: SocketAddr,
    (desk, domains): (&Desk, &[&str]),
) -> RelayBuilder {
    let routes: String = domains
        .iter()
        .map(|domain| format!("{{ domain = {domain:?}, by = \"connection-of-sender\" }}, "))
        .collect();
    let address = inbound.ip();
    RelayBuilder::new(format!(
        r#"
        [[listener]]
        name = "mx"
        address = "{inbound}"
        direction = "inbound"
        chain = ["inbound-auth", "partner-guard", "loop-guard", "header-guard"]
        [[listener]]
        name = "submission"
        address = "127.0.0.1:0"
        direction = "submission"
        chain = ["partner-guard", "loop-guard", "header-guard", "outbound-route"]
        [[policy]]
        name = "outbound-route"
        builtin = "outbound-route"
        settings = {{ routes = [{routes}] }}
        [handover]
        address = "127.0.0.1:0"
        url = "https://{RELAY_NAME}"
        tls = "none"
        [routes]
        inbound = "http desk"
        submission = "mx from out"
        [egress.out]
        addresses = ["{address}"]
        [dns]
        servers = ["{}"]
        timeout = "2s"
        [destinations]
        allowed-networks = ["127.0.0.0/8"]
        [mx]
        port = {}
        [dkim]
        look-pending = "1h"
        [delivery]
        retry = ["1s"]
        {}
        "#,
        dns.address(),
        world.port(),
        desk.configuration(),
    ))
}

/// Adds an account with a default address, whose submissions are those of the desk.
pub fn has_account(relay: &Relay, desk: &Desk, native: &str, address: &str) {
    relay.json(&[
        "account",
        "add",
        "--native-domain",
        native,
        "--product",
        "Acme",
    ]);
    relay.json(&["address", "add", "--account", native, address]);
    relay.json(&["account", "set-default-address", native, address]);
    let made = relay.json(&["credential", "add", "--submission", native]);
    let text = |key: &str| made[0][key].as_str().unwrap();
    let listener = relay.address("submission");
    desk.may_submit(listener, text("user-name"), text("secret"));
}

/// Returns a file as text.
pub fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
