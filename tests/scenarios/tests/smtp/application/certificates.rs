//! The certificate of an endpoint: one that no public authority vouches for is refused, and nothing
//! is posted; it is trusted where it stands in `ca`, in `ca-file`, or where its key is one of
//! `pinned-keys`.

use test_support::{Certificate, HttpsFront, RelayBuilder, Sink};

use super::desk::{Desk, SECRET, recipient, sent};

/// An application over HTTPS.
struct Secured {
    desk: Desk,
    front: HttpsFront,
    certificate: Certificate,
    world: Sink,
    _home: tempfile::TempDir,
}

impl Secured {
    /// Starts one whose certificate is for this name.
    fn named(name: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let certificate = Certificate::make_for(home.path(), &[name]);
        let desk = Desk::answering(200);
        Self {
            front: HttpsFront::start(&certificate, desk.address),
            desk,
            certificate,
            world: Sink::start(),
            _home: home,
        }
    }

    fn relay(&self, keys: &str) -> RelayBuilder {
        RelayBuilder::usual(self.world.address()).with(&format!(
            "[routes]\ninbound = \"http desk\"\n[endpoint.desk]\nurl = {:?}\n\
             secrets = [{SECRET:?}]\nretry-seconds = [3600]\n{keys}\n",
            self.front.url("/mail")
        ))
    }

    /// The key `ca` with the certificate.
    fn ca(&self) -> String {
        format!("ca = {{ file = {:?} }}", self.certificate.certificate)
    }

    fn delivers(self, relay: RelayBuilder) {
        let relay = relay.start();
        sent(&relay);
        assert!(self.desk.take().is_signed());
        relay.leaves_nothing(self.world);
    }

    fn refuses(self, keys: &str) {
        let relay = self.relay(keys).start();
        let id = sent(&relay);
        relay.logged("the application's certificate does not verify");
        let waits = relay.eventually("the attempt is on record", |relay| {
            Some(recipient(relay, &id)).filter(|one| one["attempts"] == 1)
        });
        assert!(waits["last-reply"].to_string().contains("4.7.5"), "{waits}");
        assert!(self.desk.is_idle());
        relay.json(&["queue", "cancel", &id]);
        relay.leaves_nothing(self.world);
    }
}

#[test]
fn a_certificate_of_nobody_is_refused() {
    Secured::named("localhost").refuses("");
}

#[test]
fn an_authority_of_the_endpoint_is_trusted() {
    let secured = Secured::named("localhost");
    let relay = secured.relay(&secured.ca());
    secured.delivers(relay);
}

#[test]
fn an_authority_of_the_relay_is_trusted() {
    let secured = Secured::named("localhost");
    let ca = format!(
        "retry = [\"1s\"]\nca-file = {:?}",
        secured.certificate.certificate
    );
    let relay = secured.relay("").replace("retry = [\"1s\"]", &ca);
    secured.delivers(relay);
}

#[test]
fn an_authority_does_not_vouch_for_another_name() {
    let secured = Secured::named("other.example");
    let ca = secured.ca();
    secured.refuses(&ca);
}

#[test]
fn a_pinned_key_is_trusted_whatever_its_name() {
    let secured = Secured::named("other.example");
    let relay = secured.relay(&format!("pinned-keys = ['{}']", secured.certificate.pin()));
    secured.delivers(relay);
}

#[test]
fn another_key_than_the_pinned_one_is_refused() {
    let pin = Secured::named("localhost").certificate.pin();
    Secured::named("localhost").refuses(&format!("pinned-keys = ['{pin}']"));
}

/// In plaintext nobody shows a certificate: the settings would be without effect.
#[test]
fn certificates_without_tls_are_an_error() {
    let secured = Secured::named("localhost");
    for (keys, key) in [
        (secured.ca(), "ca"),
        (
            format!("pinned-keys = ['{}']", secured.certificate.pin()),
            "pinned-keys",
        ),
    ] {
        let relay = secured.relay(&keys).replace("\"https://", "\"http://");
        let error = relay.try_start().err().unwrap();
        assert!(
            error.contains(&format!("`{key}` has no effect over http")),
            "{error}"
        );
    }
}
