//! Random numbers, all of them from the system.

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::DirectoryError;

/// Returns N random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], DirectoryError> {
    let mut bytes = [0; N];
    (SystemRandom::new().fill(&mut bytes)).map_err(|_| DirectoryError::Random)?;
    Ok(bytes)
}

/// Returns `length` characters of an alphabet of at most 256, each equally likely.
pub(crate) fn text(alphabet: &[u8], length: usize) -> Result<String, DirectoryError> {
    // A byte above the last whole multiple would favour the first characters.
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let drawn = bytes::<32>()?.into_iter().map(usize::from);
        let fair = drawn.filter(|byte| *byte < fair);
        let missing = length - text.len();
        text.extend((fair.take(missing)).map(|byte| char::from(alphabet[byte % alphabet.len()])));
    }
    Ok(text)
}
