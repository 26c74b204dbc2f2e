//! Answers to challenges that are under way.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatepost_certificates::PendingValidations;
use instant_acme::KeyAuthorization;
use parking_lot::RwLock;
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{AcmeError, ChallengeKind};

/// Longest token of a challenge, in octets.
const TOKEN: usize = 256;

/// Answers to challenges. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Challenges {
    /// Contents by token.
    files: Arc<RwLock<BTreeMap<String, String>>>,
    pub(crate) handshakes: PendingValidations,
}

impl Challenges {
    /// Answers one challenge from now on.
    pub(crate) fn answer(
        &self,
        kind: ChallengeKind,
        name: &str,
        token: &str,
        authorization: &KeyAuthorization,
    ) -> Result<(), AcmeError> {
        match kind {
            ChallengeKind::Http01 => self.answer_file(token, authorization.as_str()),
            ChallengeKind::TlsAlpn01 => {
                self.answer_handshake(name, authorization.digest().as_ref())
            }
        }
    }

    fn answer_file(&self, token: &str, content: &str) -> Result<(), AcmeError> {
        // Characters of base64url (RFC 8555 section 8.3).
        let is_of_token = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
        if token.is_empty() || token.len() > TOKEN || !token.bytes().all(is_of_token) {
            return Err(AcmeError::Protocol("its token is none".to_owned()));
        }
        let mut files = self.files.write();
        files.insert(token.to_owned(), content.to_owned());
        Ok(())
    }

    /// Answers a validation with a certificate for the name that has the digest in the extension
    /// acmeIdentifier (RFC 8737 section 3).
    fn answer_handshake(&self, name: &str, digest: &[u8]) -> Result<(), AcmeError> {
        let mut parameters = CertificateParams::new([name.to_owned()])?;
        parameters.distinguished_name = DistinguishedName::new();
        parameters.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let key = KeyPair::generate()?;
        let certificate = parameters.self_signed(&key)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let answered = (self.handshakes).answer(name, certificate.der().clone(), key);
        answered.map_err(AcmeError::Tls)
    }

    /// Returns the content of a file, by its token.
    pub(crate) fn file(&self, token: &str) -> Option<String> {
        self.files.read().get(token).cloned()
    }

    /// Returns a guard that forgets all answers when it is dropped.
    pub(crate) fn for_one_order(&self) -> ForgottenAnswers<'_> {
        ForgottenAnswers(self)
    }
}

/// Answers that are forgotten with the end of an order.
pub(crate) struct ForgottenAnswers<'a>(&'a Challenges);

impl Drop for ForgottenAnswers<'_> {
    fn drop(&mut self) {
        self.0.files.write().clear();
        self.0.handshakes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_names_of_base64_only_and_go_with_the_order() {
        let challenges = Challenges::default();
        let order = challenges.for_one_order();
        for wrong in ["", "../key", "a/b", "a b", &"x".repeat(300)] {
            assert!(challenges.answer_file(wrong, "x").is_err(), "{wrong}");
        }
        challenges
            .answer_file("to-ken_1", "to-ken_1.thumb")
            .unwrap();
        let content = challenges.file("to-ken_1");
        assert_eq!(content.as_deref(), Some("to-ken_1.thumb"));
        drop(order);
        assert_eq!(challenges.file("to-ken_1"), None);
    }
}
