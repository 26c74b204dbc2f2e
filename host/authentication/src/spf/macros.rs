//! The grammar of strings with macros (RFC 7208 section 7.1).

/// String with macros, parsed: `macro-string`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MacroString(pub(super) Vec<Piece>);

/// Parsed `macro-string` that ends like a domain name: with a top label or a macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DomainSpec(pub(super) MacroString);

/// Piece of a string with macros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Literal text, with `%%`, `%_` and `%-` already replaced.
    Text(String),
    /// Macro to expand.
    Macro(Macro),
}

/// Macro: `%{`, letter, transformers, delimiters, `}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Macro {
    pub(super) letter: Letter,
    /// True for an upper-case letter: the value is escaped as in a URL.
    pub(super) escape: bool,
    /// Number of parts that are kept, from the right; `None` for all.
    pub(super) keep: Option<usize>,
    pub(super) reverse: bool,
    /// Characters at which the value is split; a dot if none is given.
    pub(super) delimiters: Vec<u8>,
}

/// Letter of a macro, named by its value (section 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letter {
    Sender,
    Local,
    SenderDomain,
    Domain,
    Address,
    Validated,
    Family,
    Helo,
    /// Allowed in explanations only, as are the next two.
    Client,
    Receiver,
    Time,
}

/// Use of a string with macros, on which its grammar depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// Term of a record.
    Term,
    /// Text of an explanation. It may contain spaces (section 6.2), and `c`, `r`, `t` (section
    /// 7.2).
    Explanation,
}

impl MacroString {
    /// Parses a string; `None` if it is malformed.
    pub(super) fn parse(text: &str, usage: Usage) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            rest = &rest[next.len_utf8()..];
            match next {
                '%' => {
                    let escaped = rest.chars().next()?;
                    rest = &rest[escaped.len_utf8()..];
                    match escaped {
                        '%' => literal.push('%'),
                        '_' => literal.push(' '),
                        '-' => literal.push_str("%20"),
                        '{' => {
                            let (inside, after) = rest.split_once('}')?;
                            if !literal.is_empty() {
                                pieces.push(Piece::Text(std::mem::take(&mut literal)));
                            }
                            pieces.push(Piece::Macro(Macro::parse(inside, usage)?));
                            rest = after;
                        }
                        _ => return None,
                    }
                }
                '!'..='~' => literal.push(next),
                ' ' if usage == Usage::Explanation => literal.push(next),
                _ => return None,
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Some(Self(pieces))
    }

    /// Returns true if it contains a macro of this letter.
    pub(super) fn uses(&self, letter: Letter) -> bool {
        let of = |piece: &Piece| matches!(piece, Piece::Macro(found) if found.letter == letter);
        self.0.iter().any(of)
    }
}

impl DomainSpec {
    /// Parses a string; `None` if it is malformed, or does not end in a `domain-end`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parsed = MacroString::parse(text, Usage::Term)?;
        // `%%`, `%_` and `%-` count as macros, too; there is no other literal percent sign.
        let macro_end = text.ends_with('}') && matches!(parsed.0.last(), Some(Piece::Macro(_)))
            || ["%%", "%_", "%-"].iter().any(|end| text.ends_with(end));
        (macro_end || ends_in_top_label(text)).then_some(Self(parsed))
    }
}

/// Returns true if a text ends in `"." toplabel [ "." ]`: a dot, then letters, digits and inner
/// hyphens, not digits alone.
fn ends_in_top_label(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let Some((_, label)) = text.rsplit_once('.') else {
        return false;
    };
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty()
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
        && !label.bytes().all(|byte| byte.is_ascii_digit())
}

impl Macro {
    /// Parses the text between the braces: `macro-letter transformers *delimiter`.
    fn parse(inside: &str, usage: Usage) -> Option<Self> {
        let letter = inside.chars().next()?;
        let rest = &inside[letter.len_utf8()..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = rest.split_at(digits);
        let keep = match digits {
            "" => None,
            // A number that overflows keeps all parts.
            digits => Some(digits.parse().unwrap_or(usize::MAX)),
        };
        if keep == Some(0) {
            return None;
        }
        let (reverse, delimiters) = match rest.strip_prefix(['r', 'R']) {
            Some(delimiters) => (true, delimiters),
            None => (false, rest),
        };
        if !delimiters.bytes().all(|byte| b".-+,/_=".contains(&byte)) {
            return None;
        }
        Some(Self {
            letter: Letter::of(letter.to_ascii_lowercase(), usage)?,
            escape: letter.is_ascii_uppercase(),
            keep,
            reverse,
            delimiters: match delimiters {
                "" => b".".to_vec(),
                delimiters => delimiters.as_bytes().to_vec(),
            },
        })
    }
}

impl Letter {
    fn of(letter: char, usage: Usage) -> Option<Self> {
        let in_explanation = usage == Usage::Explanation;
        Some(match letter {
            's' => Self::Sender,
            'l' => Self::Local,
            'o' => Self::SenderDomain,
            'd' => Self::Domain,
            'i' => Self::Address,
            'p' => Self::Validated,
            'v' => Self::Family,
            'h' => Self::Helo,
            'c' if in_explanation => Self::Client,
            'r' if in_explanation => Self::Receiver,
            't' if in_explanation => Self::Time,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_domain_spec_ends_in_a_top_label_or_a_macro() {
        for good in [
            "example.com",
            "example.com.",
            "%{d}",
            "%{ir}.%{v}._spf.%{d2}",
            "foo:bar/baz.example.com",
            "a.xn--zckzah",
            "a.1-2",
            "mail.example...com",
            "%{d}.com",
            "a%%",
            "a%_",
            "a%-",
            ".com",
        ] {
            assert!(DomainSpec::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            ".",
            "museum",
            "museum.",
            "example.-com",
            "example.com-",
            "abc.123",
            "a.com:8080",
            "%{d}com",
            "%{d}.",
            "%{d}/24",
            "%{d0}",
            "%{x}",
            "%{c}",
            "%(d)",
            "a%",
            "%{d",
            "%{dr.r}",
            "a b.com",
            "a.com\0",
            "bücher.example",
        ] {
            assert!(DomainSpec::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn letters_of_explanations_are_refused_in_terms() {
        for letter in ["%{c}", "%{r}", "%{t}", "a b"] {
            assert!(MacroString::parse(letter, Usage::Term).is_none());
            assert!(MacroString::parse(letter, Usage::Explanation).is_some());
        }
    }

    proptest! {
        #[test]
        fn parsing_any_text_does_not_panic(text in "[%{}a-zA-Z0-9._+/ é-]{0,40}|\\PC*") {
            for usage in [Usage::Term, Usage::Explanation] {
                let parsed = MacroString::parse(&text, usage);
                prop_assert!(parsed.is_none() || text.is_ascii());
            }
            prop_assert!(DomainSpec::parse(&text).is_none_or(|_| !text.is_empty()));
        }
    }
}
