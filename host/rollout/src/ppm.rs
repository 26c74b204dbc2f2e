//! Parts of a million, as which shares and rates are written down: `5%` is 50,000.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Parts of a million, from 0 to 1,000,000.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(try_from = "u32", into = "u32")]
pub struct Ppm(u32);

/// Error of a text or number that is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a share is a number from 0 to 100 with up to four decimals, such as 5% or 0.1%")]
pub struct NotAShare;

impl Ppm {
    /// All of it.
    pub const ALL: Self = Self(1_000_000);

    /// Makes one of so many percent, of which there are 100 at most.
    pub const fn percent(percent: u32) -> Self {
        match percent {
            0..100 => Self(percent * 10_000),
            _ => Self::ALL,
        }
    }

    /// Makes one of so many parts, of which there are a million at most.
    pub const fn parts(parts: u32) -> Self {
        match parts {
            0..1_000_000 => Self(parts),
            _ => Self::ALL,
        }
    }

    /// Returns the number of parts.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Returns it as a fraction of 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

impl TryFrom<u32> for Ppm {
    type Error = NotAShare;

    fn try_from(parts: u32) -> Result<Self, NotAShare> {
        match parts <= Self::ALL.0 {
            true => Ok(Self(parts)),
            false => Err(NotAShare),
        }
    }
}

impl From<Ppm> for u32 {
    fn from(share: Ppm) -> Self {
        share.0
    }
}

impl FromStr for Ppm {
    type Err = NotAShare;

    /// Reads percent, with or without the sign.
    fn from_str(text: &str) -> Result<Self, NotAShare> {
        let text = text.strip_suffix('%').unwrap_or(text).trim_end();
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
        if whole.is_empty()
            || whole.len() > 3
            || decimals.len() > 4
            || !digits(whole)
            || !digits(decimals)
        {
            return Err(NotAShare);
        }
        let parts = format!("{whole}{decimals:0<4}");
        let parts: u32 = parts.parse().map_err(|_| NotAShare)?;
        Self::try_from(parts)
    }
}

impl fmt::Display for Ppm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, decimals) = (self.0 / 10_000, self.0 % 10_000);
        match decimals {
            0 => write!(formatter, "{whole}%"),
            _ => {
                let decimals = format!("{decimals:04}");
                write!(formatter, "{whole}.{}%", decimals.trim_end_matches('0'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_are_read_and_written() {
        for (text, parts, written) in [
            ("5%", 50_000, "5%"),
            ("5", 50_000, "5%"),
            ("0.1%", 1_000, "0.1%"),
            ("0.0001", 1, "0.0001%"),
            ("100%", 1_000_000, "100%"),
            ("0", 0, "0%"),
            ("12.50 %", 125_000, "12.5%"),
        ] {
            let share: Ppm = text.parse().unwrap_or_else(|_| panic!("{text}"));
            assert_eq!((share.get(), share.to_string().as_str()), (parts, written));
        }
        for text in [
            "", "%", "101", "100.0001", "-1", "1e2", "0.00001", ".5", "5%%", "1,5",
        ] {
            assert_eq!(text.parse::<Ppm>(), Err(NotAShare), "{text}");
        }
        assert_eq!(Ppm::try_from(1_000_001), Err(NotAShare));
    }
}
