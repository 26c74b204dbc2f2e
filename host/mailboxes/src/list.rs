//! Tolerant parser of the list of mailboxes and groups (RFC 5322 sections 3.4 and 4.4).

use crate::token::{Token, TokenKind, Tokens};
use crate::{AddrSpec, Doubt, ListedMailbox, domain};

/// Mailboxes of a field, and the first doubt.
#[derive(Debug, Default)]
pub(crate) struct List {
    pub(crate) mailboxes: Vec<ListedMailbox>,
    pub(crate) doubt: Option<Doubt>,
}

impl List {
    pub(crate) fn addresses(&self) -> impl Iterator<Item = &AddrSpec> {
        let mailboxes = self.mailboxes.iter();
        mailboxes.filter_map(|mailbox| mailbox.address.as_ref())
    }
}

pub(crate) fn read(tokens: &Tokens<'_>) -> List {
    let mut parser = Parser {
        list: List {
            doubt: tokens.doubt,
            ..List::default()
        },
        entry: Entry::default(),
        in_group: false,
    };
    for token in &tokens.list {
        parser.token(*token);
    }
    parser.finish()
}

/// Tokens of the current entry.
#[derive(Default)]
struct Entry<'t> {
    /// Tokens outside angle brackets.
    bare: Vec<Token<'t>>,
    /// Tokens between angle brackets that are still open.
    open: Option<Vec<Token<'t>>>,
    /// Tokens between each pair of angle brackets.
    angles: Vec<Vec<Token<'t>>>,
}

struct Parser<'t> {
    list: List,
    entry: Entry<'t>,
    in_group: bool,
}

impl<'t> Parser<'t> {
    fn doubt(&mut self, doubt: Doubt) {
        self.list.doubt = self.list.doubt.or(Some(doubt));
    }

    fn token(&mut self, token: Token<'t>) {
        match (token.kind, &mut self.entry.open) {
            (TokenKind::Open, _) => {
                self.close(Doubt::Unbalanced);
                if !self.entry.angles.is_empty() {
                    self.doubt(Doubt::SeveralInOne);
                }
                self.entry.open = Some(Vec::new());
            }
            (TokenKind::Close, None) => self.doubt(Doubt::Unbalanced),
            (TokenKind::Close, open) => self.entry.angles.extend(open.take()),
            // A route has commas and a colon (RFC 5322 section 4.4, `obs-route`).
            (TokenKind::Colon, Some(open)) => open.push(token),
            (TokenKind::Comma, Some(open)) if begins_route(open) => open.push(token),
            (TokenKind::Comma, _) => self.end_entry(),
            (TokenKind::Semicolon, _) => {
                self.end_entry();
                if !std::mem::take(&mut self.in_group) {
                    self.doubt(Doubt::Separator);
                }
            }
            (TokenKind::Colon, None) => self.begin_group(),
            (_, Some(open)) => open.push(token),
            (_, None) => {
                if !token.is_gap() && !self.entry.angles.is_empty() {
                    self.doubt(Doubt::SeveralInOne);
                }
                self.entry.bare.push(token);
            }
        }
    }

    fn finish(mut self) -> List {
        self.end_entry();
        if self.in_group {
            self.doubt(Doubt::Separator);
        }
        self.list
    }

    fn begin_group(&mut self) {
        let is_name =
            |token: &Token<'_>| token.is_gap() || token.is_word() || token.kind == TokenKind::Dot;
        let is_plain = self.entry.angles.is_empty()
            && self.entry.bare.iter().any(Token::is_word)
            && self.entry.bare.iter().all(is_name);
        match is_plain && !self.in_group {
            true => self.entry = Entry::default(),
            // Some readers take the colon for a separator, others skip it.
            false => {
                self.doubt(Doubt::Separator);
                self.end_entry();
            }
        }
        self.in_group = true;
    }

    /// Closes an angle bracket that is still open, which is a doubt.
    fn close(&mut self, doubt: Doubt) {
        if let Some(open) = self.entry.open.take() {
            self.doubt(doubt);
            self.entry.angles.push(open);
        }
    }

    fn end_entry(&mut self) {
        self.close(Doubt::Unbalanced);
        let Entry { bare, angles, .. } = std::mem::take(&mut self.entry);
        let mut found = Vec::new();
        let mut doubt = None;
        match angles.is_empty() {
            true => doubt = address(&bare, &mut found),
            false => {
                for angle in &angles {
                    let (route, rest) = split_route(angle);
                    let of_route = (!route.is_empty()).then_some(Doubt::Obsolete);
                    doubt = doubt.or(of_route).or(address(rest, &mut found));
                    // A comment within angle brackets is obsolete syntax.
                    let is_word_alone = rest.iter().all(|token| token.kind != TokenKind::Comment);
                    doubt = doubt.or((!is_word_alone).then_some(Doubt::Obsolete));
                }
                doubt = doubt.or(names_another(&bare, &found).then_some(Doubt::SeveralInOne));
            }
        }
        // RFC 5322 section 4.4 allows empty entries between commas.
        if angles.is_empty() && bare.iter().all(Token::is_gap) {
            return;
        }
        if let Some(doubt) = doubt {
            self.doubt(doubt);
        }
        let name = match (angles.is_empty(), found.is_empty()) {
            (true, false) => last_comment(&bare),
            _ => phrase(&bare),
        };
        if found.is_empty() {
            self.doubt(Doubt::NoAddress);
            self.list.mailboxes.push(ListedMailbox {
                name,
                address: None,
                unqualified: angles
                    .first()
                    .map(|angle| phrase(angle))
                    .unwrap_or_default(),
            });
            return;
        }
        if found.len() > 1 {
            self.doubt(Doubt::SeveralInOne);
        }
        // The first address gets the name: a copy for each would take memory that grows with the
        // square of the field's length.
        let mut name = name;
        for address in found {
            self.list.mailboxes.push(ListedMailbox {
                name: std::mem::take(&mut name),
                address: Some(address),
                unqualified: String::new(),
            });
        }
    }
}

/// Returns true if an unquoted address of another domain stands in place of the name before angle
/// brackets: some readers take the first address for the mailbox.
fn names_another(bare: &[Token<'_>], found: &[AddrSpec]) -> bool {
    let mut named = Vec::new();
    address(bare, &mut named);
    let is_of_found = |named: &AddrSpec| found.iter().any(|one| one.domain == named.domain);
    !named.iter().all(is_of_found)
}

/// Returns true if the text in angle brackets begins like a route (RFC 5322 section 4.4,
/// `obs-domain-list`).
fn begins_route(tokens: &[Token<'_>]) -> bool {
    let first = tokens.iter().find(|token| !token.is_gap());
    first.is_none_or(|token| matches!(token.kind, TokenKind::At | TokenKind::Comma))
}

/// Splits off a route with its colon.
fn split_route<'a, 't>(tokens: &'a [Token<'t>]) -> (&'a [Token<'t>], &'a [Token<'t>]) {
    let colon = tokens
        .iter()
        .rposition(|token| token.kind == TokenKind::Colon);
    tokens.split_at(colon.map_or(0, |colon| colon + 1))
}

/// Finds one or several addresses; returns the first deviation from a single `addr-spec` (RFC 5322
/// section 3.4.1).
fn address(tokens: &[Token<'_>], found: &mut Vec<AddrSpec>) -> Option<Doubt> {
    let mut doubt = None;
    // Range of the tokens of the last address.
    let mut span = (0, 0);
    let ats = tokens.iter().enumerate();
    for (at, _) in ats.filter(|(_, token)| token.kind == TokenKind::At) {
        let (before, behind) = tokens.split_at(at);
        let behind = &behind[1..];
        let local = run(before.iter().rev());
        let of = run(behind.iter());
        span = (at - local.length, at + 1 + of.length);
        let (begin, end) = span;
        let written: String = without_gaps(&tokens[begin..at]);
        let domain_written = match behind.get(..of.length) {
            Some(tokens) => without_gaps(tokens),
            None => String::new(),
        };
        doubt = doubt
            .or((local.has_gaps || of.has_gaps).then_some(Doubt::Obsolete))
            .or(malformed(&tokens[begin..at], &tokens[at + 1..end]));
        let of_literal = tokens[at + 1..end]
            .iter()
            .any(|token| token.kind == TokenKind::Literal);
        let domain = match of_literal {
            true => Some(domain_written.to_ascii_lowercase()),
            false => domain::normalised(&domain_written.replace(['"', '\\'], "")),
        };
        match domain {
            Some(domain) => found.push(AddrSpec {
                local: written,
                domain,
            }),
            None => doubt = doubt.or(Some(Doubt::Malformed)),
        }
    }
    let (begin, end) = span;
    let rest = tokens[..begin].iter().chain(&tokens[end..]);
    let alone = rest.into_iter().all(|token| token.is_gap());
    match (found.is_empty(), alone) {
        (false, false) => doubt.or(Some(Doubt::SeveralInOne)),
        _ => doubt,
    }
}

/// Part of an address on one side of its `@`.
#[derive(Default)]
struct Run {
    /// Number of tokens.
    length: usize,
    /// True if there is white space, or a comment, inside.
    has_gaps: bool,
}

/// Returns the words and dots next to the `@`; gaps may stand beside the dots and the `@`.
fn run<'a, 't: 'a>(tokens: impl Iterator<Item = &'a Token<'t>>) -> Run {
    let mut run = Run::default();
    let mut gap = false;
    // A gap next to the `@` does not separate words.
    let mut joins = true;
    for (place, token) in tokens.enumerate() {
        if token.is_gap() {
            gap = true;
            continue;
        }
        let is_dot = token.kind == TokenKind::Dot;
        if !(is_dot || token.is_word()) || gap && !joins && !is_dot {
            break;
        }
        run.has_gaps |= gap;
        run.length = place + 1;
        gap = false;
        joins = is_dot;
    }
    run
}

fn without_gaps(tokens: &[Token<'_>]) -> String {
    let solid = tokens.iter().filter(|token| !token.is_gap());
    solid.map(|token| token.text).collect()
}

/// Returns the first deviation of local part and domain from `dot-atom`, `quoted-string` and
/// `domain-literal`.
fn malformed(local: &[Token<'_>], domain: &[Token<'_>]) -> Option<Doubt> {
    let kinds =
        |tokens: &[Token<'_>], kind: TokenKind| tokens.iter().any(|token| token.kind == kind);
    let encoded = |tokens: &[Token<'_>]| {
        kinds(tokens, TokenKind::EncodedWord)
            || tokens.iter().any(|token| token.text.contains("=?"))
    };
    if encoded(local) || encoded(domain) {
        return Some(Doubt::EncodedWord);
    }
    if kinds(domain, TokenKind::Quoted) {
        return Some(Doubt::Obsolete);
    }
    // A quoted string must be the whole local part, or readers differ about where it begins.
    let is_local = !local.is_empty()
        && (local.len() == 1 || !kinds(local, TokenKind::Quoted))
        && !local.iter().any(|token| token.text.starts_with(['[', ']']));
    let is_domain = match domain {
        [] => false,
        [one] if one.kind == TokenKind::Literal => true,
        [first, .., last] if first.kind == TokenKind::Dot || last.kind == TokenKind::Dot => false,
        _ => domain.iter().all(|token| domain::is_plain(token.text)),
    };
    (!(is_local && is_domain)).then_some(Doubt::Malformed)
}

/// Returns the words of a display name, unquoted.
fn phrase(tokens: &[Token<'_>]) -> String {
    let mut name = String::new();
    let mut gap = false;
    for token in tokens {
        if token.is_gap() {
            gap = true;
            continue;
        }
        if std::mem::take(&mut gap) && !name.is_empty() {
            name.push(' ');
        }
        match token.kind {
            TokenKind::Quoted => unescape(token.inner(), &mut name),
            _ => name.push_str(token.text),
        }
    }
    name
}

/// Returns the text of the last comment: the name in the style of RFC 822, `ann@x.example (Ann)`.
fn last_comment(tokens: &[Token<'_>]) -> String {
    let mut name = String::new();
    let comment = tokens
        .iter()
        .rfind(|token| token.kind == TokenKind::Comment);
    if let Some(comment) = comment {
        unescape(comment.inner().trim(), &mut name);
    }
    name
}

/// Appends the text without the backslashes of `quoted-pair`s and without line ends.
fn unescape(text: &str, into: &mut String) {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => into.extend(characters.next()),
            '\r' | '\n' => {}
            other => into.push(other),
        }
    }
}
