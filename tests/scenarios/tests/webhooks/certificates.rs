//! The certificate of a webhook's endpoint: one that no public authority vouches for is refused, and
//! nothing is posted; it is trusted where it stands in `ca`, or where its key is pinned.

use test_support::{Certificate, HttpsFront, Relay, RelayBuilder, Sink};

use super::endpoint::Endpoint;
use super::{builder, make_events, secret};

/// An endpoint over HTTPS.
struct Secured {
    endpoint: Endpoint,
    front: HttpsFront,
    certificate: Certificate,
    sink: Sink,
    _home: tempfile::TempDir,
}

impl Secured {
    fn named(name: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let certificate = Certificate::make_for(home.path(), &[name]);
        let endpoint = Endpoint::start();
        Self {
            front: HttpsFront::start(&certificate, endpoint.address),
            endpoint,
            certificate,
            sink: Sink::start(),
            _home: home,
        }
    }

    fn relay(&self, keys: &str) -> RelayBuilder {
        builder(&self.sink).with(&format!(
            "[events.webhook.desk]\nurl = {:?}\nkinds = [\"notice\"]\n{}\n{keys}\n",
            self.front.url("/events"),
            secret()
        ))
    }

    fn ca(&self) -> String {
        format!("ca = {{ file = {:?} }}", self.certificate.certificate)
    }

    fn started(&self, keys: &str) -> Relay {
        let relay = self.relay(keys).start();
        make_events(&relay);
        relay
    }

    fn assert_told(self, keys: &str) {
        let relay = self.started(keys);
        self.endpoint.take(2);
        relay.leaves_nothing(self.sink);
    }

    fn assert_not_told(self, keys: &str) {
        let relay = self.started(keys);
        let state = relay.eventually("it was tried", |relay| {
            let state = relay.json(&["events", "webhooks"]).remove(0);
            (state["failures"].as_u64() > Some(0)).then_some(state)
        });
        let words = state["last-answer"]["words"].as_str().unwrap();
        assert!(words.contains("no TLS connection"), "{state}");
        assert!(self.endpoint.is_idle());
        relay.leaves_nothing(self.sink);
    }
}

#[test]
fn a_certificate_of_nobody_is_refused() {
    Secured::named("localhost").assert_not_told("");
}

#[test]
fn an_authority_of_the_webhook_is_trusted() {
    let secured = Secured::named("localhost");
    let ca = secured.ca();
    secured.assert_told(&ca);
}

#[test]
fn an_authority_does_not_vouch_for_another_name() {
    let secured = Secured::named("other.example");
    let ca = secured.ca();
    secured.assert_not_told(&ca);
}

#[test]
fn a_pinned_key_is_trusted_whatever_its_name() {
    let secured = Secured::named("other.example");
    let keys = format!("pinned-keys = ['{}']", secured.certificate.pin());
    secured.assert_told(&keys);
}

#[test]
fn another_key_than_the_pinned_one_is_refused() {
    let pin = Secured::named("localhost").certificate.pin();
    Secured::named("localhost").assert_not_told(&format!("pinned-keys = ['{pin}']"));
}

/// The guard holds for an endpoint with certificates of its own, too.
#[test]
fn an_inner_address_is_not_connected_to() {
    let secured = Secured::named("localhost");
    let relay = secured
        .relay(&secured.ca())
        .replace("allowed-networks = [\"127.0.0.0/8\"]", "")
        .start();
    make_events(&relay);
    let state = relay.eventually("it was tried", |relay| {
        let state = relay.json(&["events", "webhooks"]).remove(0);
        (state["failures"].as_u64() > Some(0)).then_some(state)
    });
    assert!(state["last-answer"]["status"].is_null(), "{state}");
    assert!(secured.endpoint.is_idle());
    relay.leaves_nothing(secured.sink);
}

/// In plaintext nobody shows a certificate: the settings would be without effect.
#[test]
fn certificates_without_tls_are_an_error() {
    let secured = Secured::named("localhost");
    let relay = secured
        .relay(&secured.ca())
        .replace("\"https://", "\"http://");
    let error = relay.try_start().err().unwrap();
    assert!(error.contains("`ca` has no effect over http"), "{error}");
}
