//! Replies as a script words them.

use serde::Deserialize;

/// Reply of a server, one line or more, as it goes over the wire.
///
/// Unlike that of `gatepost-smtp`, it may say whatever a real server says: an enhanced code of
/// another class, or none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct WireReply {
    code: u16,
    lines: Vec<String>,
}

/// Reason why a text is not a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a reply: write a code of three digits in each line, such as `450 4.2.0 text`"
)]
pub(crate) struct NoReply(String);

impl TryFrom<String> for WireReply {
    type Error = NoReply;

    fn try_from(text: String) -> Result<Self, NoReply> {
        Self::parse(&text).ok_or(NoReply(text))
    }
}

impl WireReply {
    /// Makes a reply of a text in the source, whose first line has the code.
    pub(crate) fn of(code: u16, text: &str) -> Self {
        let lines = text.lines().map(str::to_owned).collect();
        Self { code, lines }
    }

    /// Reads `code text` or `code-text` in each line; all lines have the same code.
    fn parse(text: &str) -> Option<Self> {
        let mut code = None;
        let mut lines = Vec::new();
        for line in text.lines() {
            let (digits, rest) = line.split_at_checked(3)?;
            let of_line: u16 = digits.parse().ok().filter(|c| (200..600).contains(c))?;
            let rest = match rest.split_at_checked(1) {
                Some((" " | "-", rest)) => rest,
                None => "",
                Some(_) => return None,
            };
            if *code.get_or_insert(of_line) != of_line || rest.contains(char::is_control) {
                return None;
            }
            lines.push(rest.to_owned());
        }
        Some(Self { code: code?, lines })
    }

    /// Returns the code.
    pub(crate) fn code(&self) -> u16 {
        self.code
    }

    /// Returns true for 2xx and 3xx.
    pub(crate) fn proceeds(&self) -> bool {
        self.code < 400
    }

    /// Returns the lines for the wire, without line ends.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let last = self.lines.len().saturating_sub(1);
        self.lines.iter().enumerate().map(move |(at, line)| {
            let separator = if at == last { ' ' } else { '-' };
            format!("{}{separator}{line}", self.code)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_reply_get_their_separators() {
        let reply = WireReply::parse("550 5.7.1 one\n550 5.7.1 two").unwrap();
        let lines: Vec<_> = reply.lines().collect();
        assert_eq!(lines, ["550-5.7.1 one", "550 5.7.1 two"]);
        assert_eq!(WireReply::parse("250"), Some(WireReply::of(250, "\n")));
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        for text in [
            "",
            "55 x",
            "5500 x",
            "199 x",
            "600 x",
            "550 a\n551 b",
            "550 a\rb",
        ] {
            assert_eq!(WireReply::parse(text), None, "{text:?}");
        }
    }
}
