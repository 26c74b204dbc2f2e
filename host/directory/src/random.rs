//! Randomness, all of it from the system.

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::DirectoryError;

/// So many random octets.
pub(crate) fn octets<const N: usize>() -> Result<[u8; N], DirectoryError> {
    let mut octets = [0; N];
    (SystemRandom::new().fill(&mut octets)).map_err(|_| DirectoryError::Random)?;
    Ok(octets)
}

/// So many characters of an alphabet of at most 256, each as likely as any other.
pub(crate) fn text(alphabet: &[u8], length: usize) -> Result<String, DirectoryError> {
    // An octet above the last whole multiple would favour the first characters.
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let drawn = octets::<32>()?.into_iter().map(usize::from);
        let fair = drawn.filter(|octet| *octet < fair);
        let missing = length - text.len();
        text.extend((fair.take(missing)).map(|octet| char::from(alphabet[octet % alphabet.len()])));
    }
    Ok(text)
}
