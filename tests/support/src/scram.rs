//! The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), with fields that a test may falsify.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};

/// A client in the middle of an exchange. Messages go in and out in base64, as in SMTP.
#[derive(Debug, Clone)]
pub struct Scram {
    /// User name as it is sent: a comma as `=2C`, an equals sign as `=3D`.
    pub user: String,
    /// Password in clear; prepared, if need be.
    pub password: String,
    /// GS2 header: `n,,`, `y,,` or `p=tls-exporter,,`, perhaps with `a=…` between the commas.
    pub gs2: String,
    /// Channel binding data that follow the repeated header.
    pub binding: Vec<u8>,
    auth_message: String,
    salted: [u8; 32],
}

impl Scram {
    /// Returns a client without channel binding.
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            gs2: "n,,".to_owned(),
            binding: Vec::new(),
            auth_message: String::new(),
            salted: [0; 32],
        }
    }

    /// Returns a client bound to a TLS connection.
    pub fn bound(user: &str, password: &str, binding: [u8; 32]) -> Self {
        Self {
            gs2: "p=tls-exporter,,".to_owned(),
            binding: binding.to_vec(),
            ..Self::new(user, password)
        }
    }

    fn bare(&self) -> String {
        format!("n={},r=fyko+d2lbbFgONRv9qkxdawL", self.user)
    }

    /// Returns the first message.
    pub fn first(&self) -> String {
        STANDARD.encode(format!("{}{}", self.gs2, self.bare()))
    }

    /// Returns the answer to the server's first message.
    pub fn last(&mut self, challenge: &str) -> String {
        let challenge = decoded(challenge);
        let value = |name: &str| {
            let mut attributes = challenge.split(',');
            let found = attributes.find_map(|attribute| attribute.strip_prefix(name));
            found.unwrap_or_else(|| panic!("no {name} in {challenge}"))
        };
        let salt = STANDARD.decode(value("s=")).unwrap_or_default();
        let rounds: NonZeroU32 = value("i=").parse().unwrap_or(NonZeroU32::MIN);
        let (kind, password) = (pbkdf2::PBKDF2_HMAC_SHA256, self.password.as_bytes());
        pbkdf2::derive(kind, rounds, &salt, password, &mut self.salted);
        let bound = STANDARD.encode([self.gs2.as_bytes(), &self.binding].concat());
        let unproved = format!("c={bound},r={}", value("r="));
        self.auth_message = format!("{},{challenge},{unproved}", self.bare());
        let key = sign(&self.salted, "Client Key");
        let signature = sign(
            digest::digest(&digest::SHA256, &key).as_ref(),
            &self.auth_message,
        );
        let proof: Vec<_> = key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        STANDARD.encode(format!("{unproved},p={}", STANDARD.encode(proof)))
    }

    /// Returns true if the server has proved that it knows the password's verifier.
    pub fn accepts(&self, receipt: &str) -> bool {
        let signature = sign(&sign(&self.salted, "Server Key"), &self.auth_message);
        decoded(receipt) == format!("v={}", STANDARD.encode(signature))
    }
}

fn decoded(message: &str) -> String {
    let octets = STANDARD.decode(message).unwrap_or_default();
    String::from_utf8(octets).unwrap_or_default()
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}
