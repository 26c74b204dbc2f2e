//! The grammar of macros (RFC 7208 section 7.1): what a string with macros is made of.

/// A string with macros, as it was read: `macro-string`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MacroString(pub(super) Vec<Piece>);

/// A `macro-string` that ends as a domain name may: with a top label or a macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DomainSpec(pub(super) MacroString);

/// A stretch of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text for itself, `%%`, `%_` and `%-` already replaced.
    Text(String),
    /// To be replaced.
    Macro(Macro),
}

/// `%{` letter, transformers, delimiters `}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Macro {
    pub(super) letter: Letter,
    /// It is written in upper case: escape what comes of it as in a URL.
    pub(super) escape: bool,
    /// How many parts are kept, from the right; all without a number.
    pub(super) keep: Option<usize>,
    pub(super) reverse: bool,
    /// At what the value is split; at dots where none is given.
    pub(super) delimiters: Vec<u8>,
}

/// What a macro stands for (section 7.2).
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
    /// In explanations only, as are the next two.
    Client,
    Receiver,
    Time,
}

/// Where a string with macros stands, which decides what it may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a term of a record.
    Term,
    /// The text of an explanation: it may contain spaces (section 6.2), and `c`, `r`, `t`
    /// (section 7.2).
    Explanation,
}

impl MacroString {
    /// Reads one; none if it is malformed.
    pub(super) fn parse(text: &str, place: Place) -> Option<Self> {
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
                            pieces.push(Piece::Macro(Macro::parse(inside, place)?));
                            rest = after;
                        }
                        _ => return None,
                    }
                }
                '!'..='~' => literal.push(next),
                ' ' if place == Place::Explanation => literal.push(next),
                _ => return None,
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Some(Self(pieces))
    }

    /// Whether a macro of that letter is in it.
    pub(super) fn uses(&self, letter: Letter) -> bool {
        let of = |piece: &Piece| matches!(piece, Piece::Macro(found) if found.letter == letter);
        self.0.iter().any(of)
    }
}

impl DomainSpec {
    /// Reads one; none if it is malformed, or does not end as a name may: `domain-end`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parsed = MacroString::parse(text, Place::Term)?;
        // `%%`, `%_` and `%-` are macros too; a literal percent sign cannot stand there otherwise.
        let macro_end = text.ends_with('}') && matches!(parsed.0.last(), Some(Piece::Macro(_)))
            || ["%%", "%_", "%-"].iter().any(|end| text.ends_with(end));
        (macro_end || ends_in_top_label(text)).then_some(Self(parsed))
    }
}

/// `"." toplabel [ "." ]`: a dot, then letters, digits and inner hyphens, not digits alone.
fn ends_in_top_label(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let Some((_, label)) = text.rsplit_once('.') else {
        return false;
    };
    let inner = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
    !label.is_empty()
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
        && !label.bytes().all(|octet| octet.is_ascii_digit())
}

impl Macro {
    /// What is between the braces: `macro-letter transformers *delimiter`.
    fn parse(inside: &str, place: Place) -> Option<Self> {
        let letter = inside.chars().next()?;
        let rest = &inside[letter.len_utf8()..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = rest.split_at(digits);
        let keep = match digits {
            "" => None,
            // More parts than a number can count are all of them.
            digits => Some(digits.parse().unwrap_or(usize::MAX)),
        };
        if keep == Some(0) {
            return None;
        }
        let (reverse, delimiters) = match rest.strip_prefix(['r', 'R']) {
            Some(delimiters) => (true, delimiters),
            None => (false, rest),
        };
        if !delimiters.bytes().all(|octet| b".-+,/_=".contains(&octet)) {
            return None;
        }
        Some(Self {
            letter: Letter::of(letter.to_ascii_lowercase(), place)?,
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
    fn of(letter: char, place: Place) -> Option<Self> {
        let explaining = place == Place::Explanation;
        Some(match letter {
            's' => Self::Sender,
            'l' => Self::Local,
            'o' => Self::SenderDomain,
            'd' => Self::Domain,
            'i' => Self::Address,
            'p' => Self::Validated,
            'v' => Self::Family,
            'h' => Self::Helo,
            'c' if explaining => Self::Client,
            'r' if explaining => Self::Receiver,
            't' if explaining => Self::Time,
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
    fn letters_of_explanations_are_for_them_alone() {
        for letter in ["%{c}", "%{r}", "%{t}", "a b"] {
            assert!(MacroString::parse(letter, Place::Term).is_none());
            assert!(MacroString::parse(letter, Place::Explanation).is_some());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[%{}a-zA-Z0-9._+/ é-]{0,40}|\\PC*") {
            for place in [Place::Term, Place::Explanation] {
                let parsed = MacroString::parse(&text, place);
                prop_assert!(parsed.is_none() || text.is_ascii());
            }
            prop_assert!(DomainSpec::parse(&text).is_none_or(|_| !text.is_empty()));
        }
    }
}
