//! Pinned keys of servers.

use std::fmt;
use std::str::FromStr;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;

/// SHA-256 of a certificate's SubjectPublicKeyInfo (as in RFC 7469 section 2.4): names a key
/// whatever the certificate says around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin([u8; 32]);

/// Error: a text is no pin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not the SHA-256 of a public key: write 64 hexadecimal digits, as `openssl x509 -pubkey \
     -noout | openssl pkey -pubin -outform der | openssl dgst -sha256` prints them"
)]
pub struct PinError;

impl Pin {
    /// Returns the pin of a certificate's key; `None` if the certificate is malformed.
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let parsed = ParsedCertificate::try_from(certificate).ok()?;
        let provider = default_provider();
        let sha256 = provider.cipher_suites.iter().find_map(|suite| {
            let hash = suite.tls13()?.common.hash_provider;
            (hash.output_len() == 32).then_some(hash)
        })?;
        let digest = sha256.hash(&parsed.subject_public_key_info());
        digest.as_ref().try_into().ok().map(Self)
    }
}

impl From<[u8; 32]> for Pin {
    fn from(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let digits: Vec<u8> = text.bytes().filter(|&octet| octet != b':').collect();
        let mut octets = [0; 32];
        if digits.len() != 64 {
            return Err(PinError);
        }
        for (octet, pair) in octets.iter_mut().zip(digits.chunks(2)) {
            let value = |digit: u8| char::from(digit).to_digit(16).ok_or(PinError);
            *octet = (value(pair[0])? * 16 + value(pair[1])?) as u8;
        }
        Ok(Self(octets))
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}
