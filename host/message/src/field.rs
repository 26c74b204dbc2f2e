//! Header fields (RFC 5322 section 2.2): those of a message, and those that we write.

use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use crate::likeness::{self, TolerantNames};

/// One field of a message, in its octets.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    raw: &'a [u8],
    colon: usize,
}

impl<'a> Field<'a> {
    /// Creates a field; `raw[colon]` is the colon that ends the name.
    pub(crate) fn new(raw: &'a [u8], colon: usize) -> Self {
        Self { raw, colon }
    }

    /// Returns the name as it is spelt, for people: octets that are not UTF-8 become U+FFFD.
    pub fn name(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.name_raw())
    }

    /// Returns the octets of the name, without the white space that old software put before the
    /// colon (RFC 5322 section 4.5).
    pub fn name_raw(&self) -> &'a [u8] {
        let mut name = &self.raw[..self.colon];
        while let [rest @ .., b' ' | b'\t'] = name {
            name = rest;
        }
        name
    }

    /// Returns true if the field has this name. Case does not matter (RFC 5322 section 1.2.2).
    pub fn is(&self, name: &str) -> bool {
        self.name_raw().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Returns true if RFC 5322 section 2.2 allows the name: printable US-ASCII without colon. A
    /// name with a control character, a space or an octet outside ASCII is malformed, and
    /// [`is`](Self::is) recognises it as no known name.
    pub fn is_well_formed(&self) -> bool {
        likeness::is_well_formed(self.name_raw())
    }

    /// Returns true if some reader, however tolerant, might take it for a field of one of these
    /// names.
    pub fn may_be_read_as(&self, names: &TolerantNames) -> bool {
        names.has(&self.raw[..self.colon])
    }

    /// Returns true if some reader might find a field of one of these names in its body, after a
    /// character that ends no line here but may end one for that reader.
    pub fn holds_another(&self, names: &TolerantNames) -> bool {
        names.in_body(&self.raw[self.colon + 1..])
    }

    /// Returns the whole field with its folds and its line end.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Returns the octets between the colon and the final line end, with folds and white space.
    pub fn body_raw(&self) -> &'a [u8] {
        without_line_end(&self.raw[self.colon + 1..])
    }

    /// Returns the body unfolded (RFC 5322 section 2.2.3: line ends are removed, the white space
    /// after them is kept) and trimmed; octets that are not UTF-8 become U+FFFD.
    pub fn unfolded(&self) -> String {
        let body = self.body_raw().trim_ascii();
        let mut unfolded = Vec::with_capacity(body.len());
        for line in body.split_inclusive(|octet| *octet == b'\n') {
            unfolded.extend_from_slice(without_line_end(line));
        }
        String::from_utf8(unfolded)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

fn without_line_end(line: &[u8]) -> &[u8] {
    match line {
        [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => line,
        _ => line,
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.name(), self.unfolded())
    }
}

/// A field name that compares and hashes without case, as a key of maps.
#[derive(Clone, Copy)]
pub(crate) struct Caseless<'a>(pub(crate) &'a [u8]);

impl PartialEq for Caseless<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Caseless<'_> {}

impl Hash for Caseless<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for octet in self.0 {
            state.write_u8(octet.to_ascii_lowercase());
        }
        state.write_u8(b':');
    }
}

/// The name of a field that we write or change: 1 to 76 octets of printable US-ASCII without colon
/// and space (RFC 5322 section 3.6.8). Spelling is kept; names that differ only in case are equal.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct FieldName(Box<str>);

impl FieldName {
    /// The most octets of a name; with a colon and a space it leaves room on the first line.
    pub const MAX_LENGTH: usize = 76;

    /// Checks a name as it will be written.
    ///
    /// # Errors
    /// [`FieldError::NameLength`] and [`FieldError::NameCharacter`].
    pub fn new(name: &str) -> Result<Self, FieldError> {
        if name.is_empty() || name.len() > Self::MAX_LENGTH {
            return Err(FieldError::NameLength(name.len()));
        }
        match name.chars().find(|c| !c.is_ascii_graphic() || *c == ':') {
            Some(character) => Err(FieldError::NameCharacter(character)),
            None => Ok(Self(name.into())),
        }
    }

    /// Returns the name as it is spelt.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn caseless(&self) -> Caseless<'_> {
        Caseless(self.0.as_bytes())
    }
}

impl PartialEq for FieldName {
    fn eq(&self, other: &Self) -> bool {
        self.caseless() == other.caseless()
    }
}

impl Eq for FieldName {}

impl Hash for FieldName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.caseless().hash(state);
    }
}

/// The body of a field that we write. Its octets go out as they are, so it may contain folds (CRLF
/// and then white space) but nothing else that could be taken for the end of a line: no body can
/// begin a second field or end the header section.
///
/// - At most 64 KiB; no line over 998 octets (RFC 5322 section 2.1.1), the first with the longest
///   name before it.
/// - No control character or Unicode line separator but the tab and the CRLF of a fold.
/// - No fold that leaves a line of white space alone (RFC 5322 section 3.2.2).
///
/// Characters outside US-ASCII are allowed (RFC 6532); see [`FieldBody::is_ascii`].
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct FieldBody(Box<str>);

impl FieldBody {
    /// The most octets of a body, folds included.
    pub const MAX_LENGTH: usize = 64 * 1024;

    /// The most octets of a line, without its CRLF.
    const MAX_LINE: usize = 998;

    /// The most octets of the first line, which begins with the name, a colon and a space.
    const MAX_FIRST_LINE: usize = Self::MAX_LINE - FieldName::MAX_LENGTH - ": ".len();

    /// Checks a body as it will be written after the name, the colon and one space.
    ///
    /// # Errors
    /// Every variant of [`FieldError`] that begins with `Body`.
    pub fn new(body: &str) -> Result<Self, FieldError> {
        if body.len() > Self::MAX_LENGTH {
            return Err(FieldError::BodyLength(body.len()));
        }
        for (position, line) in body.split("\r\n").enumerate() {
            if let Some(control) = line.chars().find(|c| is_control(*c)) {
                return Err(FieldError::BodyControl(control));
            }
            let longest = match position {
                0 => Self::MAX_FIRST_LINE,
                _ => Self::MAX_LINE,
            };
            if line.len() > longest {
                return Err(FieldError::BodyLine(line.len(), longest));
            }
            let folded = position > 0;
            if folded && !line.starts_with([' ', '\t']) {
                return Err(FieldError::BodyFold);
            }
            if folded && line.trim().is_empty() {
                return Err(FieldError::BodyBlankLine);
            }
        }
        Ok(Self(body.into()))
    }

    /// Returns the body with its folds.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if the body may be sent without SMTPUTF8 (RFC 6531).
    pub fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }
}

/// Returns true for characters that no line of a field may hold. Beyond US-ASCII these are C1
/// controls and the two separators: some software takes U+0085, U+2028 and U+2029 for line ends
/// once it has decoded the octets.
fn is_control(character: char) -> bool {
    character.is_control() && character != '\t' || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Reason why a name or a body cannot be written into a header section.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The name is empty or too long; its length in octets.
    #[error("a field name has 1 to {max} octets, this one has {0}", max = FieldName::MAX_LENGTH)]
    NameLength(usize),
    /// The name holds this forbidden character.
    #[error(
        "a field name is printable ASCII without colon and space (RFC 5322 section 2.2), and {0:?} is not"
    )]
    NameCharacter(char),
    /// The body is too long; its length in octets.
    #[error("a field body has at most {max} octets, this one has {0}", max = FieldBody::MAX_LENGTH)]
    BodyLength(usize),
    /// The body holds a control character or line separator that is neither a tab nor part of a
    /// fold.
    #[error("{0:?} cannot stand in a field body: take it out, or fold with CRLF and a space")]
    BodyControl(char),
    /// A line of the body is too long; its length and the limit, in octets.
    #[error(
        "a line of this field body has {0} octets where {1} fit: fold it with CRLF and a space"
    )]
    BodyLine(usize, usize),
    /// CRLF in the body is not followed by white space.
    #[error(
        "a line end in a field body must be followed by a space or a tab, or the next line would be another field"
    )]
    BodyFold,
    /// A fold leaves a line of white space alone.
    #[error("a folded line of a field body must hold more than white space: take the fold out")]
    BodyBlankLine,
}

macro_rules! checked_text {
    ($type:ty) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl FromStr for $type {
            type Err = FieldError;

            fn from_str(text: &str) -> Result<Self, FieldError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = FieldError;

            fn try_from(text: String) -> Result<Self, FieldError> {
                Self::new(&text)
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.0.into()
            }
        }
    };
}

checked_text!(FieldName);
checked_text!(FieldBody);
