//! Lengths of time in settings, such as `5m`.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::{Deserialize, Serialize};

/// Parses a duration such as `50ms`, `1h 30m` or `5d`; a day has 24 hours.
///
/// # Errors
/// A sentence that says what is wrong and shows the form.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let form = "write a number with a unit, such as \"50ms\", \"30s\", \"5m\", \"1h\" or \"5d\"";
    let span: Span = text
        .parse()
        .map_err(|_| format!("`{text}` is not a duration; {form}"))?;
    let signed = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| format!("`{text}` has a unit of no fixed length; {form}"))?;
    Duration::try_from(signed)
        .map_err(|_| format!("`{text}` is negative, a duration here is not; {form}"))
}

/// Length of time, written as a text with units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period(pub Duration);

impl Period {
    /// Makes a period of seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse_duration(&text).map(Self)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signed = SignedDuration::try_from(self.0).unwrap_or(SignedDuration::MAX);
        write!(f, "{signed:#}")
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}
