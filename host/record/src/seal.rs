//! Encryption of the entries: AES-256-GCM, under a key of each file's own.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;

/// Length of a file's salt, in bytes.
pub(crate) const SALT: usize = 16;

/// Cipher of one file. Its key follows from the key ring of the directory and the file's salt, so no
/// number of an entry is used twice with one key.
pub(crate) struct FileCipher(LessSafeKey);

impl std::fmt::Debug for FileCipher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("FileCipher")
    }
}

impl FileCipher {
    pub(crate) fn new(key: &hmac::Key, salt: &[u8; SALT]) -> Self {
        let derived = hmac::sign(key, salt);
        let key = UnboundKey::new(&AES_256_GCM, derived.as_ref());
        // HMAC-SHA-256 has the 32 octets of the key.
        let key = key.unwrap_or_else(|_| unreachable!("the key has 32 octets"));
        Self(LessSafeKey::new(key))
    }

    /// Encrypts the entry of this number in its place.
    pub(crate) fn seal(&self, number: u64, entry: &mut Vec<u8>) -> Option<()> {
        let sealed = (self.0).seal_in_place_append_tag(nonce(number), Aad::empty(), entry);
        sealed.ok()
    }

    /// Decrypts the entry of this number in its place; `None` if it is not as it was written.
    pub(crate) fn open<'a>(&self, number: u64, entry: &'a mut [u8]) -> Option<&'a [u8]> {
        let opened = self.0.open_in_place(nonce(number), Aad::empty(), entry);
        opened.ok().map(|entry| &*entry)
    }
}

fn nonce(number: u64) -> Nonce {
    let mut octets = [0; 12];
    octets[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(octets)
}
