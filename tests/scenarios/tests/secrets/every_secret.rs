//! A relay with every kind of secret that there is, which uses each of them, and is refused with
//! each of them: none is in its log, in the answers of its operations, in the output of its
//! commands, in its metrics, in its trace, in its stores, or in a backup beside its keys.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{
    Certificate, Client, DnsServer, HttpRequest, PATIENCE, Relay, RelayBuilder, Scram, Sink,
    TokenServer, Zone,
};

use crate::search::Search;

const USER_PASSWORD: &str = "hush-of-the-user-1";
const WRONG_PASSWORD: &str = "hush-mistyped-2";
const SITE_PASSWORD: &str = "hush-of-the-site-3";
const CUSTOMER_PASSWORD: &str = "hush-of-the-customer-4";
const REFUSED_PASSWORD: &str = "hush-that-is-refused-5";
const CLIENT_SECRET: &str = "hush-of-the-client-6";
const ACCESS_TOKEN: &str = "access-token-of-the-desk-7";
const REFRESH_TOKEN: &str = "refresh-token-of-the-desk-8";
const DEVICE_CODE: &str = "device-code-of-the-desk-9";
const URL_TOKEN: &str = "token-in-the-url-10";
const WEBHOOK_SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ENDPOINT_SECRET: &str = "AAKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Native domain of the customer's account, and its two connected domains.
const NATIVE: &str = "acme.desk.test";
const BY_PASSWORD: &str = "password.test";
const BY_TOKEN: &str = "token.test";

/// URL in front of the paths of links.
const LINKS: &str = "http://127.0.0.1:8443";

/// A service with STARTTLS where this user has to log in, with further keys of its script.
fn service(certificate: &Certificate, user: &str, keys: &str, arguments: &[&str]) -> Sink {
    let script = format!(
        "tls = {{ mode = 'starttls' }}\n[auth]\nrequired = true\n\
         users = [{{ name = 'desk', {user} }}]\n{keys}"
    );
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (shown, key) = (path(&certificate.certificate), path(&certificate.key));
    let tls = ["--certificate", &shown, "--key", &key];
    Sink::scripted(&script, &[&tls, arguments].concat())
}

/// An application that takes every request.
struct Application {
    address: SocketAddr,
    requests: Receiver<HttpRequest>,
}

impl Application {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let Some(request) = HttpRequest::read(&stream) else {
                    continue;
                };
                let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                let _ = sender.send(request);
            }
        });
        Self { address, requests }
    }

    /// Waits for a request to a path, which is signed.
    fn is_asked(&self, path: &str) {
        loop {
            let request = self.requests.recv_timeout(PATIENCE).expect("no request");
            if request.path.starts_with(path) {
                assert!(request.fields.contains_key("webhook-signature"), "{path}");
                return;
            }
        }
    }
}

/// Everything around the relay.
struct World {
    home: TempDir,
    dns: DnsServer,
    application: Application,
    tokens: TokenServer,
    /// Services by what they want: the site's password, the customer's, a token, and a token that
    /// nobody has.
    site: Sink,
    customer: Sink,
    by_token: Sink,
    by_assertion: Sink,
    /// Certificate of the services, and the one that the relay shows to them.
    certificate: Certificate,
    shown: Certificate,
}

impl World {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let certificate = Certificate::make_for(home.path(), &["127.0.0.1", "localhost"]);
        let given = home.path().join("relay/given");
        fs::create_dir_all(&given).unwrap();
        let shown = Certificate::make_for(&given, &["mx.desk.example"]);
        let password = |password: &str| format!("password = '{password}'");
        let by_password = "mechanisms = ['PLAIN', 'LOGIN', 'SCRAM-SHA-256']\n";
        let by_token = "mechanisms = ['XOAUTH2']\n";
        let by_plain = "mechanisms = ['PLAIN']\n";
        let ca = shown.certificate.to_str().unwrap();
        let site = password(SITE_PASSWORD);
        let access = format!("token = '{ACCESS_TOKEN}'");
        let mut zone = Zone::new();
        zone.set_ttl(0);
        Self {
            dns: DnsServer::start(zone),
            application: Application::start(),
            tokens: TokenServer::start(),
            site: service(&certificate, &site, by_password, &["--client-ca", ca]),
            customer: service(&certificate, &password(CUSTOMER_PASSWORD), by_plain, &[]),
            by_token: service(&certificate, &access, by_token, &[]),
            by_assertion: service(&certificate, "token = 'of-nobody'", by_token, &[]),
            certificate,
            shown,
            home,
        }
    }

    /// Writes a secret into a file of its own below the relay's directory.
    fn file(&self, name: &str, secret: &str) -> String {
        let file = self.directory().join("given").join(name);
        fs::write(&file, secret).unwrap();
        file.to_str().unwrap().to_owned()
    }

    fn directory(&self) -> std::path::PathBuf {
        self.home.path().join("relay")
    }

    fn ca(&self) -> String {
        format!("ca = {{ file = {:?} }}\n", self.certificate.certificate)
    }

    fn relay(&self) -> Relay {
        let password = self.file("site.password", SITE_PASSWORD);
        let client = self.file("client.secret", CLIENT_SECRET);
        let key = self.directory().join("given/assertion.pem");
        let made = Command::new("openssl")
            .args(["genpkey", "-quiet", "-algorithm", "RSA", "-out"])
            .arg(&key)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let nowhere = "127.0.0.1:1".parse().unwrap();
        RelayBuilder::usual(nowhere)
            .replace(
                "default-route = { host = \"127.0.0.1\", port = 1, tls = \"none\" }",
                "",
            )
            .directory(self.directory())
            .environment("RUST_LOG", "debug")
            .environment("WEBHOOK", format!("whsec_{WEBHOOK_SECRET}"))
            .replace(
                "password = \"secret\"",
                &format!("password = {USER_PASSWORD:?}"),
            )
            .replace(
                r#"["loop-guard", "header-guard", "outbound-route"]"#,
                r#"["outbound-route"]"#,
            )
            .with(&format!(
                r#"
                [[policy]]
                name = "outbound-route"
                builtin = "outbound-route"
                [policy.settings]
                routes = [{{ by = "connection-of-sender" }}]
                [http]
                address = "127.0.0.1:0"
                [api]
                listen = "127.0.0.1:0"
                [handover]
                address = "127.0.0.1:0"
                url = "{LINKS}"
                tls = "none"
                [destinations]
                allowed-networks = ["127.0.0.0/8"]
                [dns]
                servers = ["{dns}"]
                timeout = "2s"
                attempts = 1
                [dkim]
                selector = "desk"
                look-pending = "1h"
                [routes]
                submission = "connection desk"
                inbound = "http desk"
                [endpoint.desk]
                url = "http://{application}/mail?token={URL_TOKEN}"
                secrets = ["whsec_{ENDPOINT_SECRET}"]
                [events.webhook.desk]
                url = "http://{application}/events?token={URL_TOKEN}"
                secrets = [{{ env = "WEBHOOK" }}]
                [connection.desk]
                serves = ["@sender.example"]
                host = "127.0.0.1"
                port = {site}
                user = "desk"
                password = {{ file = {password:?} }}
                client-certificate = {{ file = {certificate:?} }}
                client-key = {{ file = {client_key:?} }}
                {ca}
                [connection.assertion]
                host = "127.0.0.1"
                port = {by_assertion}
                user = "desk"
                mechanisms = ["xoauth2"]
                grant = "jwt-bearer"
                token-url = "{token_url}"
                client-id = "relay"
                private-key = {{ file = {key:?} }}
                scopes = ["mail.send"]
                {ca}
                [connection.client]
                host = "127.0.0.1"
                port = {by_assertion}
                user = "desk"
                mechanisms = ["xoauth2"]
                grant = "client-credentials"
                token-url = "{token_url}"
                client-id = "relay"
                client-secret = {{ file = {client:?} }}
                scopes = ["mail.send"]
                {ca}
                "#,
                dns = self.dns.address(),
                application = self.application.address,
                site = self.site.address().port(),
                by_assertion = self.by_assertion.address().port(),
                certificate = self.shown.certificate,
                client_key = self.shown.key,
                token_url = self.tokens.url("/token"),
                ca = self.ca(),
            ))
            .start()
    }
}

/// The customer in the directory, and the secrets that were issued.
struct Customer {
    connector: String,
    inbound: (String, String),
    revoked: (String, String),
    submission: (String, String),
    /// Secret of the account's endpoint.
    endpoint: String,
}

fn issued(made: &Value) -> (String, String) {
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    (text("user-name"), text("secret"))
}

fn customer(world: &World, relay: &Relay) -> Customer {
    relay.json(&[
        "account",
        "add",
        "--native-domain",
        NATIVE,
        "--product",
        "Acme",
    ]);
    let connector = |domain: &str| {
        let add = ["connector", "add", "--kind", "two-way", "--domain", domain];
        let made = relay.json(&[&add[..], &["--account", NATIVE]].concat());
        let id = made[0]["id"].as_str().unwrap().to_owned();
        relay.json(&["connector", "vouch", &id, "--outbound"]);
        id
    };
    let id = connector(BY_PASSWORD);
    connector(BY_TOKEN);
    let address = format!("help@{BY_PASSWORD}");
    relay.json(&["address", "add", &address, "--account", NATIVE]);
    let application = world.application.address;
    let url = format!("http://{application}/mail?token={URL_TOKEN}");
    let add = ["endpoint", "add", "tickets", "--account", NATIVE];
    let made = relay.json(&[&add[..], &["--url", &url]].concat()).remove(0);
    let endpoint = made["secret"].as_str().unwrap().to_owned();
    let inbound = issued(&relay.json(&["credential", "add", "--inbound", &id])[0]);
    let revoked = issued(&relay.json(&["credential", "add", "--inbound", &id])[0]);
    let submission = issued(&relay.json(&["credential", "add", "--submission", NATIVE])[0]);
    let settings = |service: &Sink, domain: &str, keys: &str| {
        format!(
            "host = '127.0.0.1'\nport = {}\nuser = 'desk'\nserves = ['@{domain}']\n{}{keys}",
            service.address().port(),
            world.ca()
        )
    };
    let file = world.file("settings", &settings(&world.customer, BY_PASSWORD, ""));
    let refused = world.file("refused.password", REFUSED_PASSWORD);
    let password = world.file("customer.password", CUSTOMER_PASSWORD);
    let outlook = |verb: &str, arguments: &[&str]| {
        let connection = ["connection", verb, "outlook", "--account", NATIVE];
        relay.json(&[&connection[..], arguments].concat())
    };
    outlook("add", &["--settings", &file, "--password-file", &refused]);
    let tested = relay.command(&["connection", "test", "outlook", "--account", NATIVE]);
    assert_eq!(
        tested.status.code(),
        Some(1),
        "the service refuses this password"
    );
    outlook("set", &["--password-file", &password]);
    let by_consent = format!(
        "mechanisms = ['xoauth2']\ngrant = 'refresh-token'\nclient-id = 'relay'\n\
         client-secret = '{CLIENT_SECRET}'\ntoken-url = '{}'\ndevice-url = '{}'\n\
         scopes = ['mail.send', 'offline_access']\n",
        world.tokens.url("/token"),
        world.tokens.url("/device")
    );
    let file = world.file(
        "oauth.settings",
        &settings(&world.by_token, BY_TOKEN, &by_consent),
    );
    let google = ["connection", "add", "google", "--account", NATIVE];
    relay.json(&[&google[..], &["--settings", &file]].concat());
    Customer {
        connector: id,
        inbound,
        revoked,
        submission,
        endpoint,
    }
}

/// Uses every secret; returns the transactions.
fn used(world: &World, relay: &Relay, customer: &Customer) -> Vec<String> {
    let mut ids = Vec::new();
    // Log-ins of clients: right, wrong, by SCRAM, with a revoked secret.
    let refused = |listener: &str, user: &str, password: &str| {
        let mut client = relay.client(listener);
        client.ehlo();
        client.starttls();
        assert_eq!(client.plain(user, password).code, 535);
    };
    refused("submission", "user", WRONG_PASSWORD);
    refused("mx", &customer.inbound.0, WRONG_PASSWORD);
    let mut client = relay.client("submission");
    client.ehlo();
    client.starttls();
    let (user, secret) = &customer.submission;
    let mut scram = Scram::new(user, secret);
    assert_eq!(client.scram("SCRAM-SHA-256", &mut scram).code, 235);
    let (user, secret) = &customer.revoked;
    relay.json(&["credential", "cancel", user]);
    refused("mx", user, secret);

    // Mail by each connection.
    let submit = |(user, secret): (&str, &str), from: &str| {
        let mut client = relay.client("submission").authenticated(user, secret);
        send(&mut client, from, "x@elsewhere.example")
    };
    ids.push(submit(("user", USER_PASSWORD), "ann@sender.example"));
    world.site.take();
    let (user, secret) = &customer.submission;
    ids.push(submit((user, secret), &format!("ann@{BY_PASSWORD}")));
    world.customer.take();
    let device = json!({
        "device_code": DEVICE_CODE, "user_code": "WDJB-MJHT", "interval": 0, "expires_in": 900,
        "verification_uri": "https://login.example/device",
    });
    world.tokens.answer("200 OK", &device.to_string());
    world
        .tokens
        .answer_token("access-token-that-ends-11", 1, Some(REFRESH_TOKEN));
    relay.json(&["connection", "authorize", "google", "--account", NATIVE]);
    world.tokens.answer_token(ACCESS_TOKEN, 3600, None);
    ids.push(submit((user, secret), &format!("ann@{BY_TOKEN}")));
    world.by_token.take();
    // A token that the service refuses.
    for name in ["assertion", "client"] {
        let tested = relay.command(&["connection", "test", name]);
        assert_eq!(tested.status.code(), Some(1), "{name}");
    }

    // Mail that comes in, over the session of its domain, goes to the application.
    let (user, secret) = &customer.inbound;
    let mut client = relay.client("mx").authenticated(user, secret);
    let help = format!("help@{BY_PASSWORD}");
    ids.push(send(&mut client, "bob@password.test", &help));
    world.application.is_asked("/mail");
    relay.json(&["account", "suspend", NATIVE]);
    relay.json(&["account", "resume", NATIVE]);
    world.application.is_asked("/events");

    // A DKIM key that signs.
    let dkim = |command: &str| relay.json(&["dkim", command, BY_PASSWORD, "--account", NATIVE]);
    let keys = dkim("generate");
    let mut zone = world.dns.zone();
    for key in &keys {
        let strings = key["record"]["strings"].as_array().unwrap().iter();
        let strings: Vec<_> = strings.map(|of| of.as_str().unwrap().as_bytes()).collect();
        zone.txt_strings(key["record"]["name"].as_str().unwrap(), &strings);
    }
    drop(zone);
    assert!(dkim("check").iter().all(|key| key["state"] == "active"));
    let (user, secret) = &customer.submission;
    ids.push(submit((user, secret), &format!("ann@{BY_PASSWORD}")));
    let taken = world.customer.take();
    assert!(taken.header("DKIM-Signature").is_some(), "{}", taken.text());
    relay.json(&["directory", "rekey"]);
    ids
}

/// A link to a secret: what the command printed, and what the page showed.
struct Link {
    /// Part of the link behind the address of the page.
    token: String,
    printed: String,
    /// Pages before and after the one with the secret, and that one.
    pages: [String; 3],
    secret: String,
}

/// Hands a credential over by a link, which is opened, and logs in with its secret.
fn handed_over(relay: &Relay, customer: &Customer) -> Link {
    let add = [
        "credential",
        "add",
        "--inbound",
        &customer.connector,
        "--link",
    ];
    let printed = relay.json(&add).remove(0);
    let token = token_of(&printed);
    let ask = |method: &str| {
        let mut browser = Client::connect(relay.address("handover")).unwrap();
        let path = format!("/handover/{token}");
        let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        browser.send(request).unwrap();
        browser.rest().unwrap()
    };
    let pages = [ask("GET"), ask("POST"), ask("POST")];
    let secret = pages[1][pages[1].find("gpst_").unwrap()..][..43].to_owned();
    let user = printed["user-name"].as_str().unwrap();
    drop(relay.client("mx").authenticated(user, &secret));
    Link {
        printed: printed.to_string(),
        token,
        pages,
        secret,
    }
}

fn token_of(answer: &Value) -> String {
    let link = answer["link"].as_str().unwrap();
    let token = link.strip_prefix(&format!("{LINKS}/handover/"));
    token.unwrap().to_owned()
}

/// Sends two probes, of which one comes back; returns their tokens.
fn probed(world: &World, relay: &Relay, customer: &Customer) -> [String; 2] {
    let help = format!("help@{BY_PASSWORD}");
    let verify = |direction: &str| {
        relay.command(&["connector", "verify", &help, direction]);
    };
    verify("--inbound");
    let probe = world.site.take();
    let (user, secret) = &customer.inbound;
    let mut client = relay.client("mx").authenticated(user, secret);
    let reply = client.deliver("bob@password.test", &[&help], &probe.bytes());
    assert_eq!(reply.unwrap().code, 250);
    relay.eventually("the probe has come back", |relay| {
        let shown = relay.json(&["address", "show", &help]).remove(0);
        (shown["inbound"]["state"] == "verified").then_some(())
    });
    verify("--outbound");
    let waiting = world.customer.take();
    [probe, waiting].map(|probe| probe.header("X-Gatepost-Probe").unwrap())
}

/// Makes two tokens of the API, of which one is removed, and asks with both and with a wrong one;
/// returns them. What the relay answers is seen.
fn asked_by_http(search: &mut Search, relay: &Relay) -> [String; 3] {
    let tokens = [(); 2].map(|()| relay.api_token("administer", &[]));
    let wrong = format!("{}x", tokens[0]);
    let listed = relay.json(&["token", "list"]);
    let removed = listed[1]["id"].as_str().unwrap();
    assert!(tokens[1].contains(removed), "{listed:?}");
    relay.json(&["token", "remove", removed]);
    for (token, status) in [(&tokens[0], 200), (&tokens[1], 401), (&wrong, 401)] {
        for path in ["/accounts", "/tokens", "/audit"] {
            let answer = relay.api("GET", path, token, &Value::Null);
            assert_eq!(answer.status, status, "{path}: {}", answer.text);
            search.seen(format!("the API at {path}, {status}"), answer.text);
        }
    }
    let [used, removed] = tokens;
    [used, removed, wrong]
}

/// Adds two administrators, of whom one proves the address; returns the codes that were sent.
fn administered(world: &World, relay: &Relay) -> [String; 2] {
    let codes = ["ann@user.test", "bob@user.test"].map(|address| {
        relay.json(&["administrator", "add", NATIVE, address]);
        let letter = world.site.take();
        assert_eq!(letter.to, [address]);
        let subject = letter.header("Subject").unwrap();
        subject.rsplit(' ').next().unwrap().to_owned()
    });
    relay.json(&[
        "administrator",
        "verify",
        NATIVE,
        "ann@user.test",
        &codes[0],
    ]);
    codes
}

fn send(client: &mut Client, from: &str, to: &str) -> String {
    let message = format!(
        "Date: Mon, 2 Mar 2026 11:09:00 +0000\r\nMessage-ID: <1@{from}>\r\nFrom: Ann <{from}>\r\n\
         To: {to}\r\nSubject: hello\r\n\r\nHello!\r\n"
    );
    let reply = client.deliver(from, &[to], message.as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{}", reply.text());
    reply.transaction()
}

/// Adds what operators and monitors see.
fn looked_at(search: &mut Search, relay: &Relay, customer: &Customer, ids: &[String]) {
    let of_account = ["--account", NATIVE];
    let dkim = ["dkim", "show", BY_PASSWORD];
    for command in [
        &["account", "list"][..],
        &["account", "show", NATIVE],
        &["account", "volume", NATIVE],
        &["connector", "list"],
        &["connector", "headers", BY_PASSWORD],
        &["connector", "show", &customer.connector],
        &["connector", "progress", &customer.connector],
        &["audit"],
        &["address", "list"],
        &["address", "show", "help@password.test"],
        &["credential", "list"],
        &["credential", "show", &customer.inbound.0],
        &["credential", "show", &customer.submission.0],
        &["connection", "list"],
        &["endpoint", "list"],
        &["endpoint", "show", "tickets", "--account", NATIVE],
        &["connection", "show", "desk"],
        &["connection", "show", "client"],
        &["connection", "show", "assertion"],
        &[&["connection", "show", "outlook"][..], &of_account].concat(),
        &[&["connection", "show", "google"][..], &of_account].concat(),
        &["connection", "test", "desk"],
        &["connection", "test", "client"],
        &["connection", "test", "assertion"],
        &[&["connection", "test", "outlook"][..], &of_account].concat(),
        &[&["connection", "test", "google"][..], &of_account].concat(),
        &[&dkim[..], &of_account].concat(),
        &["queue", "list"],
        &["queue", "list", "--messages"],
        &["quarantine", "list"],
        &["events"],
        &["events", "webhooks"],
        &["machine", "list"],
        &["suppression", "list"],
        &["policy", "list"],
        &["sharing", "list"],
        &["config", "check"],
        &["egress"],
        &["doctor"],
        &["reload"],
    ] {
        search.command(relay, command);
    }
    for id in ids {
        search.command(relay, &["trace", id]);
        search.command(relay, &["queue", "show", id]);
    }
    for request in [
        json!({ "operation": "connection-list", "request": {} }),
        json!({ "operation": "credential-list", "request": {} }),
        json!({ "operation": "account-list", "request": {} }),
        json!({ "operation": "no-such-operation", "request": { "secret": 1 } }),
    ] {
        search.seen(format!("{request}"), relay.ask(&request).to_string());
    }
    for page in ["/metrics", "/healthz", "/readyz"] {
        search.seen(page, relay.page(page).1);
    }
}

/// Octets of a private key in PKCS #8 (RFC 5208) that no public key has: RSA of 2048 bits, and
/// Ed25519.
const RSA_KEY: &[u8] = &[
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x04,
    0x82, 0x04,
];
const ED25519_KEY: &[u8] = &[
    0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

#[test]
fn no_secret_stands_where_it_need_not() {
    let world = World::start();
    let mut relay = world.relay();
    let customer = customer(&world, &relay);
    let ids = used(&world, &relay, &customer);
    let link = handed_over(&relay, &customer);
    let unopened = ["credential", "add", "--submission", NATIVE, "--link"];
    let unopened = relay.json(&unopened).remove(0);
    let [probe, waiting_probe] = probed(&world, &relay, &customer);

    let [used_code, waiting_code] = administered(&world, &relay);

    let mut search = Search::default();
    let [token, removed_token, wrong_token] = asked_by_http(&mut search, &relay);
    for (name, secret) in [
        ("the user's password", USER_PASSWORD),
        ("a wrong password", WRONG_PASSWORD),
        ("the site's password", SITE_PASSWORD),
        ("the customer's password", CUSTOMER_PASSWORD),
        ("a refused password", REFUSED_PASSWORD),
        ("the client's secret", CLIENT_SECRET),
        ("an access token", ACCESS_TOKEN),
        (
            "an access token that has ended",
            "access-token-that-ends-11",
        ),
        ("a refresh token", REFRESH_TOKEN),
        ("a device code", DEVICE_CODE),
        ("a token in a URL", URL_TOKEN),
        ("the webhook's secret", WEBHOOK_SECRET),
        ("the endpoint's secret", ENDPOINT_SECRET),
        ("the secret of an account's endpoint", &customer.endpoint),
        ("the inbound credential", &customer.inbound.1),
        ("the revoked credential", &customer.revoked.1),
        ("the submission credential", &customer.submission.1),
        ("the token of a link", &link.token),
        ("the token of an unopened link", &token_of(&unopened)),
        ("the secret behind a link", &link.secret),
        ("an administrator's code", &used_code),
        ("an administrator's unused code", &waiting_code),
        ("a token of the API", &token),
        ("a removed token of the API", &removed_token),
        ("a wrong token of the API", &wrong_token),
        ("the token of a probe", &probe),
        ("the token of a waiting probe", &waiting_probe),
    ] {
        search.secret(name, secret);
    }
    for (name, secret) in [("webhook", WEBHOOK_SECRET), ("endpoint", ENDPOINT_SECRET)] {
        search.secret(
            &format!("the {name}'s key"),
            STANDARD.decode(secret).unwrap(),
        );
    }
    search.secret("a private key of RSA", RSA_KEY);
    search.secret("a private key of Ed25519", ED25519_KEY);
    search.secret("a private key in PEM", "PRIVATE KEY-----");
    // The one of the relay's TLS, and the one that it shows to servers.
    for (name, file) in [
        ("the relay's key", "key.pem"),
        ("the client's key", "given/key.pem"),
        ("the assertion's key", "given/assertion.pem"),
    ] {
        let pem = fs::read_to_string(relay.directory().join(file)).unwrap();
        let line = pem.lines().nth(2).unwrap();
        search.secret(name, line);
        search.place(file, name);
        search.place(file, "a private key in PEM");
    }
    search.place("given/assertion.pem", "a private key of RSA");
    let ring = relay.directory().join("store/key-ring");
    let ring = fs::read_to_string(ring).unwrap();
    for (at, line) in ring.lines().enumerate() {
        let key = STANDARD.decode(line.split(' ').nth(1).unwrap()).unwrap();
        let name = format!("key {at} of the ring");
        search.secret(&name, key);
        search.place("store/key-ring", &name);
    }
    // What a site writes itself.
    for (file, secret) in [
        ("gatepost.toml", "the user's password"),
        ("gatepost.toml", "a token in a URL"),
        ("gatepost.toml", "the endpoint's secret"),
        ("gatepost.toml", "the endpoint's key"),
        ("given/site.password", "the site's password"),
        ("given/client.secret", "the client's secret"),
        ("given/oauth.settings", "the client's secret"),
        ("given/refused.password", "a refused password"),
        ("given/customer.password", "the customer's password"),
    ] {
        search.place(file, secret);
    }

    for sent in [
        "the token of a probe",
        "the token of a waiting probe",
        "an administrator's code",
        "an administrator's unused code",
    ] {
        search.stands_in_mail(sent);
    }
    // Who makes or opens a link is shown what it is about, and nothing else.
    search.seen("a link as it was made", &link.printed);
    search.place("a link as it was made", "the token of a link");
    search.seen("another link as it was made", unopened.to_string());
    search.place(
        "another link as it was made",
        "the token of an unopened link",
    );
    let [button, secret, gone] = &link.pages;
    search.seen("the page with the button", button);
    search.seen("the page with the secret", secret);
    search.place("the page with the secret", "the secret behind a link");
    search.seen("the page of a link that was opened", gone);

    looked_at(&mut search, &relay, &customer, &ids);
    // The stores as they are while the relay runs, with their logs; and afterwards.
    search.files(world.directory().as_path(), "");
    for (folder, arguments) in [("backup", &[][..]), ("keyless", &["--without-keys"])] {
        let path = world.home.path().join(folder);
        let backup = ["backup", path.to_str().unwrap(), "--json"];
        let made = relay.command(&[&backup, arguments].concat());
        assert!(made.status.success(), "{made:?}");
        search.seen(
            format!("gatepost backup {folder}"),
            [made.stdout, made.stderr].concat(),
        );
        search.files(&path, &format!("{folder}/"));
    }
    // A backup with keys has those of the store, and the files that the configuration names.
    let configuration = world.directory();
    search.places_also_in("backup", |file| match file {
        "store/key-ring" => Some(file.to_owned()),
        "gatepost.toml"
        | "key.pem"
        | "given/key.pem"
        | "given/assertion.pem"
        | "given/site.password"
        | "given/client.secret" => Some(format!("configuration{}/{file}", configuration.display())),
        _ => None,
    });
    assert!(relay.terminate().success());
    search.seen("the log", relay.log());
    for command in [
        &["doctor"][..],
        &["credential", "list"],
        &["connection", "list"],
    ] {
        search.command(&relay, command);
    }
    search.files(world.directory().as_path(), "");

    // The search has looked where secrets are used.
    for (place, text) in [
        ("the log", "DEBUG"),
        ("the log", BY_PASSWORD),
        ("store/directory.db, table connections", "outlook"),
        ("store/trace.db", BY_TOKEN),
        ("/metrics", "gatepost_connection_state"),
        ("gatepost connection show google", "authorized"),
        ("backup/store/directory.db, table connections", "outlook"),
        ("keyless/store/directory.db, table connections", "outlook"),
        ("the API at /accounts, 200", NATIVE),
        ("gatepost audit", "token-"),
        ("gatepost audit", "credential-"),
        ("gatepost connection test outlook", "AUTH"),
    ] {
        assert!(search.has(place, text), "{place} does not have {text}");
    }
    search.finds_nothing_else();
}
