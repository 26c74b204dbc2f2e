//! Verification of support addresses: the relay sends probes, which come back by the ways of a
//! customer's mail or do not, and says of each address whether its mail goes its way.
#![allow(clippy::unwrap_used)]

mod administrators_are_told;
mod advice;
mod before_it_leaves;
mod changed_connection;
mod confirmation;
mod forged;
mod lost;
mod no_connection;
mod not_before_it_is_proved;
mod passes;
mod refused;
mod reported;
mod returned;
mod scheduled;
mod unvouched;
mod withdrawn;

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{Certificate, Client, DnsServer, Relay, RelayBuilder, Reply, Sink, Taken, Zone};

/// Support address of the customer.
const ADDRESS: &str = "help@customer.test";

/// Native domain of the account, and its address there, in whose name mail leaves that may not leave in
/// its own.
const NATIVE: &str = "acme.desk.test";
const DEFAULT: &str = "help@acme.desk.test";

/// Address from which the customer's server sends, as its SPF record says.
const ITS_SERVER: &str = "198.51.100.44";

/// Script of a smart host that wants no log-in.
const OPEN: &str = "";

/// Script of a smart host with STARTTLS where `desk` logs in.
const LOGIN: &str = "
    tls = { mode = 'starttls' }
    [auth]
    required = true
    mechanisms = ['PLAIN']
    users = [{ name = 'desk', password = 'hush-of-the-desk' }]
";

/// The customer's smart host.
struct SmartHost {
    sink: Sink,
    certificate: Certificate,
    _home: TempDir,
}

impl SmartHost {
    /// Starts one that follows this script, with a certificate for these names.
    fn named(script: &str, names: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let certificate = Certificate::make_for(home.path(), names);
        Self::with(script, certificate, home)
    }

    /// The same with a certificate that has expired.
    fn expired(script: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let certificate = Certificate::make_expired(home.path(), &["127.0.0.1"]);
        Self::with(script, certificate, home)
    }

    fn with(script: &str, certificate: Certificate, home: TempDir) -> Self {
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let (shown, key) = (path(&certificate.certificate), path(&certificate.key));
        Self {
            sink: Sink::scripted(script, &["--certificate", &shown, "--key", &key]),
            certificate,
            _home: home,
        }
    }

    fn start(script: &str) -> Self {
        Self::named(script, &["127.0.0.1"])
    }

    /// Keys of a connection without TLS and without a log-in.
    fn plain(&self) -> String {
        format!("{}tls = 'none'\n", self.place())
    }

    /// Keys of a connection that logs in as `desk`, and trusts this certificate.
    fn with_login(&self) -> String {
        let file = &self.certificate.certificate;
        format!(
            "{}user = 'desk'\nca = {{ file = {file:?} }}\n",
            self.place()
        )
    }

    fn place(&self) -> String {
        let port = self.sink.address().port();
        format!("host = '127.0.0.1'\nport = {port}\nserves = ['@customer.test']\n")
    }
}

/// A relay with the account of one customer. What the relay itself sends to the customer goes to
/// `world`, the server of the customer's domain.
struct Site {
    application: Sink,
    world: Sink,
    dns: DnsServer,
    relay: Relay,
    account: String,
    connector: String,
}

impl Site {
    /// Connects customer.test in this way.
    fn start(kind: &str) -> Self {
        Self::with(kind, "", "")
    }

    /// The same with a script of the server of the customer's domain, and with further settings.
    fn with(kind: &str, world: &str, settings: &str) -> Self {
        let mut zone = Zone::new();
        zone.set_ttl(0);
        zone.txt("customer.test", format!("v=spf1 ip4:{ITS_SERVER} -all"));
        zone.txt("_dmarc.customer.test", "v=DMARC1; p=reject");
        let (application, dns) = (Sink::start(), DnsServer::start(zone));
        let world = Sink::scripted(world, &[]);
        let port = |sink: &Sink| sink.address().port();
        let relay = RelayBuilder::new(format!(
            r#"
            [[listener]]
            name = "mx"
            address = "127.0.0.1:0"
            direction = "inbound"
            chain = ["loop-guard"]
            xclient-from = ["127.0.0.1/32"]
            [[listener]]
            name = "submission"
            address = "127.0.0.1:0"
            direction = "submission"
            chain = ["outbound-route"]
            [[policy]]
            name = "outbound-route"
            builtin = "outbound-route"
            settings = {{ routes = [{{ by = "connection-of-sender" }}] }}
            [http]
            address = "127.0.0.1:0"
            [routes]
            submission = {{ host = "127.0.0.1", port = {}, tls = "none" }}
            inbound = {{ host = "127.0.0.1", port = {}, tls = "none" }}
            [dns]
            servers = ["{}"]
            timeout = "2s"
            attempts = 1
            [destinations]
            allowed-networks = ["127.0.0.0/8"]
            [dkim]
            look-pending = "1h"
            [delivery]
            retry = ["1s"]
            {settings}
            "#,
            port(&world),
            port(&application),
            dns.address()
        ))
        .start();
        let native = ["--native-domain", NATIVE, "--product", "Acme"];
        let made = relay.json(&[&["account", "add"], &native[..]].concat());
        let account = made[0]["id"].as_str().unwrap().to_owned();
        let claim = ["--domain", "customer.test", "--kind", kind];
        let of = ["--account", NATIVE];
        let made = relay.json(&[&["connector", "add"], &claim[..], &of].concat());
        let connector = made[0]["id"].as_str().unwrap().to_owned();
        let site = Self {
            application,
            world,
            dns,
            relay,
            account,
            connector,
        };
        (site.relay).json(&["connector", "vouch", &site.connector]);
        site.add_address(ADDRESS);
        site.add_address(DEFAULT);
        site
    }

    fn add_address(&self, address: &str) {
        (self.relay).json(&["address", "add", "--account", NATIVE, address]);
    }

    /// Adds the connection to the smart host by these keys of a settings file.
    fn connection(&self, settings: &str, password: Option<&str>) {
        self.put_connection("add", settings, password);
    }

    /// Changes it by these keys.
    fn change_connection(&self, settings: &str, password: Option<&str>) {
        self.put_connection("set", settings, password);
    }

    fn put_connection(&self, verb: &str, settings: &str, password: Option<&str>) {
        let write = |name: &str, text: &str| {
            let file = self.relay.directory().join(name);
            std::fs::write(&file, text).unwrap();
            file.to_str().unwrap().to_owned()
        };
        let settings = write("settings", settings);
        let add = ["connection", verb, "out", "--account", NATIVE];
        let mut arguments = [&add[..], &["--settings", &settings]].concat();
        let file = password.map(|password| write("password", password));
        if let Some(file) = &file {
            arguments.extend(["--password-file", file]);
        }
        self.relay.json(&arguments);
    }

    /// Runs `gatepost connector verify` for the customer's address; returns what it answers,
    /// whether or not a direction has failed.
    fn verify(&self, direction: &str) -> Value {
        let verify = ["connector", "verify", ADDRESS, direction, "--json"];
        let output = self.relay.command(&verify);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("{error}: {text}{errors}"))
    }

    /// Waits until no probe of the address is on its way; returns what is known of it.
    fn settled(&self) -> Value {
        self.relay.eventually("the probes have ended", |relay| {
            let request = json!({"account": self.account, "address": ADDRESS});
            let asked = json!({"operation": "connector-verification", "request": request});
            let answer = relay.ask(&asked)["answer"].take();
            (answer["waiting"] == json!([])).then_some(answer)
        })
    }

    /// Returns the address as the directory has it now.
    fn known(&self) -> Value {
        self.relay.json(&["address", "show", ADDRESS]).remove(0)
    }

    /// A client at this address.
    fn client(&self, address: &str) -> Client {
        let mut session = self.relay.client("mx");
        session.ehlo();
        session.command(&format!("XCLIENT ADDR={address} NAME=[UNAVAILABLE]"), 220);
        session.ehlo();
        session
    }

    /// Submits a message in the name of an address, by a credential of the account.
    fn submit(&self, credential: &Value, sender: &str) {
        let text = |key: &str| credential[key].as_str().unwrap();
        let client = self.relay.client("submission");
        let mut client = client.authenticated(text("user-name"), text("secret"));
        let message = format!("From: Desk <{sender}>\r\nSubject: answer\r\n\r\nHello!\r\n");
        let reply = client.deliver(sender, &["ann@elsewhere.test"], message.as_bytes());
        assert_eq!(reply.unwrap().code, 250);
    }

    /// Sends a message in as the customer's server sends what it forwards.
    fn forward(&self, to: &str, message: &[u8]) -> Reply {
        let from = "SRS0=ab12=XY=acme.desk.test=probe@customer.test";
        (self.client(ITS_SERVER))
            .deliver(from, &[to], message)
            .unwrap()
    }

    /// Sends a message in over an authenticated session of a domain's connector.
    fn relay_in(&self, connector: &str, to: &str, message: &[u8]) -> Reply {
        let made = (self.relay).json(&["credential", "add", "--inbound", connector]);
        let of = |key: &str| made[0][key].as_str().unwrap().to_owned();
        let client = self.relay.client("mx");
        let mut client = client.authenticated(&of("user-name"), &of("secret"));
        client
            .deliver("someone@elsewhere.test", &[to], message)
            .unwrap()
    }

    /// Sends what the smart host has taken on to its recipient, as the smart host does.
    fn deliver(&self, taken: &Taken, message: &[u8]) -> Reply {
        let mut session = self.client(ITS_SERVER);
        session
            .deliver(&taken.from, &[&taken.to[0]], message)
            .unwrap()
    }

    /// Has the account sign for customer.test.
    fn sign(&self) {
        let account = ["--account", NATIVE, "customer.test"];
        let keys = self
            .relay
            .json(&[&["dkim", "generate"], &account[..]].concat());
        for key in &keys {
            let strings = key["record"]["strings"].as_array().unwrap().iter();
            let strings: Vec<_> = strings
                .map(|text| text.as_str().unwrap().as_bytes())
                .collect();
            let name = key["record"]["name"].as_str().unwrap();
            self.dns.zone().txt_strings(name, &strings);
        }
        self.relay
            .json(&[&["dkim", "check"], &account[..]].concat());
    }

    /// Ends all, and asserts that nothing came to the application and nothing is queued.
    fn ends(self) {
        self.relay.leaves_nothing_at([self.world, self.application]);
    }
}

/// Asserts in whose name a message left.
fn assert_from(taken: &Taken, address: &str) {
    let from = taken.header("From").unwrap();
    assert!(from.contains(&format!("<{address}>")), "{from}");
}

/// Asserts that a direction has failed for this reason, in these words, with the advice for it.
fn assert_failed(known: &Value, direction: &str, reason: &str, words: &str) {
    let of = &known[direction];
    assert_eq!(of["state"], "failed", "{known}");
    assert_eq!(of["reason"], reason, "{known}");
    let said = of["words"].as_str().unwrap();
    assert!(said.contains(words), "{said}");
    let check = &of["check"];
    assert_eq!(check["reason"], reason, "{known}");
    let advice = check["advice"].as_str().unwrap_or_default();
    assert!(advice::is_for(reason, advice), "{known}");
}
