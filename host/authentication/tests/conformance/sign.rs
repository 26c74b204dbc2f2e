//! Signatures for what suites only describe, made with keys of the moment.

use mail_auth::common::crypto::{Ed25519Key, SigningKey};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use test_support::Zone;

/// A key with its public half, as a record says it.
pub struct Signer {
    pkcs8: Vec<u8>,
    pub record: String,
}

impl Signer {
    pub fn new() -> Self {
        use base64::Engine;
        let pkcs8 = Ed25519Key::generate_pkcs8().expect("a key");
        let key = Ed25519Key::from_pkcs8_der(&pkcs8).expect("the key");
        let public = base64::engine::general_purpose::STANDARD.encode(key.public_key());
        Self {
            pkcs8,
            record: format!("v=DKIM1; k=ed25519; p={public}"),
        }
    }

    /// Publishes the key for a domain.
    pub fn publish(&self, zone: &mut Zone, domain: &str) {
        zone.txt(&format!("s._domainkey.{domain}"), &self.record);
    }

    /// The message, signed for that domain.
    pub fn sign(&self, message: &[u8], domain: &str) -> Vec<u8> {
        let key = Ed25519Key::from_pkcs8_der(&self.pkcs8).expect("the key");
        let signature = DkimSigner::from_key(key)
            .domain(domain)
            .selector("s")
            .headers(["From", "Subject"])
            .sign(message)
            .expect("a signature");
        [signature.to_header().as_bytes(), message].concat()
    }

    /// The signature of octets, hashed first (RFC 8463 section 3).
    pub fn raw(&self, octets: &[u8]) -> Vec<u8> {
        let key = Ed25519Key::from_pkcs8_der(&self.pkcs8).expect("the key");
        key.sign(octets).expect("a signature")
    }
}
