//! The relay's own client logs in at another relay, each mechanism in turn: over the same TLS
//! connection both sides see the same channel binding.

use std::sync::Arc;

use gatepost_certificates::{Trust, private_roots};
use gatepost_delivery::open::{LoginSource, Opened, Opening, OpeningFailure, try_opening};
use gatepost_delivery::{Timeouts, Tls};
use gatepost_model::{Protocol, TlsMode};
use gatepost_sasl::client::{LoginCredential, Mechanism};
use gatepost_smtp::client::OpeningStage;
use test_support::{Relay, RelayBuilder, Sink};
use zeroize::Zeroizing;

#[tokio::main]
async fn log_in(
    relay: &Relay,
    mechanism: Mechanism,
    password: &str,
) -> Result<Opened, Box<OpeningFailure>> {
    let certificate = std::fs::read(relay.directory().join("certificate.pem")).unwrap();
    let roots = private_roots(&certificate).unwrap();
    let address = relay.address("submission");
    let password = Zeroizing::new(password.to_owned());
    let opening = Opening {
        host: "mx.desk.example".to_owned(),
        port: address.port(),
        addresses: vec![address],
        protocol: Protocol::Smtp,
        mode: TlsMode::Required,
        tls: Tls::new(Trust::Roots(roots), None).unwrap(),
        ehlo_name: "relay.example".parse().unwrap(),
        egress: Vec::new(),
        login: Some(LoginSource {
            mechanisms: vec![mechanism],
            source: Arc::new(LoginCredential::password("user", password).unwrap()),
        }),
        timeouts: Timeouts::default(),
        transcript: None,
    };
    try_opening(&opening).await.map_err(Box::new)
}

#[test]
fn gatepost_logs_in_at_another_by_each_mechanism() {
    let sink = Sink::start();
    let relay = RelayBuilder::usual(sink.address()).start();
    for mechanism in [
        Mechanism::ScramSha256Plus,
        Mechanism::ScramSha256,
        Mechanism::Plain,
        Mechanism::Login,
    ] {
        let opened = log_in(&relay, mechanism, "secret");
        let opened = opened.unwrap_or_else(|error| panic!("{mechanism}: {error}"));
        assert!(opened.tls.unwrap().starts_with("TLSv1.3 "));
        let refused = log_in(&relay, mechanism, "wrong").unwrap_err();
        assert_eq!(refused.stage, OpeningStage::Auth, "{mechanism}: {refused}");
        assert_eq!(refused.reply.unwrap().code(), 535, "{mechanism}");
    }
    relay.leaves_nothing(sink);
}
