//! Replies (RFC 5321 section 4.2) and enhanced status codes (RFC 3463): what a server says and a
//! client is told.
//!
//! A [`Reply`] holds only what may stand on the wire: its code is 200 to 599, the class of its
//! enhanced code is that of the code, and its lines hold no control characters. So a text that a
//! policy or another server wrote can end no line early and begin no reply of its own.

use std::fmt::{self, Display, Write as _};
use std::str::FromStr;

use bytes::{BufMut, BytesMut};
use serde::{Deserialize, Serialize};

/// The longest text put on one line of a reply, in octets: 512 (RFC 5321 section 4.5.3.1.5) less
/// the code, the enhanced code and CRLF, with some room.
const LINE_TEXT: usize = 480;

/// The most lines that one reply keeps; what goes beyond is dropped.
const MAX_LINES: usize = 100;

/// Why a reply or an enhanced code cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The code is not one that a reply can have.
    #[error("reply code {0} is not between 200 and 599: use a code of RFC 5321 section 4.2")]
    Code(u16),
    /// The text is not an enhanced code.
    #[error("`{0}` is not an enhanced status code: write class.subject.detail as in 5.7.1")]
    Enhanced(String),
    /// Code and enhanced code contradict each other.
    #[error(
        "reply code {code} and enhanced code {enhanced} differ in their class: both must begin with the same digit"
    )]
    Class {
        /// The basic code.
        code: u16,
        /// The enhanced code that does not go with it.
        enhanced: EnhancedCode,
    },
}

/// An enhanced mail system status code, `class.subject.detail` (RFC 3463 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnhancedCode {
    class: u8,
    subject: u16,
    detail: u16,
}

impl EnhancedCode {
    /// 2 success, 4 transient failure, 5 permanent failure.
    pub fn class(self) -> u8 {
        self.class
    }

    /// What it is about, 0 to 999: 1 address, 2 mailbox, 3 mail system, 4 network, 5 protocol,
    /// 6 content, 7 security or policy.
    pub fn subject(self) -> u16 {
        self.subject
    }

    /// The condition within the subject, 0 to 999.
    pub fn detail(self) -> u16 {
        self.detail
    }

    /// The same condition, as one that may pass.
    fn transient(self) -> Self {
        Self { class: 4, ..self }
    }
}

impl FromStr for EnhancedCode {
    type Err = ReplyError;

    fn from_str(text: &str) -> Result<Self, ReplyError> {
        // status-code = class "." subject "." detail; 1*3DIGIT without leading zeros.
        fn number(part: Option<&str>) -> Option<u16> {
            let part = part?;
            let digits = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            let plain = part.len() == 1 || !part.starts_with('0');
            (digits && plain).then(|| part.parse().ok())?
        }
        let mut parts = text.split('.');
        let code = (|| {
            let class = match parts.next()? {
                "2" => 2,
                "4" => 4,
                "5" => 5,
                _ => return None,
            };
            let (subject, detail) = (number(parts.next())?, number(parts.next())?);
            parts.next().is_none().then_some(Self {
                class,
                subject,
                detail,
            })
        })();
        code.ok_or_else(|| ReplyError::Enhanced(text.to_owned()))
    }
}

impl TryFrom<String> for EnhancedCode {
    type Error = ReplyError;

    fn try_from(text: String) -> Result<Self, ReplyError> {
        text.parse()
    }
}

impl From<EnhancedCode> for String {
    fn from(code: EnhancedCode) -> Self {
        code.to_string()
    }
}

impl Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// One reply: a code, mostly an enhanced code, and one or more lines of text.
///
/// As JSON: `{"code": 550, "enhanced": "5.7.1", "lines": ["…"]}`; what breaks the rules above is
/// refused when read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Reply {
    code: u16,
    enhanced: Option<EnhancedCode>,
    lines: Vec<String>,
}

#[derive(Deserialize)]
struct Parts {
    code: u16,
    #[serde(default)]
    enhanced: Option<EnhancedCode>,
    #[serde(default)]
    lines: Vec<String>,
}

impl TryFrom<Parts> for Reply {
    type Error = ReplyError;

    fn try_from(parts: Parts) -> Result<Self, ReplyError> {
        Self::checked(parts.code, parts.enhanced, &parts.lines.join("\n"))
    }
}

impl Reply {
    /// A reply whose codes stand in the source.
    ///
    /// # Panics
    /// If the codes are malformed or contradict each other, which is a mistake in the source; for
    /// codes that come from elsewhere there is [`Reply::checked`]. The text may be anything.
    pub fn new(code: u16, enhanced: &'static str, text: impl AsRef<str>) -> Self {
        let made = enhanced
            .parse()
            .and_then(|enhanced| Self::checked(code, Some(enhanced), text.as_ref()));
        match made {
            Ok(reply) => reply,
            Err(error) => panic!("{error}"),
        }
    }

    /// A reply whose codes come from a policy, a file or another server. Each line of `text`
    /// becomes a line of the reply; control characters become spaces, and lines too long for the
    /// wire are wrapped.
    ///
    /// # Errors
    /// If the code is not 200 to 599 or the enhanced code is of another class.
    pub fn checked(
        code: u16,
        enhanced: Option<EnhancedCode>,
        text: &str,
    ) -> Result<Self, ReplyError> {
        if !(200..600).contains(&code) {
            return Err(ReplyError::Code(code));
        }
        match enhanced {
            Some(enhanced) if u16::from(enhanced.class) != code / 100 => {
                Err(ReplyError::Class { code, enhanced })
            }
            _ => Ok(Self {
                code,
                enhanced,
                lines: lines_of(text),
            }),
        }
    }

    /// A reply without an enhanced code: banner, EHLO, 354 and 334 (RFC 2034 section 4).
    pub(crate) fn plain(code: u16, text: &str) -> Self {
        Self {
            code,
            enhanced: None,
            lines: lines_of(text),
        }
    }

    /// The basic code, 200 to 599.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced code, where there is one.
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        self.enhanced
    }

    /// The text, line by line, without codes; at least one line.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The text in one line.
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// The same codes with another text.
    #[must_use]
    pub fn with_text(mut self, text: impl AsRef<str>) -> Self {
        self.lines = lines_of(text.as_ref());
        self
    }

    /// The same with a label in parentheses at its end, such as the id of a transaction, by which
    /// a sender can ask the postmaster.
    #[must_use]
    pub fn labelled(self, label: impl Display) -> Self {
        let text = format!("{} ({label})", self.lines.join("\n"));
        self.with_text(text)
    }

    /// The same text with another basic code; an enhanced code of another class goes.
    pub(crate) fn with_code(&self, code: u16) -> Self {
        let enhanced = self.enhanced.filter(|e| u16::from(e.class) == code / 100);
        Self {
            code,
            enhanced,
            lines: self.lines.clone(),
        }
    }

    /// The reply as an answer to RCPT: 552 there means 452, too many recipients or too much
    /// stored, and clients treat it as temporary (RFC 5321 section 4.5.3.1.10). The words stay.
    /// A server that says by its enhanced code that the message is too large (RFC 3463, X.2.3 and
    /// X.3.4) means it: that does not pass.
    pub(crate) fn for_a_recipient(mut self) -> Self {
        let too_large = |code: EnhancedCode| matches!((code.subject, code.detail), (2, 3) | (3, 4));
        if self.code == 552 && !self.enhanced.is_some_and(too_large) {
            self.code = 452;
            self.enhanced = self.enhanced.map(EnhancedCode::transient);
        }
        self
    }

    /// Whether the server takes no more recipients in this transaction, and may take this one in
    /// the next: 452, unless it speaks of the recipient's own mailbox (RFC 3463 section 3.3).
    pub fn wants_another_transaction(&self) -> bool {
        let of_the_mailbox = self
            .enhanced
            .is_some_and(|enhanced| enhanced.subject() == 2);
        self.code == 452 && !of_the_mailbox
    }

    /// 2xx: done.
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// 3xx: go on.
    pub fn is_intermediate(&self) -> bool {
        self.code / 100 == 3
    }

    /// 4xx: not now.
    pub fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    /// 5xx: never.
    pub fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// 4xx or 5xx.
    pub fn is_negative(&self) -> bool {
        self.is_transient() || self.is_permanent()
    }

    /// Appends the reply as it goes over the wire, CRLF included. The enhanced code stands on
    /// each line (RFC 2034 section 3). Text outside ASCII, which SMTPUTF8 alone allows, is
    /// written as `?`.
    pub fn write_to(&self, out: &mut BytesMut) {
        let last = self.lines.len() - 1;
        for (at, line) in self.lines.iter().enumerate() {
            let separator = if at == last { ' ' } else { '-' };
            // Writing to BytesMut cannot fail: it grows.
            let _ = write!(out, "{}{separator}", self.code);
            if let Some(enhanced) = self.enhanced {
                let _ = write!(out, "{enhanced} ");
            }
            for c in line.chars() {
                out.put_u8(if c.is_ascii() { c as u8 } else { b'?' });
            }
            out.put_slice(b"\r\n");
        }
    }
}

/// `550 5.7.1 text`, in one line, for logs and reports.
impl Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, "{enhanced} ")?;
        }
        f.write_str(&self.text())
    }
}

/// Cuts a text into lines that may stand in a reply; always at least one.
fn lines_of(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let clean: String = line
            .trim_end()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let mut rest = clean.as_str();
        while rest.len() > LINE_TEXT {
            let room = &rest[..rest.floor_char_boundary(LINE_TEXT)];
            let cut = room.rfind(' ').filter(|&at| at > 0).unwrap_or(room.len());
            lines.push(rest[..cut].to_owned());
            rest = rest[cut..].trim_start_matches(' ');
        }
        lines.push(rest.to_owned());
    }
    lines.truncate(MAX_LINES);
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}
