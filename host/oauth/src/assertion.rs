//! Signed assertions (RFC 7523): a JWT (RFC 7519) by RS256 (RFC 7518 section 3.3).

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepost_message::Millis;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

/// Seconds for which an assertion is valid.
const LIFE: u64 = 10 * 60;

/// RSA key that signs assertions.
#[derive(Clone)]
pub struct SigningKey(Arc<RsaKeyPair>);

/// Error: a text is no key that can sign assertions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no RSA private key of 2,048 bits or more in PEM, such as `openssl genrsa` writes")]
pub struct KeyError;

/// Claims of an assertion (RFC 7523 section 3).
pub(crate) struct Claims<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) scope: &'a str,
}

impl SigningKey {
    /// Reads a key in PEM, of PKCS #8 or PKCS #1.
    ///
    /// # Errors
    /// It is no RSA private key.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let pair = match PrivateKeyDer::from_pem_slice(text) {
            Ok(PrivateKeyDer::Pkcs8(key)) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(key)) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            _ => return Err(KeyError),
        };
        pair.map(Arc::new).map(Self).map_err(|_| KeyError)
    }

    /// Writes and signs an assertion; `None` if the system gives no random octets.
    pub(crate) fn sign(
        &self,
        claims: &Claims<'_>,
        key_id: Option<&str>,
        now: Millis,
    ) -> Option<String> {
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let Some(id) = key_id {
            header["kid"] = json!(id);
        }
        let seconds = now.0 / 1000;
        let mut body = json!({
            "iss": claims.issuer,
            "sub": claims.subject,
            "aud": claims.audience,
            "iat": seconds,
            "exp": seconds + LIFE,
        });
        if !claims.scope.is_empty() {
            body["scope"] = json!(claims.scope);
        }
        let part = |part: serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", part(header), part(body));
        let mut signature = vec![0; self.0.public().modulus_len()];
        let random = SystemRandom::new();
        let made = (self.0).sign(
            &RSA_PKCS1_SHA256,
            &random,
            signed.as_bytes(),
            &mut signature,
        );
        made.ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}
