//! The life of a connector after it is set up: its credentials are rotated, its domain or an address
//! is disconnected and connected again, its account is on hold, and all of it is in the audit log.
#![allow(clippy::unwrap_used)]

mod account_on_hold;
mod all_of_an_account;
mod audited;
mod cancelled;
mod disconnected_address;
mod grace_of_a_proxy;
mod held_while_disconnected;
mod password_of_several;
mod removed;
mod reported;
mod rerouted;
mod rotated;
mod slow_rotation;
mod stands_in;
mod unauthenticated;

use std::fs;

use serde_json::Value;
use test_support::{Certificate, Client, Relay, RelayBuilder, Reply, Scram, Sink};

/// Native domain of the account.
const NATIVE: &str = "acme.desk.test";

/// Default address of the account.
const DEFAULT: &str = "help@acme.desk.test";

/// Address in the connected domain.
const SUPPORT: &str = "help@acme.test";

/// Password of the user `desk` at the customer's smart host.
const PASSWORD: &str = "hush-of-the-desk";

/// Script of a smart host with STARTTLS, where `desk` logs in.
const LOGIN: &str = "
    tls = { mode = 'starttls' }
    [auth]
    required = true
    mechanisms = ['PLAIN']
    users = [{ name = 'desk', password = 'hush-of-the-desk' }]
";

/// A relay with an account that has connected acme.test; its submissions leave by the connection that
/// serves their sender, else to the world.
struct Site {
    relay: Relay,
    /// Takes what comes in for the account.
    application: Sink,
    /// Takes what leaves by the default route.
    world: Sink,
    connector: String,
}

impl Site {
    fn start() -> Self {
        Self::with("")
    }

    /// Starts one with these further settings.
    fn with(settings: &str) -> Self {
        let (application, world) = (Sink::start(), Sink::start());
        let port = world.address().port();
        let relay = RelayBuilder::usual(application.address())
            .replace(
                r#"["loop-guard", "header-guard", "outbound-route"]"#,
                r#"["outbound-route"]"#,
            )
            .replace(
                "direction = \"inbound\"",
                "direction = \"inbound\"\nxclient-from = [\"127.0.0.1/32\"]",
            )
            .with(&format!(
                "[[policy]]\nname = 'outbound-route'\nbuiltin = 'outbound-route'\n\
                 [policy.settings]\nroutes = [{{ domain = 'acme.test', by = 'connection-of-sender' }}]\n\
                 [destinations]\nallowed-networks = ['127.0.0.0/8']\n\
                 [routes]\nsubmission = {{ host = '127.0.0.1', port = {port}, tls = 'none' }}\n\
                 {settings}"
            ))
            .start();
        relay.json(&[
            "account",
            "add",
            "--native-domain",
            NATIVE,
            "--product",
            "Acme",
        ]);
        let connector = ["connector", "add", "--kind", "two-way", "--account", NATIVE];
        let made = relay.json(&[&connector[..], &["--domain", "acme.test"]].concat());
        let connector = made[0]["id"].as_str().unwrap().to_owned();
        relay.json(&["connector", "vouch", &connector, "--outbound"]);
        for address in [DEFAULT, SUPPORT, "sales@acme.test"] {
            relay.json(&["address", "add", "--account", NATIVE, address]);
        }
        Self {
            relay,
            application,
            world,
            connector,
        }
    }

    /// Gives the account a default address.
    fn has_default_address(&self) {
        let set = ["account", "set-default-address", NATIVE, DEFAULT];
        self.relay.json(&set);
    }

    /// Issues a credential for relay from the domain.
    fn inbound(&self) -> Credential {
        let made = ["credential", "add", "--inbound", &self.connector];
        Credential::of(&self.relay.json(&made)[0])
    }

    /// Issues a credential for submission.
    fn submission(&self) -> Credential {
        let made = ["credential", "add", "--submission", NATIVE];
        Credential::of(&self.relay.json(&made)[0])
    }

    /// Submits a message in the name of an address; returns the reply that ended it.
    fn submit(&self, credential: &Credential, from: &str, to: &str) -> Reply {
        let client = self.relay.client("submission");
        let mut client = client.authenticated(&credential.user, &credential.secret);
        let message = format!("From: Acme <{from}>\r\nSubject: hello\r\n\r\nHello!\r\n");
        client.deliver(from, &[to], message.as_bytes()).unwrap()
    }

    /// Waits until a recipient of a queued message has this status.
    fn has_status(&self, id: &str, status: &str) -> Value {
        self.relay.eventually(status, |relay| {
            let shown = relay.json(&["queue", "show", id]).remove(0);
            let recipient = shown["recipients"][0].clone();
            (recipient["status"] == status).then_some(recipient)
        })
    }

    /// Returns the entries of the audit log with this action, newest first.
    fn audited(&self, action: &str) -> Vec<Value> {
        let mut entries = self.relay.json(&["audit"]);
        entries.retain(|entry| entry["action"] == action);
        entries
    }

    /// Returns the texts of the notices with this subject, oldest first.
    fn notices(&self, subject: &str) -> Vec<String> {
        let notices = self.relay.json(&["events", "--kind", "notice"]).into_iter();
        let notices = notices.filter(|notice| notice["subject"] == subject);
        notices
            .map(|notice| notice["text"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Ends the relay, and asserts that nothing is left.
    fn ends(self) {
        self.relay.leaves_nothing_at([self.world, self.application]);
    }
}

struct Credential {
    user: String,
    secret: String,
}

impl Credential {
    fn of(issued: &Value) -> Self {
        let text = |key: &str| issued[key].as_str().unwrap().to_owned();
        Self {
            user: text("user-name"),
            secret: text("secret"),
        }
    }

    /// Logs in to a listener by SCRAM; returns the session, and the reply.
    fn log_in(&self, relay: &Relay, listener: &str) -> (Client, Reply) {
        let mut client = relay.client(listener);
        client.ehlo();
        client.starttls();
        let reply = client.scram("SCRAM-SHA-256", &mut Scram::new(&self.user, &self.secret));
        (client, reply)
    }

    /// Returns code and enhanced code of a log-in.
    fn answer(&self, relay: &Relay, listener: &str) -> (u16, String) {
        let (client, reply) = self.log_in(relay, listener);
        drop(client);
        (reply.code, reply.enhanced().unwrap_or_default().to_owned())
    }
}

/// A customer's smart host.
struct SmartHost {
    sink: Sink,
    certificate: Certificate,
    _home: tempfile::TempDir,
}

impl SmartHost {
    fn start(script: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let certificate = Certificate::make_for(home.path(), &["127.0.0.1", "localhost"]);
        let (shown, key) = (&certificate.certificate, &certificate.key);
        let tls = ["--certificate", shown.to_str().unwrap(), "--key"];
        let sink = Sink::scripted(script, &[&tls[..], &[key.to_str().unwrap()]].concat());
        Self {
            sink,
            certificate,
            _home: home,
        }
    }

    /// Adds it as a connection of the account that serves these senders.
    fn connect(&self, site: &Site, name: &str, serves: &str) {
        self.set(site, "add", name, serves);
    }

    /// Adds it as a connection, or puts it in the place of the one with this name.
    fn set(&self, site: &Site, verb: &str, name: &str, serves: &str) {
        let write = |name: &str, text: &str| {
            let file = site.relay.directory().join(name);
            fs::write(&file, text).unwrap();
            file.to_str().unwrap().to_owned()
        };
        let settings = format!(
            "host = '127.0.0.1'\nport = {}\nuser = 'desk'\nserves = ['{serves}']\n\
             ca = {{ file = {:?} }}\n",
            self.sink.address().port(),
            self.certificate.certificate
        );
        let (settings, password) = (write("settings", &settings), write("password", PASSWORD));
        let add = ["connection", verb, name, "--account", NATIVE];
        let files = ["--settings", &settings, "--password-file", &password];
        site.relay.json(&[&add[..], &files].concat());
    }
}

/// A message from a customer's server.
const QUESTION: &[u8] = b"From: <ann@author.example>\r\nSubject: question\r\n\r\nHow?\r\n";
