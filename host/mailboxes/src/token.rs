//! Tokens: words, and the signs between them (RFC 5322 section 3.2).
//!
//! Each character is looked at a fixed number of times: what opens and is found never to close is
//! not looked for again.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::Doubt;

/// Rules in which readers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Comments nest (RFC 5322 section 3.2.2).
    pub(crate) nested: bool,
    /// A backslash takes the next character's meaning (RFC 5322 section 3.2.1).
    pub(crate) escapes: bool,
}

impl Default for Dialect {
    /// That of RFC 5322.
    fn default() -> Self {
        Self {
            nested: true,
            escapes: true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Space,
    Comment,
    Quoted,
    /// Square brackets behind an `@`.
    Literal,
    EncodedWord,
    Atom,
    Dot,
    At,
    Open,
    Close,
    Comma,
    Semicolon,
    Colon,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind,
    /// As it is written, with its quotes or brackets.
    pub(crate) text: &'t str,
}

impl<'t> Token<'t> {
    pub(crate) fn is_gap(&self) -> bool {
        matches!(self.kind, Kind::Space | Kind::Comment)
    }

    pub(crate) fn is_word(&self) -> bool {
        matches!(
            self.kind,
            Kind::Quoted | Kind::EncodedWord | Kind::Atom | Kind::Literal
        )
    }

    /// What stands between its quotes or parentheses.
    pub(crate) fn inner(&self) -> &'t str {
        match self.kind {
            Kind::Quoted | Kind::Comment => &self.text[1..self.text.len() - 1],
            _ => self.text,
        }
    }
}

/// A field in tokens.
#[derive(Debug, Default)]
pub(crate) struct Tokens<'t> {
    pub(crate) list: Vec<Token<'t>>,
    pub(crate) doubt: Option<Doubt>,
    /// A comment has one inside.
    pub(crate) has_nested: bool,
    /// A comment or quoted string has a backslash inside.
    pub(crate) has_escape: bool,
}

pub(crate) fn tokens(text: &str, dialect: Dialect) -> Tokens<'_> {
    let mut lexer = Lexer {
        text,
        dialect,
        tokens: Tokens::default(),
        unclosed_quote: false,
        unclosed_comment: false,
        last_solid: None,
        no_word_end_before: 0,
    };
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        at = lexer.token(at, first);
    }
    lexer.tokens
}

struct Lexer<'t> {
    text: &'t str,
    dialect: Dialect,
    tokens: Tokens<'t>,
    unclosed_quote: bool,
    unclosed_comment: bool,
    /// What came last, gaps apart.
    last_solid: Option<Kind>,
    /// No encoded word that begins before this ends.
    no_word_end_before: usize,
}

impl<'t> Lexer<'t> {
    /// Takes the token at `at`; gives the place behind it.
    fn token(&mut self, at: usize, first: char) -> usize {
        let sign = at + first.len_utf8();
        match first {
            ' ' | '\t' => self.push(Kind::Space, at, sign),
            '\r' | '\n' => self.line_end(at),
            '(' => match self.comment(at) {
                Some(end) => self.push(Kind::Comment, at, end),
                None => self.odd(Doubt::Unbalanced, at, sign),
            },
            ')' => self.odd(Doubt::Unbalanced, at, sign),
            '"' => match self.quoted(at) {
                Some(end) => self.push(Kind::Quoted, at, end),
                None => self.odd(Doubt::Unbalanced, at, sign),
            },
            '[' => match self.literal(at) {
                Some(end) => self.push(Kind::Literal, at, end),
                None => self.push(Kind::Atom, at, sign),
            },
            '<' => self.push(Kind::Open, at, sign),
            '>' => self.push(Kind::Close, at, sign),
            ',' => self.push(Kind::Comma, at, sign),
            ';' => self.push(Kind::Semicolon, at, sign),
            ':' => self.push(Kind::Colon, at, sign),
            '@' => self.push(Kind::At, at, sign),
            '.' => self.push(Kind::Dot, at, sign),
            '\\' => {
                self.doubt(Doubt::Malformed);
                self.push(Kind::Atom, at, sign)
            }
            _ if is_control(first) => self.odd(Doubt::Control, at, sign),
            // Some readers take every blank for a space, others none but that of US-ASCII.
            _ if first.is_whitespace() => self.odd(Doubt::Obsolete, at, sign),
            _ => match self.encoded_word(at) {
                Some(end) => self.push(Kind::EncodedWord, at, end),
                None => {
                    let rest = &self.text[at..];
                    let length = rest.find(|c| !is_atext(c)).unwrap_or(rest.len());
                    self.push(Kind::Atom, at, at + length.max(first.len_utf8()))
                }
            },
        }
    }

    fn push(&mut self, kind: Kind, from: usize, to: usize) -> usize {
        if !matches!(kind, Kind::Space | Kind::Comment) {
            self.last_solid = Some(kind);
        }
        let text = &self.text[from..to];
        self.tokens.list.push(Token { kind, text });
        to
    }

    /// A character that readers take for different things, or skip: a gap.
    fn odd(&mut self, doubt: Doubt, from: usize, to: usize) -> usize {
        self.doubt(doubt);
        self.push(Kind::Space, from, to)
    }

    fn doubt(&mut self, doubt: Doubt) {
        self.tokens.doubt = self.tokens.doubt.or(Some(doubt));
    }

    /// A fold (RFC 5322 section 2.2.3), or the end of the field.
    fn line_end(&mut self, at: usize) -> usize {
        let rest = &self.text[at..];
        let length = match rest.strip_prefix("\r\n") {
            Some(_) => 2,
            None => 1,
        };
        let behind = &rest[length..];
        let is_fold = behind.starts_with([' ', '\t']) || behind.is_empty();
        match is_fold && (length == 2 || rest.starts_with('\n')) {
            true => self.push(Kind::Space, at, at + length),
            false => self.odd(Doubt::Control, at, at + length),
        }
    }

    fn comment(&mut self, at: usize) -> Option<usize> {
        if self.unclosed_comment {
            return None;
        }
        let mut depth = 0u32;
        let mut control = false;
        let mut escaped = false;
        for (place, octet) in self.text.bytes().enumerate().skip(at) {
            if std::mem::take(&mut escaped) {
                continue;
            }
            match octet {
                b'\\' => {
                    self.tokens.has_escape = true;
                    escaped = self.dialect.escapes;
                }
                b'(' => {
                    self.tokens.has_nested |= depth > 0;
                    depth = match self.dialect.nested {
                        true => depth + 1,
                        false => 1,
                    };
                }
                b')' => depth -= 1,
                _ => control |= is_control_octet(octet),
            }
            if depth == 0 {
                self.doubt_control(control);
                return Some(place + 1);
            }
        }
        self.unclosed_comment = true;
        None
    }

    fn quoted(&mut self, at: usize) -> Option<usize> {
        if self.unclosed_quote {
            return None;
        }
        let mut control = false;
        let mut escaped = false;
        for (place, octet) in self.text.bytes().enumerate().skip(at + 1) {
            control |= is_control_octet(octet);
            if std::mem::take(&mut escaped) {
                continue;
            }
            match octet {
                b'\\' => {
                    self.tokens.has_escape = true;
                    escaped = self.dialect.escapes;
                }
                b'"' => {
                    self.doubt_control(control);
                    return Some(place + 1);
                }
                _ => {}
            }
        }
        self.unclosed_quote = true;
        None
    }

    fn doubt_control(&mut self, has_control: bool) {
        if has_control {
            self.doubt(Doubt::Control);
        }
    }

    /// An address literal (RFC 5322 section 3.4.1); in a display name, a bracket is a letter.
    fn literal(&mut self, at: usize) -> Option<usize> {
        if self.last_solid != Some(Kind::At) {
            return None;
        }
        let rest = &self.text[at + 1..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".:".contains(c)))?;
        let is_address = match rest.get(..5) {
            Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => {
                rest.get(5..end)?.parse::<Ipv6Addr>().is_ok()
            }
            _ => rest[..end].parse::<Ipv4Addr>().is_ok(),
        };
        (is_address && rest[end..].starts_with(']')).then_some(at + 1 + end + 1)
    }

    /// An encoded word (RFC 2047 section 2), which may hold what no atom does.
    fn encoded_word(&mut self, at: usize) -> Option<usize> {
        let rest = self.text[at..].strip_prefix("=?")?;
        if at < self.no_word_end_before {
            return None;
        }
        let charset = rest.find(|c: char| !is_token(c))?;
        let encoded = rest[charset..].strip_prefix('?')?;
        let encoded = encoded.strip_prefix(['q', 'Q', 'b', 'B'])?;
        let encoded = encoded.strip_prefix('?')?;
        let begin = self.text.len() - encoded.len();
        let blank = |c: char| c == ' ' || c == '\t' || is_control(c);
        let mut end = None;
        let mut last = '\0';
        let mut stop = self.text.len();
        for (place, c) in encoded.char_indices() {
            if blank(c) {
                stop = begin + place;
                break;
            }
            if last == '?' && c == '=' {
                end = Some(begin + place + 1);
                break;
            }
            last = c;
        }
        let Some(end) = end else {
            self.no_word_end_before = stop;
            return None;
        };
        // Readers that look for addresses first do not see a word, but these signs. Commas, colons
        // and semicolons, which sloppy senders leave as they are, change no address.
        let content = &self.text[begin..end - 2];
        if content.contains(['@', '<', '>', '"', '(', ')', '\\']) {
            self.doubt(Doubt::EncodedWord);
        }
        Some(end)
    }
}

/// What ends no atom. More than RFC 5322 section 3.2.3 allows: readers are generous.
fn is_atext(c: char) -> bool {
    !is_control(c) && !c.is_whitespace() && !"()<>[]:;@\\,.\"".contains(c)
}

/// RFC 2047 section 2, `token`.
fn is_token(c: char) -> bool {
    c.is_ascii_graphic() && !"()<>@,;:\"/[]?.=".contains(c)
}

/// A character without a picture, line ends and tabs among them: C0, DEL and C1.
pub(crate) fn is_control(c: char) -> bool {
    c.is_control()
}

/// The same of what may stand in quotes and comments, where folds are usual and a C1 character is
/// a part of another.
fn is_control_octet(octet: u8) -> bool {
    octet.is_ascii_control() && !matches!(octet, b'\t' | b'\r' | b'\n')
}
