//! Lexer: words, and the signs between them (RFC 5322 section 3.2).
//!
//! Each character is read a bounded number of times: once a quote, comment or encoded word is known
//! not to close, the lexer does not search for its end again.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::Doubt;

/// Rules in which readers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// True if comments nest (RFC 5322 section 3.2.2).
    pub(crate) nested: bool,
    /// True if a backslash quotes the next character (RFC 5322 section 3.2.1).
    pub(crate) escapes: bool,
}

impl Default for Dialect {
    /// Returns the rules of RFC 5322.
    fn default() -> Self {
        Self {
            nested: true,
            escapes: true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Space,
    Comment,
    Quoted,
    /// Address literal in square brackets after an `@`.
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
    pub(crate) kind: TokenKind,
    /// Text as it is written, with its quotes or brackets.
    pub(crate) text: &'t str,
}

impl<'t> Token<'t> {
    pub(crate) fn is_gap(&self) -> bool {
        matches!(self.kind, TokenKind::Space | TokenKind::Comment)
    }

    pub(crate) fn is_word(&self) -> bool {
        matches!(
            self.kind,
            TokenKind::Quoted | TokenKind::EncodedWord | TokenKind::Atom | TokenKind::Literal
        )
    }

    /// Returns the text between its quotes or parentheses.
    pub(crate) fn inner(&self) -> &'t str {
        match self.kind {
            TokenKind::Quoted | TokenKind::Comment => &self.text[1..self.text.len() - 1],
            _ => self.text,
        }
    }
}

/// Tokens of a field.
#[derive(Debug, Default)]
pub(crate) struct Tokens<'t> {
    pub(crate) list: Vec<Token<'t>>,
    pub(crate) doubt: Option<Doubt>,
    /// True if a comment holds another.
    pub(crate) has_nested: bool,
    /// True if a comment or quoted string holds a backslash.
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
    /// Kind of the last token other than gaps.
    last_solid: Option<TokenKind>,
    /// Position before which no encoded word that ends can begin.
    no_word_end_before: usize,
}

impl<'t> Lexer<'t> {
    /// Reads the token at `at`; returns the position after it.
    fn token(&mut self, at: usize, first: char) -> usize {
        let sign = at + first.len_utf8();
        match first {
            ' ' | '\t' => self.push(TokenKind::Space, at, sign),
            '\r' | '\n' => self.line_end(at),
            '(' => match self.comment(at) {
                Some(end) => self.push(TokenKind::Comment, at, end),
                None => self.odd(Doubt::Unbalanced, at, sign),
            },
            ')' => self.odd(Doubt::Unbalanced, at, sign),
            '"' => match self.quoted(at) {
                Some(end) => self.push(TokenKind::Quoted, at, end),
                None => self.odd(Doubt::Unbalanced, at, sign),
            },
            '[' => match self.literal(at) {
                Some(end) => self.push(TokenKind::Literal, at, end),
                None => self.push(TokenKind::Atom, at, sign),
            },
            '<' => self.push(TokenKind::Open, at, sign),
            '>' => self.push(TokenKind::Close, at, sign),
            ',' => self.push(TokenKind::Comma, at, sign),
            ';' => self.push(TokenKind::Semicolon, at, sign),
            ':' => self.push(TokenKind::Colon, at, sign),
            '@' => self.push(TokenKind::At, at, sign),
            '.' => self.push(TokenKind::Dot, at, sign),
            '\\' => {
                self.doubt(Doubt::Malformed);
                self.push(TokenKind::Atom, at, sign)
            }
            _ if is_control(first) => self.odd(Doubt::Control, at, sign),
            // Some readers take all white space of Unicode for a space, others only US-ASCII's.
            _ if first.is_whitespace() => self.odd(Doubt::Obsolete, at, sign),
            _ => match self.encoded_word(at) {
                Some(end) => self.push(TokenKind::EncodedWord, at, end),
                None => {
                    let rest = &self.text[at..];
                    let length = rest.find(|c| !is_atext(c)).unwrap_or(rest.len());
                    self.push(TokenKind::Atom, at, at + length.max(first.len_utf8()))
                }
            },
        }
    }

    fn push(&mut self, kind: TokenKind, from: usize, to: usize) -> usize {
        if !matches!(kind, TokenKind::Space | TokenKind::Comment) {
            self.last_solid = Some(kind);
        }
        let text = &self.text[from..to];
        self.tokens.list.push(Token { kind, text });
        to
    }

    /// Adds a character that readers take for different things, or skip, as a gap with a doubt.
    fn odd(&mut self, doubt: Doubt, from: usize, to: usize) -> usize {
        self.doubt(doubt);
        self.push(TokenKind::Space, from, to)
    }

    fn doubt(&mut self, doubt: Doubt) {
        self.tokens.doubt = self.tokens.doubt.or(Some(doubt));
    }

    /// Reads a fold (RFC 5322 section 2.2.3) or the line end of the field; any other is a doubt.
    fn line_end(&mut self, at: usize) -> usize {
        let rest = &self.text[at..];
        let length = match rest.strip_prefix("\r\n") {
            Some(_) => 2,
            None => 1,
        };
        let behind = &rest[length..];
        let is_fold = behind.starts_with([' ', '\t']) || behind.is_empty();
        match is_fold && (length == 2 || rest.starts_with('\n')) {
            true => self.push(TokenKind::Space, at, at + length),
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

    /// Returns the end of an address literal (RFC 5322 section 3.4.1). Elsewhere than after `@`, a
    /// bracket is an ordinary character.
    fn literal(&mut self, at: usize) -> Option<usize> {
        if self.last_solid != Some(TokenKind::At) {
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

    /// Returns the end of an encoded word (RFC 2047 section 2), which may hold characters that an
    /// atom may not.
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
        // Readers that parse addresses before they decode see these signs, not a word. Commas,
        // colons and semicolons, which sloppy senders do not encode, change no address.
        let content = &self.text[begin..end - 2];
        if content.contains(['@', '<', '>', '"', '(', ')', '\\']) {
            self.doubt(Doubt::EncodedWord);
        }
        Some(end)
    }
}

/// Returns true for characters of an atom. These are more than RFC 5322 section 3.2.3 allows, since
/// readers are tolerant.
fn is_atext(c: char) -> bool {
    !is_control(c) && !c.is_whitespace() && !"()<>[]:;@\\,.\"".contains(c)
}

/// Returns true for characters of a `token` (RFC 2047 section 2).
fn is_token(c: char) -> bool {
    c.is_ascii_graphic() && !"()<>@,;:\"/[]?.=".contains(c)
}

/// Returns true for C0, with line ends and tabs, for DEL and for C1.
pub(crate) fn is_control(c: char) -> bool {
    c.is_control()
}

/// Returns true for control octets in quotes and comments, where folds are usual and octets of C1
/// are parts of other characters.
fn is_control_octet(octet: u8) -> bool {
    octet.is_ascii_control() && !matches!(octet, b'\t' | b'\r' | b'\n')
}
