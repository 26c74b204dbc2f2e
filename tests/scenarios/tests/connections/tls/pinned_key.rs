//! A pinned key is trusted whoever vouches for it, and no other key is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use crate::{Service, TLS, submit, waits};

#[test]
fn a_pinned_key_is_trusted_and_no_other_key() {
    let service = Service::named(TLS, &["other.example"]);
    let key = format!("pinned-keys = ['{}']\n", pin(&service));
    let relay = service.relay_without_ca(&key).start();
    submit(&relay, &["x@elsewhere.example"]);
    assert!(service.sink.take().tls.is_some());
    relay.leaves_nothing(service.sink);

    let service = Service::start(TLS);
    let relay = service.relay_without_ca(&key).start();
    let id = submit(&relay, &["x@elsewhere.example"]);
    waits(&relay, &id, "certificate");
    relay.json(&["queue", "cancel", &id]);
    relay.leaves_nothing(service.sink);
}

/// SHA-256 of the public key, as openssl tells it.
fn pin(service: &Service) -> String {
    let certificate = &service.certificate.certificate;
    let mut openssl = std::process::Command::new("openssl");
    let openssl = openssl.args(["x509", "-noout", "-pubkey", "-in"]);
    let output = openssl.arg(certificate).output().unwrap();
    let pem = String::from_utf8(output.stdout).unwrap();
    let lines = pem.lines().filter(|line| !line.starts_with('-'));
    let key = STANDARD.decode(lines.collect::<String>()).unwrap();
    STANDARD.encode(digest(&SHA256, &key))
}
