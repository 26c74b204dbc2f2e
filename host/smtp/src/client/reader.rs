//! Puts replies together out of what came in (RFC 5321 section 4.2).
//!
//! By hand and not with smtp-proto's receiver, which takes lines of differing codes for one reply
//! and any three digits for a code; see docs/decisions/0001-command-grammar.md.

use bytes::BytesMut;
use memchr::memchr;

use crate::reply::{EnhancedCode, Reply};

/// The most octets of one reply, over all its lines. RFC 5321 section 4.5.3.1.5 allows 512 for a
/// line; servers go beyond.
const MAX_REPLY: usize = 32 * 1024;

/// A reply, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct ReplyReader {
    /// Octets of the input that hold no line end.
    scanned: usize,
    /// Octets of the reply so far.
    size: usize,
    begun: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    code: u16,
    enhanced: Option<EnhancedCode>,
    text: String,
}

impl ReplyReader {
    /// Takes the next reply off the input, if it is all there.
    ///
    /// # Errors
    /// What is wrong with it, in words; nothing that follows can then be trusted.
    pub(super) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Reply>, String> {
        while let Some(found) = memchr(b'\n', &input[self.scanned..]) {
            let line = input.split_to(self.scanned + found + 1);
            self.scanned = 0;
            self.size += line.len();
            if self.size > MAX_REPLY {
                return Err(too_long());
            }
            // RFC 5321 section 2.3.8 binds servers to CRLF. Some end their replies with a bare LF
            // all the same, and a client that will not read one behind the dot delivers the same
            // message again at every attempt.
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if self.line(line)? {
                self.size = 0;
                let whole = self
                    .begun
                    .take()
                    .map(|begun| Reply::checked(begun.code, begun.enhanced, &begun.text));
                return whole.transpose().map_err(|error| error.to_string());
            }
        }
        self.scanned = input.len();
        if self.size + input.len() > MAX_REPLY {
            return Err(too_long());
        }
        Ok(None)
    }

    /// Takes one line; whether it was the last.
    fn line(&mut self, line: &[u8]) -> Result<bool, String> {
        let malformed = || format!("`{}` is no reply line", excerpt(line));
        let (digits, rest) = line.split_at_checked(3).ok_or_else(malformed)?;
        if !matches!(digits[0], b'2'..=b'5') || !digits.iter().all(u8::is_ascii_digit) {
            return Err(malformed());
        }
        let code = digits
            .iter()
            .fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        let (last, text) = match rest {
            [] => (true, rest),
            [b' ', text @ ..] => (true, text),
            [b'-', text @ ..] => (false, text),
            _ => return Err(malformed()),
        };
        let text = String::from_utf8_lossy(text);
        let (enhanced, text) = take_enhanced(code, &text);
        match &mut self.begun {
            None => {
                self.begun = Some(Begun {
                    code,
                    enhanced,
                    text: text.to_owned(),
                })
            }
            Some(begun) if begun.code != code => {
                return Err(format!(
                    "lines of one reply differ: {} and {code}",
                    begun.code
                ));
            }
            Some(begun) => {
                begun.text.push('\n');
                begun.text.push_str(text);
            }
        }
        Ok(last)
    }
}

/// Takes the enhanced code off a line, if it begins with one of the reply's class.
fn take_enhanced(code: u16, text: &str) -> (Option<EnhancedCode>, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word.parse::<EnhancedCode>() {
        Ok(enhanced) if u16::from(enhanced.class()) == code / 100 => (Some(enhanced), rest),
        _ => (None, text),
    }
}

/// The start of what a server said, fit for a log.
fn excerpt(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..line.len().min(60)])
        .escape_debug()
        .collect()
}

fn too_long() -> String {
    format!("reply is longer than {MAX_REPLY} octets")
}
