//! Signed requests (RFC 8555 section 6.2), by ES256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Public key of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccountKey {
    x: String,
    y: String,
}

/// A request whose signature is still to be verified.
#[derive(Debug)]
pub(super) struct SignedRequest {
    /// Protected header.
    pub(super) header: Value,
    /// Payload; null where it is empty.
    pub(super) payload: Value,
    signed: String,
    signature: Vec<u8>,
}

impl SignedRequest {
    /// Parses a body; `None` if it is no JWS.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let part = |name: &str| body[name].as_str();
        let (header, payload) = (part("protected")?, part("payload")?);
        let json = |text: &str| {
            let octets = URL_SAFE_NO_PAD.decode(text).ok()?;
            serde_json::from_slice(&octets).ok()
        };
        Some(Self {
            header: json(header)?,
            payload: match payload {
                "" => Value::Null,
                text => json(text)?,
            },
            signed: format!("{header}.{payload}"),
            signature: URL_SAFE_NO_PAD.decode(part("signature")?).ok()?,
        })
    }

    /// Returns the key that the header has.
    pub(super) fn key(&self) -> Option<AccountKey> {
        let key = &self.header["jwk"];
        let is_p256 = key["kty"] == "EC" && key["crv"] == "P-256";
        let part = |name: &str| key[name].as_str().map(str::to_owned);
        is_p256.then_some(())?;
        Some(AccountKey {
            x: part("x")?,
            y: part("y")?,
        })
    }

    /// Returns true if this key has signed it.
    pub(super) fn is_signed_by(&self, key: &AccountKey) -> bool {
        let mut point = vec![4];
        for part in [&key.x, &key.y] {
            point.extend(URL_SAFE_NO_PAD.decode(part).unwrap_or_default());
        }
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        let verified = key.verify(self.signed.as_bytes(), &self.signature);
        self.header["alg"] == "ES256" && verified.is_ok()
    }
}

impl AccountKey {
    /// Returns the thumbprint (RFC 7638).
    pub(super) fn thumbprint(&self) -> String {
        // Keys in alphabetical order, without spaces.
        let key = json!({ "crv": "P-256", "kty": "EC", "x": self.x, "y": self.y });
        URL_SAFE_NO_PAD.encode(Sha256::digest(key.to_string()))
    }
}
