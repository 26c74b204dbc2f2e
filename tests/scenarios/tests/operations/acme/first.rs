//! A relay without a certificate orders one by ACME, proves its name, and speaks TLS with it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use test_support::{AcmeServer, Client, Relay, RelayBuilder, Sink};

use super::shown;
use crate::MESSAGE;

#[test]
fn the_name_is_proved_over_http() {
    gets_a_certificate("http-01");
}

#[test]
fn the_name_is_proved_by_a_handshake() {
    gets_a_certificate("tls-alpn-01");
}

fn gets_a_certificate(challenge: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (sink, authority) = (Sink::start(), AcmeServer::start(folder.path()));
    authority.spoil_nonce();
    let relay = RelayBuilder::usual(sink.address())
        .with(&authority.settings(challenge))
        .with("[http]\naddress = \"127.0.0.1:0\"")
        .start();

    // Servers can send, and nobody is offered what there is no certificate for.
    let said = relay.logged("no certificate yet");
    assert!(said.contains("mx") && said.contains("submission"), "{said}");
    let mut client = relay.client("mx");
    let offered = client.ehlo();
    assert!(!offered.contains(&"STARTTLS".to_owned()), "{offered:?}");
    let reply = client.deliver("ann@sender.example", &["user@desk.example"], MESSAGE);
    assert_eq!(reply.unwrap().code, 250);
    sink.take();
    let mut user = Client::connect(relay.address("submission")).unwrap();
    assert_eq!(user.expect(421).enhanced(), Some("4.3.2"));
    assert!(user.closed());
    let expires = "gatepost_acme_certificate_expires_timestamp_seconds";
    assert_eq!(relay.metric(expires), Some(0.0));

    authority.names_lead_to(relay.address("acme"));
    relay.logged("certificate issued");
    let issued = authority.issued(1);
    assert_eq!(shown(&relay, "mx.desk.example"), issued[0]);
    // It is the only one, so it is shown to whoever asks for another.
    assert_eq!(shown(&relay, "other.example"), issued[0]);
    let user = relay.client("submission");
    drop(user.authenticated("user", "secret"));
    assert!(relay.metric(expires).unwrap() > 1.7e9);
    let orders = relay.metric("gatepost_acme_orders_total{result=\"issued\"}");
    assert_eq!(orders, Some(1.0));
    assert_eq!(authority.contacts(), [["mailto:ann@desk.example"]]);

    // What looked at the challenge was answered, and nothing else is to be seen there.
    if challenge == "http-01" {
        let mut browser = Client::connect(relay.address("acme")).unwrap();
        let path = "/.well-known/acme-challenge/token-0-0";
        browser
            .send(format!(
                "GET {path} HTTP/1.1\r\nHost: mx.desk.example\r\n\r\n"
            ))
            .unwrap();
        let answer = browser.rest().unwrap();
        assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    }
    keys_are_secret(&relay);
    let doctor = relay.command(&["doctor"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        doctor.contains("the certificate is valid until"),
        "{doctor}"
    );
    relay.leaves_nothing(sink);
}

/// Nobody else reads the keys, and no part of them is in the log.
fn keys_are_secret(relay: &Relay) {
    let folder = relay.directory().join("store/acme");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let (log, mut secrets) = (relay.log(), Vec::new());
    for file in ["account.json", "certificate.pem", "attempts.json"] {
        let path = folder.join(file);
        assert_eq!(mode(&path), 0o600, "{file}");
        let text = fs::read_to_string(path).unwrap();
        let key = text.split("PRIVATE KEY-----").nth(1).unwrap_or_default();
        secrets.extend(
            key.lines()
                .filter(|line| line.len() > 20)
                .map(str::to_owned),
        );
        if file == "account.json" {
            let account: serde_json::Value = serde_json::from_str(&text).unwrap();
            let key = account["credentials"]["key_pkcs8"].as_str().unwrap();
            secrets.push(key[..40].to_owned());
        }
    }
    assert!(secrets.len() > 2, "{}", secrets.len());
    assert!(!secrets.iter().any(|secret| log.contains(secret)), "{log}");
}
