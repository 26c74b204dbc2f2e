//! Tokens of handovers: what the link has and the store has not.
//!
//! The id of the handover and the key that encrypts its secret are both derived from the token
//! (HKDF, RFC 5869). So the store shows nothing to whoever reads it, and the link needs no secret
//! of the relay.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use zeroize::Zeroizing;

use crate::{DirectoryError, Secret, UserName, random};

/// Number of random bytes in a token.
const LENGTH: usize = 32;

/// Token of a handover, 256 random bits. Wiped from memory when dropped.
pub struct HandoverToken(Zeroizing<[u8; LENGTH]>);

/// Length of an id in bytes.
struct IdLength;

impl KeyType for IdLength {
    fn len(&self) -> usize {
        32
    }
}

impl HandoverToken {
    pub(crate) fn random() -> Result<Self, DirectoryError> {
        Ok(Self(Zeroizing::new(random::bytes()?)))
    }

    /// Reads a token as it stands in a link; `None` if the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        let read = URL_SAFE_NO_PAD.decode_slice(text, &mut *bytes).ok()?;
        (read == LENGTH).then_some(Self(bytes))
    }

    /// Returns the token as it stands in a link: 43 characters.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.0))
    }

    /// Returns the id of the handover, in hexadecimal digits. It says nothing about the token.
    pub fn id(&self) -> Result<String, DirectoryError> {
        let mut id = [0; 32];
        let info: [&[u8]; 1] = [b"id"];
        let derived = self.derivation();
        let derived = derived.expand(&info, IdLength);
        derived
            .and_then(|derived| derived.fill(&mut id))
            .map_err(|_| DirectoryError::Random)?;
        Ok(id.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Encrypts the secret of a credential: nonce, ciphertext and tag.
    pub(crate) fn seal(&self, user: &UserName, secret: &Secret) -> Result<Vec<u8>, DirectoryError> {
        let nonce: [u8; NONCE_LEN] = random::bytes()?;
        // Encrypted in place.
        let mut bytes = secret.reveal().as_bytes().to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        (self.cipher()?)
            .seal_in_place_append_tag(unique, binding(user), &mut bytes)
            .map_err(|_| DirectoryError::Random)?;
        bytes.splice(0..0, nonce);
        Ok(bytes)
    }

    /// Decrypts the secret of a credential.
    pub(crate) fn open(&self, user: &UserName, sealed: &[u8]) -> Result<Secret, DirectoryError> {
        let damaged = || DirectoryError::Damaged(format!("handover of {user}"));
        let (nonce, bytes) = sealed.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut bytes = Zeroizing::new(bytes.to_vec());
        let opened = self
            .cipher()?
            .open_in_place(nonce, binding(user), &mut bytes);
        let text = std::str::from_utf8(opened.map_err(|_| damaged())?);
        text.ok().and_then(Secret::from_text).ok_or_else(damaged)
    }

    fn derivation(&self) -> Prk {
        Salt::new(HKDF_SHA256, b"gatepost handover").extract(&*self.0)
    }

    fn cipher(&self) -> Result<LessSafeKey, DirectoryError> {
        let info: [&[u8]; 1] = [b"key"];
        let derived = self.derivation();
        let derived = derived.expand(&info, &AES_256_GCM);
        let key = derived.map_err(|_| DirectoryError::Random)?;
        Ok(LessSafeKey::new(UnboundKey::from(key)))
    }
}

/// Returns the associated data of the encryption: a secret cannot be shown as another's.
fn binding(user: &UserName) -> Aad<Vec<u8>> {
    Aad::from(format!("handovers\0sealed\0{user}").into_bytes())
}

impl fmt::Debug for HandoverToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandoverToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_what_it_sealed_and_no_other_does() {
        let token = HandoverToken::random().unwrap();
        let (user, secret) = (UserName::new("in-a"), Secret::generate().unwrap());
        let sealed = token.seal(&user, &secret).unwrap();
        let read = HandoverToken::parse(&token.reveal()).unwrap();
        assert_eq!(read.open(&user, &sealed).unwrap(), secret);
        assert_eq!(read.id().unwrap(), token.id().unwrap());
        assert_eq!(token.id().unwrap().len(), 64);
        assert!(!token.id().unwrap().contains(&**token.reveal()));

        let other = HandoverToken::random().unwrap();
        assert!(other.open(&user, &sealed).is_err());
        assert!(token.open(&UserName::new("in-b"), &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(token.open(&user, &changed).is_err(), "{at}");
        }
        assert!(token.open(&user, &sealed[..11]).is_err());
        assert_eq!(format!("{token:?}"), "HandoverToken(..)");
    }

    #[test]
    fn what_is_no_token_is_not_read() {
        let text = HandoverToken::random().unwrap().reveal();
        let (shorter, longer) = (&text[..42], format!("{}A", *text));
        let padded = format!("{}=", *text);
        for text in [
            "",
            shorter,
            &longer,
            &padded,
            &text.replace(|_| true, "+"),
            "é",
        ] {
            assert!(HandoverToken::parse(text).is_none(), "{text}");
        }
    }
}
