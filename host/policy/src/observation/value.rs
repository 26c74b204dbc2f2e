//! Values that pass between a policy and the host, in a form for people and for JSON.

use std::fmt::{self, Write as _};

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

/// An argument or an answer of a host call.
#[derive(Debug, Clone, PartialEq)]
pub enum HostValue {
    /// No value: of a function that returns nothing.
    Nothing,
    /// An option without a value.
    None,
    /// Yes or no.
    Bool(bool),
    /// A number, in digits.
    Number(String),
    /// A text, which may be cut.
    Text {
        /// Text, or its beginning.
        text: String,
        /// True if the rest is missing.
        cut: bool,
    },
    /// Octets, which may be cut.
    Octets {
        /// Beginning of the octets as text; octets that are not UTF-8 are U+FFFD.
        text: String,
        /// Number of all octets.
        length: u64,
    },
    /// A case of an enumeration, in the contract's words, perhaps with a value.
    Case(String, Option<Box<HostValue>>),
    /// A list, which may be cut.
    List {
        /// Entries, or the first of them.
        entries: Vec<HostValue>,
        /// True if the rest is missing.
        cut: bool,
    },
    /// Fields of a record, with their names.
    Record(Vec<(String, HostValue)>),
    /// The host ended the call for this reason.
    Fault(String),
}

/// Number of characters of a text for people.
const SHOWN: usize = 200;

/// Number of characters of octets for people.
const SHOWN_OCTETS: usize = 60;

impl fmt::Display for HostValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::None => f.write_str("none"),
            Self::Bool(true) => f.write_str("yes"),
            Self::Bool(false) => f.write_str("no"),
            Self::Number(digits) => f.write_str(digits),
            Self::Text { text, cut } => quoted(f, text, SHOWN, *cut),
            Self::Octets { text, length } => {
                write!(f, "{length} octets")?;
                if !text.is_empty() {
                    f.write_str(": ")?;
                    quoted(f, text, SHOWN_OCTETS, text.len() < *length as usize)?;
                }
                Ok(())
            }
            Self::Case(word, None) => f.write_str(word),
            Self::Case(word, Some(value)) => write!(f, "{word}({value})"),
            Self::List { entries, cut } => {
                f.write_char('[')?;
                join(f, entries.iter().map(|entry| (None, entry)))?;
                f.write_str(if *cut { ", …]" } else { "]" })
            }
            Self::Record(fields) => {
                f.write_char('{')?;
                join(f, fields.iter().map(|(name, value)| (Some(name), value)))?;
                f.write_char('}')
            }
            Self::Fault(reason) => write!(f, "FAULT {reason}"),
        }
    }
}

fn join<'a>(
    f: &mut fmt::Formatter<'_>,
    entries: impl Iterator<Item = (Option<&'a String>, &'a HostValue)>,
) -> fmt::Result {
    for (at, (name, value)) in entries.enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        match name {
            Some(name) => write!(f, "{name} {value}")?,
            None => write!(f, "{value}")?,
        }
    }
    Ok(())
}

/// Writes the beginning of a text in quotes, on one line.
fn quoted(f: &mut fmt::Formatter<'_>, text: &str, shown: usize, cut: bool) -> fmt::Result {
    let mut rest = text.chars();
    f.write_char('"')?;
    for c in rest.by_ref().take(shown) {
        match c {
            '"' | '\\' | '\n' | '\r' | '\t' => write!(f, "{}", c.escape_default())?,
            c => f.write_char(c)?,
        }
    }
    let cut = cut || rest.next().is_some();
    f.write_str(if cut { "…\"" } else { "\"" })
}

impl Serialize for HostValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing | Self::None => serializer.serialize_none(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(digits) => match (digits.parse::<u64>(), digits.parse::<i64>()) {
                (Ok(number), _) => serializer.serialize_u64(number),
                (_, Ok(number)) => serializer.serialize_i64(number),
                _ => serializer.serialize_str(digits),
            },
            Self::Text { text, .. } => serializer.serialize_str(text),
            Self::Octets { text, length } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("octets", length)?;
                map.serialize_entry("begin", text)?;
                map.end()
            }
            Self::Case(word, None) => serializer.serialize_str(word),
            Self::Case(word, Some(value)) => {
                serializer.collect_map([(word.as_str(), value.as_ref())])
            }
            Self::List { entries, .. } => serializer.collect_seq(entries),
            Self::Record(fields) => {
                serializer.collect_map(fields.iter().map(|(name, value)| (name, value)))
            }
            Self::Fault(reason) => serializer.collect_map([("fault", reason)]),
        }
    }
}
