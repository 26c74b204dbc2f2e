//! Lines of a text, and the form in which they are compared.

/// Line of a text.
#[derive(Debug)]
pub(crate) struct TextLine<'a> {
    /// The line as it was written, without white space at its end.
    pub(crate) text: &'a str,
    pub(crate) kind: LineKind,
}

/// Kind of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineKind {
    Blank,
    /// It begins with `>`.
    Quoted,
    Written,
}

/// Returns the lines of a text.
pub(crate) fn lines(text: &str) -> Vec<TextLine<'_>> {
    text.lines().map(line).collect()
}

fn line(text: &str) -> TextLine<'_> {
    let text = text.trim_end_matches(is_space);
    let kind = match text.trim_start_matches(is_space).chars().next() {
        None => LineKind::Blank,
        Some('>') => LineKind::Quoted,
        Some(_) => LineKind::Written,
    };
    TextLine { text, kind }
}

/// Returns true for white space, and for signs that nobody sees: programs put them around names and
/// times.
fn is_space(sign: char) -> bool {
    sign.is_whitespace() || is_invisible(sign)
}

fn is_invisible(sign: char) -> bool {
    matches!(sign, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

/// Returns a text in the form in which words are compared: in lower case, with single spaces, plain
/// apostrophes, and without signs that nobody sees.
pub(crate) fn comparable(text: &str) -> String {
    let mut found = String::with_capacity(text.len());
    for sign in text.chars().filter(|sign| !is_invisible(*sign)) {
        match sign {
            '\u{2019}' | '\u{2018}' => found.push('\''),
            _ if sign.is_whitespace() => {
                if !found.is_empty() && !found.ends_with(' ') {
                    found.push(' ');
                }
            }
            // The dotted capital of Turkish has two signs in lower case.
            'İ' => found.push('i'),
            _ => found.extend(sign.to_lowercase()),
        }
    }
    found.truncate(found.trim_end().len());
    found
}
