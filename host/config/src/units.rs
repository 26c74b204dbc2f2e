//! Forms of durations (`"50ms"`, `"5d"`) and sizes (`"25MiB"`, or a number of bytes) in the
//! configuration.

use std::fmt;
use std::time::Duration;

use bytesize::ByteSize;
use gatepost_message::{Period, parse_duration};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// Parses a size such as `25MiB`, `64 KiB` or `998`, in bytes.
///
/// # Errors
/// A sentence that says what is wrong and shows the form.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    text.parse::<ByteSize>().map(|size| size.0).map_err(|_| {
        format!("`{text}` is not a size; write a number of bytes or one with a unit, such as \"64KiB\", \"25MiB\" or \"1GiB\"")
    })
}

/// Deserializes a [`Duration`], for `#[serde(deserialize_with)]`.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Period::deserialize(deserializer).map(|period| period.0)
}

/// Deserializes a [`Duration`] or `"never"`, which 0 also means.
pub(super) fn duration_or_never<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    struct OrNever;
    impl Visitor<'_> for OrNever {
        type Value = Option<Duration>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a duration in quotes with its unit, such as \"4h\", or \"never\"")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<Duration>, E> {
            if matches!(text, "never" | "0") {
                return Ok(None);
            }
            let duration = parse_duration(text).map_err(|why| E::custom(why + ", or \"never\""))?;
            Ok((!duration.is_zero()).then_some(duration))
        }
        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Option<Duration>, E> {
            match number {
                0 => Ok(None),
                _ => Err(E::invalid_type(de::Unexpected::Signed(number), &self)),
            }
        }
    }
    deserializer.deserialize_any(OrNever)
}

/// Deserializes a list of [`Duration`]s.
pub(super) fn durations<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Duration>, D::Error> {
    let periods = Vec::<Period>::deserialize(deserializer)?;
    Ok(periods.into_iter().map(|period| period.0).collect())
}

/// Deserializes a size in bytes that fits an integer of type `T`.
pub(super) fn size<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let bytes = deserializer.deserialize_any(SizeVisitor)?;
    T::try_from(bytes).map_err(|_| de::Error::custom(format!("{bytes} bytes are too many here")))
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = u64;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size, such as \"25MiB\", or a number of bytes")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        parse_size(text).map_err(E::custom)
    }
    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<u64, E> {
        Ok(bytes)
    }
    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<u64, E> {
        u64::try_from(bytes).map_err(|_| E::custom(format!("`{bytes}` is negative, a size is not")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_binary_or_decimal() {
        for (text, expected) in [
            ("998", 998),
            ("25MiB", 25 << 20),
            ("64 KiB", 64 << 10),
            ("1GiB", 1 << 30),
            ("2kB", 2000),
        ] {
            assert_eq!(parse_size(text), Ok(expected), "{text}");
        }
        for text in ["", "MiB", "-1KiB", "12 apples"] {
            assert!(
                parse_size(text).unwrap_err().contains("is not a size"),
                "{text}"
            );
        }
    }
}
