//! Words and domains in any spelling: with capitals, and with a dot at their end.

use std::str::FromStr;

/// Value that is spelled in any way.
pub(super) struct Spelled<T>(pub(super) T);

impl<T: FromStr> FromStr for Spelled<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        let text = text.trim();
        let text = text.strip_suffix('.').unwrap_or(text).to_lowercase();
        text.parse().map(Self)
    }
}

/// Parses a value that is spelled in any way.
///
/// # Errors
/// It is none.
pub(super) fn parse<T: FromStr>(text: &str) -> Result<T, T::Err> {
    text.parse().map(|Spelled(value)| value)
}
