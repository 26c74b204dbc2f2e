//! Reads replies from the input (RFC 5321 section 4.2).
//!
//! Not read by smtp-proto's receiver, which accepts lines of differing codes as one reply and any
//! three digits as a code; see docs/decisions/0001-command-grammar.md.

use bytes::BytesMut;
use memchr::memchr;

use crate::reply::{EnhancedCode, Reply};

/// The most octets of one reply, over all its lines. RFC 5321 section 4.5.3.1.5 allows 512 for a
/// line; some servers send more.
const MAX_REPLY: usize = 32 * 1024;

/// Reader of replies, with the reply that has come in part.
#[derive(Debug, Default)]
pub(super) struct ReplyReader {
    /// Octets of the input that hold no line end.
    scanned: usize,
    /// Octets of the reply so far.
    size: usize,
    partial: Option<PartialReply>,
}

#[derive(Debug)]
struct PartialReply {
    code: u16,
    enhanced: Option<EnhancedCode>,
    text: String,
}

impl ReplyReader {
    /// Removes the next reply from the input and returns it, if it is there whole.
    ///
    /// # Errors
    /// If the reply is malformed: a description. Nothing that follows can then be trusted.
    pub(super) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Reply>, String> {
        while let Some(found) = memchr(b'\n', &input[self.scanned..]) {
            let line = input.split_to(self.scanned + found + 1);
            self.scanned = 0;
            self.size += line.len();
            if self.size > MAX_REPLY {
                return Err(too_long());
            }
            // RFC 5321 section 2.3.8 binds servers to CRLF. Some end their replies with a bare LF
            // all the same; a client that does not understand such a reply to the end of data
            // delivers the same message again at every attempt.
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if self.line(line)? {
                self.size = 0;
                let whole = self
                    .partial
                    .take()
                    .map(|partial| Reply::checked(partial.code, partial.enhanced, &partial.text));
                return whole.transpose().map_err(|error| error.to_string());
            }
        }
        self.scanned = input.len();
        if self.size + input.len() > MAX_REPLY {
            return Err(too_long());
        }
        Ok(None)
    }

    /// Reads one line of a reply. Returns true if it was the last.
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
        let (enhanced, text) = split_enhanced(code, &text);
        match &mut self.partial {
            None => {
                self.partial = Some(PartialReply {
                    code,
                    enhanced,
                    text: text.to_owned(),
                })
            }
            Some(partial) if partial.code != code => {
                return Err(format!(
                    "lines of one reply differ: {} and {code}",
                    partial.code
                ));
            }
            Some(partial) => {
                partial.text.push('\n');
                partial.text.push_str(text);
            }
        }
        Ok(last)
    }
}

/// Splits off the enhanced code of a line, if it begins with one of the reply's class.
fn split_enhanced(code: u16, text: &str) -> (Option<EnhancedCode>, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word.parse::<EnhancedCode>() {
        Ok(enhanced) if u16::from(enhanced.class()) == code / 100 => (Some(enhanced), rest),
        _ => (None, text),
    }
}

/// Returns the start of a server's line, escaped for a log.
fn excerpt(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..line.len().min(60)])
        .escape_debug()
        .collect()
}

fn too_long() -> String {
    format!("reply is longer than {MAX_REPLY} octets")
}
