//! Replies (RFC 5321 section 4.2) and enhanced status codes (RFC 3463).
//!
//! A [`Reply`] is always fit for the wire: its code is 200 to 599, its enhanced code has the same
//! class as its code, and its lines hold no control characters. So a text written by a policy or
//! another server cannot end a line early or begin another reply.

use std::fmt::{self, Display, Write as _};
use std::str::FromStr;

use bytes::{BufMut, BytesMut};
use serde::{Deserialize, Serialize};

/// The most octets of text on one line of a reply: 512 (RFC 5321 section 4.5.3.1.5) less the code,
/// the enhanced code and CRLF, with some room.
const LINE_TEXT: usize = 480;

/// The most lines of one reply; further lines are dropped.
const MAX_LINES: usize = 100;

/// Reason why a reply or an enhanced code cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The code is out of range.
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
        /// The enhanced code of another class.
        enhanced: EnhancedCode,
    },
}

/// An enhanced mail system status code, `class.subject.detail` (RFC 3463 section 2).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct EnhancedCode {
    class: u8,
    subject: u16,
    detail: u16,
}

impl EnhancedCode {
    /// Returns the class: 2 success, 4 transient failure, 5 permanent failure.
    pub fn class(self) -> u8 {
        self.class
    }

    /// Returns the subject, 0 to 999: 1 address, 2 mailbox, 3 mail system, 4 network, 5 protocol,
    /// 6 content, 7 security or policy.
    pub fn subject(self) -> u16 {
        self.subject
    }

    /// Returns the detail, the condition within the subject, 0 to 999.
    pub fn detail(self) -> u16 {
        self.detail
    }

    /// Returns the same condition as a transient failure.
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
/// As JSON: `{"code": 550, "enhanced": "5.7.1", "lines": ["…"]}`; reading refuses what breaks the
/// rules above.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "Parts")]
pub struct Reply {
    code: u16,
    enhanced: Option<EnhancedCode>,
    lines: Vec<String>,
}

#[derive(Deserialize, schemars::JsonSchema)]
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
    /// Creates a reply whose codes are literals in the source.
    ///
    /// # Panics
    /// If the codes are malformed or contradict each other, which is a mistake in the source. Use
    /// [`Reply::checked`] for codes from elsewhere. The text may be anything.
    pub fn new(code: u16, enhanced: &'static str, text: impl AsRef<str>) -> Self {
        let made = enhanced
            .parse()
            .and_then(|enhanced| Self::checked(code, Some(enhanced), text.as_ref()));
        match made {
            Ok(reply) => reply,
            Err(error) => panic!("{error}"),
        }
    }

    /// Creates a reply whose codes come from a policy, a file or another server. Each line of
    /// `text` becomes a line of the reply; control characters become spaces, and long lines are
    /// wrapped.
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

    /// Creates a reply without an enhanced code: banner, EHLO, 354 and 334 (RFC 2034 section 4).
    pub(crate) fn plain(code: u16, text: &str) -> Self {
        Self {
            code,
            enhanced: None,
            lines: lines_of(text),
        }
    }

    /// Reads the last of the replies that a [session](crate::server::Session) sent together; `None` for
    /// octets that are none.
    pub fn last_of(sent: &[u8]) -> Option<Self> {
        let sent = str::from_utf8(sent).ok()?;
        let ends = |line: &&str| line.get(3..4) == Some(" ");
        let lines: Vec<&str> = sent.lines().collect();
        let (last, before) = lines.split_last()?;
        let start = before.iter().rposition(ends).map_or(0, |end| end + 1);
        let code = last.get(..3)?.parse().ok()?;
        let text = |line: &&str| line.get(4..).unwrap_or_default().to_owned();
        let mut texts: Vec<String> = lines[start..].iter().map(text).collect();
        let enhanced = texts[0].split(' ').next()?.parse().ok();
        if let Some(enhanced) = &enhanced {
            let prefix = format!("{enhanced} ");
            for text in &mut texts {
                *text = text.strip_prefix(&prefix).unwrap_or(text).to_owned();
            }
        }
        Self::checked(code, enhanced, &texts.join("\n")).ok()
    }

    /// Returns the basic code, 200 to 599.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// Returns the enhanced code, if there is one.
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        self.enhanced
    }

    /// Returns the lines of text, without codes; at least one.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Returns the text in one line.
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// Returns the same codes with another text.
    #[must_use]
    pub fn with_text(mut self, text: impl AsRef<str>) -> Self {
        self.lines = lines_of(text.as_ref());
        self
    }

    /// Returns the reply with a label in parentheses at its end, such as the id of a transaction,
    /// which a sender can quote to the postmaster.
    #[must_use]
    pub fn labelled(self, label: impl Display) -> Self {
        let text = format!("{} ({label})", self.lines.join("\n"));
        self.with_text(text)
    }

    /// Returns the same text with another basic code, without an enhanced code of another class.
    pub(crate) fn with_code(&self, code: u16) -> Self {
        let enhanced = self.enhanced.filter(|e| u16::from(e.class) == code / 100);
        Self {
            code,
            enhanced,
            lines: self.lines.clone(),
        }
    }

    /// Returns the reply as an answer to RCPT: 552 there means 452, too many recipients or too much
    /// stored, and clients treat it as temporary (RFC 5321 section 4.5.3.1.10). The text is kept.
    /// If the enhanced code says that the message is too large (RFC 3463, X.2.3 and X.3.4), the
    /// reply stays permanent.
    pub(crate) fn into_rcpt_reply(mut self) -> Self {
        let too_large = |code: EnhancedCode| matches!((code.subject, code.detail), (2, 3) | (3, 4));
        if self.code == 552 && !self.enhanced.is_some_and(too_large) {
            self.code = 452;
            self.enhanced = self.enhanced.map(EnhancedCode::transient);
        }
        self
    }

    /// Returns true if the server accepts no more recipients in this transaction, but may accept
    /// this one in the next: 452, unless it is about the recipient's own mailbox (RFC 3463 section
    /// 3.3).
    pub fn wants_another_transaction(&self) -> bool {
        let of_the_mailbox = self
            .enhanced
            .is_some_and(|enhanced| enhanced.subject() == 2);
        self.code == 452 && !of_the_mailbox
    }

    /// Returns true for 2xx.
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// Returns true for 3xx.
    pub fn is_intermediate(&self) -> bool {
        self.code / 100 == 3
    }

    /// Returns true for 4xx.
    pub fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    /// Returns true for 5xx.
    pub fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// Returns true for 4xx and 5xx.
    pub fn is_negative(&self) -> bool {
        self.is_transient() || self.is_permanent()
    }

    /// Appends the reply in its form on the wire, CRLF included. Each line has the enhanced code
    /// (RFC 2034 section 3). Characters outside ASCII, which only SMTPUTF8 allows, become `?`.
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

/// Writes the reply in one line, such as `550 5.7.1 text`, for logs and reports.
impl Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, "{enhanced} ")?;
        }
        f.write_str(&self.text())
    }
}

/// Returns true if the text of a transient reply says that the server greylists (RFC 6647). The
/// words are those of servers in common use.
pub fn tells_of_greylisting(text: &str) -> bool {
    let text = text.to_lowercase();
    let words = ["greylist", "graylist", "grey list", "gray list", "postgrey"];
    words.iter().any(|word| text.contains(word))
}

/// Cuts a text into lines fit for a reply; always at least one.
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
