//! New keys.

use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::Ed25519KeyPair;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use crate::KeyError;

/// Bits of an RSA key. RFC 8301 section 3.2 asks for this many, and a longer key does not fit into
/// the answers of some name servers.
const RSA_BITS: usize = 2048;

/// Makes an RSA key, in PKCS #8. That takes from a tenth of a second to some seconds.
pub(crate) fn rsa() -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let key = rsa::PrivateKey::new(&mut SystemNumbers, RSA_BITS).map_err(|_| KeyError::NotMade)?;
    let encoded = key.to_pkcs8_der().map_err(|_| KeyError::NotMade)?;
    Ok(Zeroizing::new(encoded.as_bytes().to_vec()))
}

/// Makes an Ed25519 key, in PKCS #8.
pub(crate) fn ed25519() -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
    let encoded = made.map_err(|_| KeyError::NotMade)?;
    Ok(Zeroizing::new(encoded.as_ref().to_vec()))
}

/// Random numbers of the system, from the provider that all others come from.
struct SystemNumbers;

impl TryRng for SystemNumbers {
    type Error = KeyError;

    fn try_next_u32(&mut self) -> Result<u32, KeyError> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, KeyError> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), KeyError> {
        (SystemRandom::new().fill(bytes)).map_err(|_| KeyError::NotMade)
    }
}

impl TryCryptoRng for SystemNumbers {}
