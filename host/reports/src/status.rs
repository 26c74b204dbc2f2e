//! Statuses (RFC 3463): read, or derived from the words of a server.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::words;

/// Enhanced status code (RFC 3463).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status {
    /// Class: 2, 4 or 5.
    pub class: u8,
    /// Subject.
    pub subject: u16,
    /// Detail.
    pub detail: u16,
}

impl Status {
    /// Makes a status of its three numbers.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Self {
        Self {
            class,
            subject,
            detail,
        }
    }

    /// Reads the first status in a text.
    pub fn find(text: &str) -> Option<Self> {
        find(text)
    }

    /// Returns true if it says no more than its class.
    pub fn is_general(self) -> bool {
        self.subject == 0 && self.detail == 0
    }

    /// Returns true if the failure is permanent.
    pub fn is_permanent(self) -> bool {
        self.class == 5
    }

    /// Returns the status that the words of a server come to: the code in them, else the meaning of
    /// the words, else the class of the reply.
    pub(crate) fn of_diagnostic(text: &str) -> Option<Self> {
        let said = Self::find(text);
        if let Some(said) = said
            && !said.is_general()
        {
            return Some(said);
        }
        let class = said.map(|said| said.class).or_else(|| reply_class(text));
        let meant = words::cause(text);
        match (meant, class) {
            (Some(cause), Some(class)) => Some(Self::new(class, cause.0, cause.1)),
            (Some(cause), None) => Some(Self::new(5, cause.0, cause.1)),
            (None, Some(class)) => Some(Self::new(class, 0, 0)),
            (None, None) => None,
        }
    }
}

/// Returns the first status in a text. What is part of a longer dotted number, such as an IP address
/// or a version, is none.
fn find(text: &str) -> Option<Status> {
    let octets = text.as_bytes();
    let mut places = octets.iter().enumerate();
    places.find_map(|(at, octet)| {
        let before = at.checked_sub(1).and_then(|before| octets.get(before));
        let joined =
            before.is_some_and(|of| of.is_ascii_alphanumeric() || matches!(of, b'.' | b'/'));
        match octet {
            b'2' | b'4' | b'5' if !joined => status_at(octets, at),
            _ => None,
        }
    })
}

fn status_at(octets: &[u8], at: usize) -> Option<Status> {
    let class = octets.get(at)?.checked_sub(b'0')?;
    let (subject, at) = number(octets, dot(octets, at + 1)?)?;
    let (detail, at) = number(octets, dot(octets, at)?)?;
    let goes_on = match (octets.get(at), octets.get(at + 1)) {
        (Some(b'.'), Some(next)) => next.is_ascii_digit(),
        (Some(next), _) => next.is_ascii_alphanumeric(),
        (None, _) => false,
    };
    (!goes_on).then_some(Status::new(class, subject, detail))
}

fn dot(octets: &[u8], at: usize) -> Option<usize> {
    (octets.get(at) == Some(&b'.')).then_some(at + 1)
}

/// Returns a number of up to three digits, and the offset behind it.
fn number(octets: &[u8], begin: usize) -> Option<(u16, usize)> {
    let rest = octets.get(begin..)?;
    let length = rest
        .iter()
        .take_while(|octet| octet.is_ascii_digit())
        .count();
    if length == 0 || length > 3 {
        return None;
    }
    let digits = str::from_utf8(rest.get(..length)?).ok()?;
    Some((digits.parse().ok()?, begin + length))
}

/// Returns the class of the first reply code (RFC 5321 section 4.2) in a text: three digits that
/// stand alone, before a space or a hyphen.
pub(crate) fn reply_class(text: &str) -> Option<u8> {
    let octets = text.as_bytes();
    let ends = |octet: Option<&u8>| {
        octet.is_none_or(|octet| {
            matches!(
                octet,
                b' ' | b'-' | b'\t' | b':' | b',' | b'.' | b')' | b'"' | b']' | b'\'' | b'_'
            )
        })
    };
    let starts = |octet: Option<&u8>| {
        octet.is_none_or(|octet| {
            matches!(
                octet,
                b' ' | b'\t' | b':' | b'(' | b'"' | b'<' | b'#' | b'[' | b';' | b'\'' | b'=' | b'>'
            )
        })
    };
    octets.windows(3).enumerate().find_map(|(at, code)| {
        let before = at.checked_sub(1).and_then(|before| octets.get(before));
        let [class @ (b'4' | b'5'), b'0'..=b'7', b'0'..=b'9'] = code else {
            return None;
        };
        // "552 bytes" and "450.2" are no replies, "554 5.7.1" and "550-" are.
        let after = octets.get(at + 3);
        let dotted = after == Some(&b'.') && octets.get(at + 4).is_some_and(u8::is_ascii_digit);
        let counted = words::counts(text.get(at + 3..).unwrap_or_default());
        (starts(before) && ends(after) && !dotted && !counted).then(|| class - b'0')
    })
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_found_and_an_address_of_a_server_is_none() {
        for (text, status) in [
            ("550 5.1.1 <a@b.example>: unknown", Some("5.1.1")),
            ("550-5.7.26 unauthenticated", Some("5.7.26")),
            ("(#5.4.1)", Some("5.4.1")),
            ("smtp;550 #5.1.0 Address rejected", Some("5.1.0")),
            ("4.4.1.", Some("4.4.1")),
            ("host 5.1.1.9 said nothing", None),
            ("10.5.1.1 said nothing", None),
            ("Postfix 3.5.1", None),
            ("mail-5.1.1234", None),
        ] {
            assert_eq!(
                Status::find(text).map(|of| of.to_string()).as_deref(),
                status,
                "{text}"
            );
        }
    }

    #[test]
    fn words_and_replies_give_the_status_that_no_code_gives() {
        for (text, status) in [
            ("550 User unknown", Some("5.1.1")),
            ("550 5.0.0 <a@b.example>... No such user", Some("5.1.1")),
            ("452 mailbox full", Some("4.2.2")),
            ("Mailbox is full", Some("5.2.2")),
            ("554 no", Some("5.0.0")),
            ("Host or domain name not found", Some("5.1.2")),
            ("hello", None),
            ("552 bytes were sent", None),
        ] {
            let found = Status::of_diagnostic(text).map(|of| of.to_string());
            assert_eq!(found.as_deref(), status, "{text}");
        }
    }
}
