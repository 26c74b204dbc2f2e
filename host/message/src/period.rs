//! Lengths of time in settings, such as `5m`.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer, Visitor};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(into = "String")]
pub struct Period(pub Duration);

impl Period {
    /// Makes a period of seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PeriodVisitor;
        impl Visitor<'_> for PeriodVisitor {
            type Value = Period;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration in quotes with its unit, such as \"50ms\" or \"5d\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Period, E> {
                parse_duration(text).map(Period).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(PeriodVisitor)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        let seconds = Duration::from_secs;
        for (text, expected) in [
            ("50ms", Duration::from_millis(50)),
            ("250us", Duration::from_micros(250)),
            ("0s", seconds(0)),
            ("1m", seconds(60)),
            ("1h 30m", seconds(5400)),
            ("5d", seconds(5 * 86_400)),
            ("2w", seconds(14 * 86_400)),
        ] {
            assert_eq!(parse_duration(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn an_invalid_duration_is_refused_with_its_reason() {
        for (text, reason) in [
            ("5", "is not a duration"),
            ("", "is not a duration"),
            ("five minutes", "is not a duration"),
            ("1mo", "no fixed length"),
            ("-5s", "negative"),
        ] {
            let error = parse_duration(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
            assert!(error.contains("\"50ms\""), "shows the form: {error}");
        }
    }

    #[test]
    fn a_period_is_read_as_it_is_written() {
        let period = Period(Duration::from_secs(5400));
        let written = serde_json::to_string(&period).unwrap();
        assert_eq!(written, "\"1h 30m\"");
        assert_eq!(serde_json::from_str::<Period>(&written).unwrap(), period);
        let number = serde_json::from_str::<Period>("5").unwrap_err();
        assert!(
            number.to_string().contains("in quotes with its unit"),
            "{number}"
        );
    }
}
