//! Mail that leaves through a connection: how the session is secured, who logs in, how much the
//! service takes, and what becomes of the mail when it refuses.
//!
//! Each file differs from the others in one setting, and looks at what came to the service.
#![allow(clippy::unwrap_used)]

mod egress;
mod every_option;
mod profile;
mod serves;
mod tokens;

mod auth {
    mod login;
    mod never_in_clear;
    mod nothing_offered;
    mod plain;
    mod preference;
    mod scram;
    mod scram_plus;
    mod without_credential;
}

mod oauth {
    mod authorized;
    mod customer;
    mod not_authorized;
    mod removed;
}

mod tls {
    mod client_certificate;
    mod demanded_certificate;
    mod implicit;
    mod none;
    mod opportunistic;
    mod pinned_key;
    mod private_ca;
    mod required;
    mod wrong_name;
}

mod ehlo {
    mod hostname;
    mod name;
    mod sender_domain;
}

mod limits {
    mod connections;
    mod messages_a_day;
    mod messages_a_minute;
    mod messages_per_connection;
    mod per_mailbox;
    mod recipient_domains;
    mod recipients;
    mod recipients_a_day;
}

mod broken {
    mod auth;
    mod ehlo;
    mod expired;
    mod fall_back;
    mod greeting;
    mod guarded_host;
    mod helo;
    mod password_file;
    mod probe;
    mod starttls;
    mod told;
    mod unknown_pool;
}

mod times {
    mod delay_notice;
    mod expiry;
    mod retry;
    mod secret_expires;
}

mod replies {
    mod quota;
    mod unknown_recipient;
}

mod customers {
    mod changed;
    mod changed_while_idle;
    mod private_host;
    mod secret;
}

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use test_support::{Certificate, Relay, RelayBuilder, Sink, Taken, TokenServer};

/// Message of the scenarios.
const MESSAGE: &[u8] = b"Date: Mon, 2 Mar 2026 11:09:00 +0000\r\n\
    Message-ID: <1@sender.example>\r\n\
    From: Ann <ann@sender.example>\r\n\
    To: x@elsewhere.example\r\n\
    Subject: hello\r\n\
    \r\n\
    Hello!\r\n";

/// Password of the user `desk`.
const PASSWORD: &str = "hush-of-the-desk";

/// Script of a service with STARTTLS.
const TLS: &str = "tls = { mode = 'starttls' }\n";

/// Script of a service with STARTTLS where the user has to log in.
const LOGIN: &str = "
    tls = { mode = 'starttls' }
    [auth]
    required = true
    mechanisms = ['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']
    users = [{ name = 'desk', password = 'hush-of-the-desk' }]
";

/// Keys of a connection with that user.
const USER: &str = "user = 'desk'\npassword = 'hush-of-the-desk'\n";

/// Script of a service with STARTTLS where `desk` logs in by this access token.
fn by_token(token: &str) -> String {
    format!(
        "tls = {{ mode = 'starttls' }}\n[auth]\nrequired = true\nmechanisms = ['XOAUTH2']\n\
         users = [{{ name = 'desk', token = '{token}' }}]\n"
    )
}

/// Keys of a connection of `desk` that a person has to authorize at this token server.
fn by_consent(tokens: &TokenServer) -> String {
    format!(
        "user = 'desk'\nmechanisms = ['xoauth2']\ngrant = 'refresh-token'\nclient-id = 'relay'\n\
         token-url = '{}'\ndevice-url = '{}'\nscopes = ['mail.send', 'offline_access']\n",
        tokens.url("/token"),
        tokens.url("/device")
    )
}

/// Answer of a token server that begins the device flow (RFC 8628).
const DEVICE: &str = r#"{"device_code":"device-code-of-the-relay","user_code":"WDJB-MJHT",
    "interval":0,"expires_in":900,"verification_uri":"https://login.example/device"}"#;

/// Answer of a token server with a refresh token that lives for seven days.
fn tokens_for_a_week(access: &str, refresh: &str) -> String {
    serde_json::json!({
        "access_token": access, "token_type": "Bearer", "expires_in": 3600,
        "refresh_token": refresh, "refresh_token_expires_in": 7 * 24 * 3600,
    })
    .to_string()
}

/// Another mail service, with a certificate of its own.
struct Service {
    sink: Sink,
    certificate: Certificate,
    _home: TempDir,
}

impl Service {
    /// Starts one that follows this script.
    fn start(script: &str) -> Self {
        Self::named(script, &["127.0.0.1", "localhost"])
    }

    /// Starts one whose certificate is for these names.
    fn named(script: &str, names: &[&str]) -> Self {
        Self::with(script, names, &[])
    }

    /// Starts one that takes only clients with a certificate of this authority.
    fn of_clients(script: &str, authority: &Path) -> Self {
        let authority = authority.to_str().unwrap();
        Self::with(script, &["127.0.0.1"], &["--client-ca", authority])
    }

    fn with(script: &str, names: &[&str], arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let certificate = Certificate::make_for(home.path(), names);
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let (shown, key) = (path(&certificate.certificate), path(&certificate.key));
        let tls = ["--certificate", &shown, "--key", &key];
        let sink = Sink::scripted(script, &[&tls, arguments].concat());
        Self {
            sink,
            certificate,
            _home: home,
        }
    }

    /// The key `ca`, which trusts the service's certificate.
    fn ca(&self) -> String {
        format!("ca = {{ file = {:?} }}\n", self.certificate.certificate)
    }

    /// A relay whose submitted mail leaves through the connection `desk` to this service, with
    /// these further keys, and which trusts the service's certificate.
    fn relay(&self, keys: &str) -> RelayBuilder {
        self.relay_without_ca(&(self.ca() + keys))
    }

    /// The same without that trust.
    fn relay_without_ca(&self, keys: &str) -> RelayBuilder {
        RelayBuilder::usual(self.sink.address()).with(&format!(
            "[http]\naddress = '127.0.0.1:0'\n\
             [routes]\nsubmission = 'connection desk'\n\
             [connection.desk]\nhost = '127.0.0.1'\nport = {}\n{keys}",
            self.sink.address().port()
        ))
    }

    /// Delivers one message over a connection with these keys; returns it as it came.
    fn takes(self, keys: &str) -> Taken {
        let relay = self.relay(keys).start();
        submit(&relay, &["x@elsewhere.example"]);
        let taken = self.sink.take();
        assert_eq!(taken.to, ["x@elsewhere.example"]);
        relay.leaves_nothing(self.sink);
        taken
    }
}

/// Submits the message to these recipients; returns its transaction.
fn submit(relay: &Relay, to: &[&str]) -> String {
    submit_from(relay, "ann@sender.example", to)
}

/// Submits the message in the name of this sender.
fn submit_from(relay: &Relay, from: &str, to: &[&str]) -> String {
    let client = relay.client("submission").authenticated("user", "secret");
    send(client, from, to)
}

fn send(mut client: test_support::Client, from: &str, to: &[&str]) -> String {
    let message = String::from_utf8_lossy(MESSAGE).replace("ann@sender.example", from);
    let reply = client.deliver(from, to, message.as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    reply.transaction()
}

/// The first recipient of a message in the queue, once it waits with a reply that has these words;
/// and why it waits.
fn waits(relay: &Relay, id: &str, words: &str) -> (Value, String) {
    relay.eventually(&format!("waits with {words:?}"), |relay| {
        let shown = relay.json(&["queue", "show", id]).remove(0);
        let recipient = shown["recipients"][0].clone();
        let reply = recipient["last-reply"].to_string();
        let waits = recipient["status"] == "queued" && reply.contains(words);
        let reason = shown["waiting"][0]["reason"].as_str().unwrap_or_default();
        waits.then(|| (recipient, reason.to_owned()))
    })
}

/// A service that refuses one session by this rule, and takes mail by the next: the connection is
/// broken at that stage, which is shown everywhere and bounces nothing; after a test of the
/// connection the mail flows.
fn breaks_and_mends(rule: &str, stage: &str, words: &str) {
    let service = Service::start(&format!("{LOGIN}[[on]]\ntimes = 1\n{rule}"));
    let relay = service.relay(USER).start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    let (recipient, reason) = waits(&relay, &id, words);
    assert_eq!(recipient["attempts"], 1, "{recipient}");
    assert!(
        reason.contains("connection:desk") || reason.contains("next attempt"),
        "{reason}"
    );

    let broken = relay.json(&["connection", "show", "desk"]).remove(0);
    let status = &broken["status"];
    assert_eq!(status["state"], "broken", "{broken}");
    assert_eq!(status["stage"], stage);
    assert!(
        status["words"].as_str().unwrap().contains(words),
        "{status}"
    );
    let advice = status["advice"].as_str().unwrap();
    assert!(!advice.is_empty());
    let shown = relay.command(&["connection", "show", "desk"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("broken") && shown.contains(words) && shown.contains(advice));
    assert_eq!(state(&relay, "broken"), 1.0);
    let logged = relay.logged("connection broken: its mail is held");
    assert!(logged.contains(words), "{logged}");
    // What comes meanwhile waits without a session of its own.
    let later = submit(&relay, &["y@elsewhere.example"]);
    let (later, _) = waits(&relay, &later, words);
    assert_eq!(later["attempts"], 0, "{later}");

    let tested = relay.json(&["connection", "test", "desk"]).remove(0);
    assert_eq!(tested["refused-at"], Value::Null, "{tested}");
    let mut came = [service.sink.take(), service.sink.take()].map(|taken| taken.to);
    came.sort();
    assert_eq!(came, [["x@elsewhere.example"], ["y@elsewhere.example"]]);
    assert_eq!(
        (state(&relay, "working"), state(&relay, "broken")),
        (1.0, 0.0)
    );
    relay.leaves_nothing(service.sink);
}

/// Value of the metric of the connection `desk` for this state.
fn state(relay: &Relay, state: &str) -> f64 {
    let metric = format!("gatepost_connection_state{{connection=\"desk\",state=\"{state}\"}}");
    relay.metric(&metric).unwrap()
}

/// A relay with the account `acme.desk.test`, which sends as `acme.test` by its own connection
/// `outlook`; with these further settings.
fn with_customer(settings: &str) -> Customer {
    let nowhere = "127.0.0.1:1".parse().unwrap();
    let relay = RelayBuilder::usual(nowhere)
        .replace(
            r#"["loop-guard", "header-guard", "outbound-route"]"#,
            r#"["outbound-route"]"#,
        )
        .with(OF_SENDER)
        .with(settings)
        .environment("RUST_LOG", "debug")
        .start();
    relay.json(&[
        "account",
        "add",
        "--native-domain",
        "acme.desk.test",
        "--product",
        "Acme",
        "--brand",
        "Blue",
    ]);
    let connector = ["connector", "add", "--kind", "outbound-only"];
    let domain = ["--domain", "acme.test", "--account", "acme.desk.test"];
    let made = relay.json(&[&connector[..], &domain[..]].concat());
    let id = made[0]["id"].as_str().unwrap();
    relay.json(&["connector", "vouch", id, "--outbound"]);
    let made = relay.json(&["credential", "add", "--submission", "acme.desk.test"]);
    let text = |key: &str| made[0][key].as_str().unwrap().to_owned();
    Customer {
        user: text("user-name"),
        secret: text("secret"),
        relay,
    }
}

/// The policy that sends mail by the connection that serves its sender.
const OF_SENDER: &str = "[[policy]]\nname = 'outbound-route'\nbuiltin = 'outbound-route'\n\
    [policy.settings]\nroutes = [{ by = 'connection-of-sender' }]\n";

/// Setting that lets customers' connections lead to this machine.
const LOOPBACK_ALLOWED: &str = "[destinations]\nallowed-networks = ['127.0.0.0/8']\n";

struct Customer {
    relay: Relay,
    user: String,
    secret: String,
}

impl Customer {
    /// Submits the message from `desk@acme.test`; returns its transaction.
    fn submit(&self, to: &[&str]) -> String {
        self.submit_from("desk@acme.test", to)
    }

    /// Submits the message from this address; returns its transaction.
    fn submit_from(&self, from: &str, to: &[&str]) -> String {
        let client = self.relay.client("submission");
        let client = client.authenticated(&self.user, &self.secret);
        send(client, from, to)
    }

    /// Adds or sets the connection by these keys of a settings file, with the password.
    fn connection(&self, verb: &str, settings: &str) -> Value {
        self.connection_named("outlook", verb, settings)
    }

    /// The same for the connection of this name.
    fn connection_named(&self, name: &str, verb: &str, settings: &str) -> Value {
        let write = |name: &str, text: &str| {
            let file = self.relay.directory().join(name);
            fs::write(&file, text).unwrap();
            file.to_str().unwrap().to_owned()
        };
        let (settings, password) = (write("settings", settings), write("password", PASSWORD));
        let connection = ["connection", verb, name, "--account", "acme.desk.test"];
        let files = ["--settings", &settings, "--password-file", &password];
        self.relay
            .json(&[&connection[..], &files].concat())
            .remove(0)
    }
}

/// Settings of a customer's connection to this service.
fn settings(service: &Service) -> String {
    format!(
        "host = '127.0.0.1'\nport = {}\nuser = 'desk'\nserves = ['@acme.test']\n{}",
        service.sink.address().port(),
        service.ca()
    )
}
