//! Signatures of DKIM and ARC for tests, made with generated keys.

use crate::Zone;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::{Ed25519Key, SigningKey};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use sha2::{Digest, Sha256};

/// A key with its public half as a record.
#[derive(Debug)]
pub struct Signer {
    pkcs8: Vec<u8>,
    /// Key record (RFC 6376 section 3.6.1).
    pub record: String,
}

impl Signer {
    /// Generates a key.
    pub fn new() -> Self {
        let pkcs8 = Ed25519Key::generate_pkcs8().unwrap_or_else(|e| panic!("no key: {e}"));
        let key = key(&pkcs8);
        let public = STANDARD.encode(key.public_key());
        Self {
            pkcs8,
            record: format!("v=DKIM1; k=ed25519; p={public}"),
        }
    }

    /// Publishes the key for a domain.
    pub fn publish(&self, zone: &mut Zone, domain: &str) {
        zone.txt(&format!("s._domainkey.{domain}"), &self.record);
    }

    /// Returns the message with a signature for that domain.
    pub fn sign(&self, message: &[u8], domain: &str) -> Vec<u8> {
        [&self.signature(message, domain), message].concat()
    }

    /// Returns the signature of a message for that domain, as a header field.
    pub fn signature(&self, message: &[u8], domain: &str) -> Vec<u8> {
        let signature = DkimSigner::from_key(key(&self.pkcs8))
            .domain(domain)
            .selector("s")
            .headers(["From", "Subject"])
            .sign(message)
            .unwrap_or_else(|e| panic!("no signature: {e}"));
        signature.to_header().into_bytes()
    }

    /// Returns the signature of octets, hashed first (RFC 8463 section 3).
    pub fn raw(&self, octets: &[u8]) -> Vec<u8> {
        let signature = key(&self.pkcs8).sign(octets);
        signature.unwrap_or_else(|e| panic!("no signature: {e}"))
    }
}

impl Default for Signer {
    fn default() -> Self {
        Self::new()
    }
}

fn key(pkcs8: &[u8]) -> Ed25519Key {
    Ed25519Key::from_pkcs8_der(pkcs8).unwrap_or_else(|e| panic!("no key: {e}"))
}

/// A chain of ARC sets over one message, made by hand, so that it may claim anything. Every
/// sealer's key is at `s._domainkey`. Fields are written in canonical form, but for their names.
#[derive(Debug)]
pub struct ArcChain<'a> {
    signer: &'a Signer,
    /// Fields with names in lower case, oldest first.
    fields: Vec<String>,
    message: &'a str,
}

impl<'a> ArcChain<'a> {
    /// Begins an empty chain. The message has the fields From and Subject, in this order.
    pub fn of(signer: &'a Signer, message: &'a str) -> Self {
        Self {
            signer,
            fields: Vec::new(),
            message,
        }
    }

    /// Adds the set of a sealer that claims these results.
    pub fn seal(mut self, sealer: &str, results: &str) -> Self {
        let instance = self.fields.len() / 3 + 1;
        let common = format!("i={instance}; a=ed25519-sha256; d={sealer}; s=s;");
        let (head, body) = self
            .message
            .split_once("\r\n\r\n")
            .unwrap_or((self.message, ""));
        let hash = STANDARD.encode(Sha256::digest(body));
        let head = head.replacen("From: ", "from:", 1);
        let head = head.replacen("Subject: ", "subject:", 1);

        self.fields.push(format!(
            "arc-authentication-results:i={instance}; {results}"
        ));
        let signature = format!("arc-message-signature:{common} h=from:subject; bh={hash}; b=");
        let signed = self.signer.raw(format!("{head}\r\n{signature}").as_bytes());
        self.fields.push(signature + &STANDARD.encode(signed));
        let cv = if instance == 1 { "none" } else { "pass" };
        self.fields.push(format!("arc-seal:{common} cv={cv}; b="));
        let sealed = self.signer.raw(self.fields.join("\r\n").as_bytes());
        let seal = self.fields.pop().unwrap_or_default();
        self.fields.push(seal + &STANDARD.encode(sealed));
        self
    }

    /// Returns the message with its chain.
    pub fn message(&self) -> Vec<u8> {
        let mut fields = self.fields.join("\r\n");
        fields.push_str("\r\n");
        [fields.as_bytes(), self.message.as_bytes()].concat()
    }
}
