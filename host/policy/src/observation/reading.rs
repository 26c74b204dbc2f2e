//! Reads a value from the text that Rust writes of it for programmers (`{:?}`): the generated
//! bindings tell nothing else of arguments and answers.
//!
//! The text may be cut anywhere, and it may hold anything within its quotes. A text that cannot be
//! read is kept as it is.

use std::fmt::{self, Write as _};

use super::value::HostValue;

/// Number of bytes that are kept of the text of one value.
const MAX_TEXT: usize = 4 << 10;

/// Depth of values within values.
const MAX_DEPTH: usize = 16;

/// The beginning of the text of a value.
#[derive(Default)]
pub(super) struct Cut {
    text: String,
    is_cut: bool,
    /// Number of commas in the whole text.
    commas: u64,
}

impl Cut {
    /// Writes a value, and keeps the beginning.
    pub(super) fn of(value: &dyn fmt::Debug) -> Self {
        let mut cut = Self::default();
        // It returns an error where the rest is not wanted.
        let _ = write!(cut, "{value:?}");
        cut
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns true if the text is that of octets, of which all are counted.
    fn is_of_octets(&self) -> bool {
        let inner = self.text.strip_prefix("Ok([").unwrap_or_default();
        inner.starts_with(|c: char| c.is_ascii_digit())
    }
}

impl fmt::Write for Cut {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.commas += part.bytes().filter(|octet| *octet == b',').count() as u64;
        let room = MAX_TEXT.saturating_sub(self.text.len());
        self.text.push_str(&part[..part.floor_char_boundary(room)]);
        if part.len() <= room {
            return Ok(());
        }
        self.is_cut = true;
        match self.is_of_octets() {
            true => Ok(()),
            false => Err(fmt::Error),
        }
    }
}

/// Reads the value of a text.
pub(super) fn read(cut: &Cut) -> HostValue {
    if let Some(error) = cut.text.strip_prefix("Err(") {
        let line = error.lines().next().unwrap_or_default();
        return HostValue::Fault(line.trim_end_matches(')').to_owned());
    }
    let mut reader = Reader {
        rest: &cut.text,
        is_cut: cut.is_cut,
    };
    match reader.value(0) {
        HostValue::List { entries, .. } if cut.is_of_octets() => octets(&entries, cut.commas + 1),
        value => value,
    }
}

/// Makes octets of numbers.
fn octets(numbers: &[HostValue], length: u64) -> HostValue {
    let octets = numbers.iter().filter_map(|number| match number {
        HostValue::Number(digits) => digits.parse().ok(),
        _ => None,
    });
    let octets: Vec<u8> = octets.collect();
    HostValue::Octets {
        text: String::from_utf8_lossy(&octets).into_owned(),
        length,
    }
}

struct Reader<'a> {
    rest: &'a str,
    is_cut: bool,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> HostValue {
        self.space();
        let raw = |reader: &mut Self| HostValue::Text {
            text: std::mem::take(&mut reader.rest).to_owned(),
            cut: reader.is_cut,
        };
        if depth > MAX_DEPTH {
            return raw(self);
        }
        match self.rest.chars().next() {
            None => HostValue::Text {
                text: String::new(),
                cut: self.is_cut,
            },
            Some('"') => self.text(),
            Some('[') => self.list(depth),
            Some('(') => match self.entries('(', ')', depth) {
                (mut entries, _) if entries.len() == 1 => entries.remove(0),
                (entries, _) if entries.is_empty() => HostValue::Nothing,
                (entries, cut) => HostValue::List { entries, cut },
            },
            Some(c) if c.is_ascii_digit() || c == '-' => {
                HostValue::Number(self.while_true(|c| c.is_ascii_digit() || "-.e".contains(c)))
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => self.named(depth),
            Some(_) => raw(self),
        }
    }

    /// Reads what begins with a name: a case, an option, a record.
    fn named(&mut self, depth: usize) -> HostValue {
        let path = self.while_true(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'));
        let name = path.rsplit("::").next().unwrap_or_default();
        let before = self.rest;
        self.space();
        match (name, self.rest.chars().next()) {
            ("None", _) => HostValue::None,
            ("true", _) => HostValue::Bool(true),
            ("false", _) => HostValue::Bool(false),
            (_, Some('(')) => {
                let (mut entries, cut) = self.entries('(', ')', depth);
                let inner = match entries.len() {
                    1 => entries.remove(0),
                    _ => HostValue::List { entries, cut },
                };
                match name {
                    "Ok" | "Some" => inner,
                    _ => HostValue::Case(kebab(name), Some(Box::new(inner))),
                }
            }
            (_, Some('{')) => self.record(depth),
            _ => {
                self.rest = before;
                HostValue::Case(kebab(name), None)
            }
        }
    }

    fn list(&mut self, depth: usize) -> HostValue {
        let (entries, cut) = self.entries('[', ']', depth);
        HostValue::List { entries, cut }
    }

    /// Reads values between brackets. Returns true beside them if the end is missing.
    fn entries(&mut self, open: char, close: char, depth: usize) -> (Vec<HostValue>, bool) {
        self.take(open);
        let mut entries = Vec::new();
        loop {
            self.space();
            if self.take(close) {
                return (entries, false);
            }
            if self.rest.is_empty() {
                return (entries, self.is_cut);
            }
            let before = self.rest.len();
            entries.push(self.value(depth + 1));
            self.space();
            self.take(',');
            if self.rest.len() == before {
                // Nothing that a value begins with.
                self.rest = "";
            }
        }
    }

    fn record(&mut self, depth: usize) -> HostValue {
        self.take('{');
        let mut fields = Vec::new();
        loop {
            self.space();
            if self.take('}') || self.rest.is_empty() {
                return HostValue::Record(fields);
            }
            let name = self.while_true(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '#'));
            self.space();
            if name.is_empty() || !self.take(':') {
                self.rest = "";
                return HostValue::Record(fields);
            }
            let name = name.trim_start_matches("r#").replace('_', "-");
            let value = self.value(depth + 1);
            fields.push((name, value));
            self.space();
            self.take(',');
        }
    }

    /// Reads a text in quotes, with its escapes.
    fn text(&mut self) -> HostValue {
        self.take('"');
        let mut text = String::new();
        let mut chars = self.rest.chars();
        let cut = loop {
            match chars.next() {
                Some('"') => break false,
                None => break true,
                Some('\\') => match chars.next() {
                    Some('n') => text.push('\n'),
                    Some('r') => text.push('\r'),
                    Some('t') => text.push('\t'),
                    Some('0') => text.push('\0'),
                    Some('u') => {
                        let code = chars.as_str();
                        let end = code.find('}').map_or(code.len(), |at| at + 1);
                        let digits = code[..end].trim_matches(['{', '}']);
                        let code = u32::from_str_radix(digits, 16)
                            .ok()
                            .and_then(char::from_u32);
                        text.extend(code);
                        chars = chars.as_str()[end..].chars();
                    }
                    Some(c) => text.push(c),
                    None => break true,
                },
                Some(c) => text.push(c),
            }
        };
        self.rest = chars.as_str();
        HostValue::Text { text, cut }
    }

    fn while_true(&mut self, holds: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !holds(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken.to_owned()
    }

    fn take(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

/// Returns a name of Rust as the contract writes it: `ByHand` is `by-hand`.
fn kebab(name: &str) -> String {
    let mut word = String::new();
    for (at, c) in name.char_indices() {
        if c.is_ascii_uppercase() && at > 0 {
            word.push('-');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug)]
    #[allow(dead_code)]
    struct SharedAddress {
        by_domain: bool,
        source: Source,
    }

    #[derive(Debug)]
    #[allow(dead_code)]
    enum Source {
        ByHand,
        Feed(String),
    }

    fn shown(value: &dyn fmt::Debug) -> String {
        read(&Cut::of(value)).to_string()
    }

    #[test]
    fn answers_are_shown_in_the_words_of_the_contract() {
        type Answer<T> = Result<T, String>;
        let partner = SharedAddress {
            by_domain: true,
            source: Source::Feed("https://x.example/\n\"a\"".to_owned()),
        };
        assert_eq!(
            shown(&Answer::Ok(Some(partner))),
            r#"{by-domain yes, source feed("https://x.example/\n\"a\"")}"#
        );
        assert_eq!(shown(&Answer::Ok(None::<String>)), "none");
        assert_eq!(shown(&Answer::Ok(Source::ByHand)), "by-hand");
        assert_eq!(shown(&Answer::Ok(vec!["a", "b, c"])), r#"["a", "b, c"]"#);
        assert_eq!(shown(&Answer::Ok(Vec::<String>::new())), "[]");
        assert_eq!(shown(&Answer::Ok(17_u64)), "17");
        assert_eq!(shown(&Answer::Ok(())), "");
        assert_eq!(
            shown(&Answer::Ok(b"From: a".to_vec())),
            r#"7 octets: "From: a""#
        );
        assert_eq!(shown(&"\u{1b}[2J\u{202e}"), "\"\u{1b}[2J\u{202e}\"");
    }

    #[test]
    fn long_values_are_cut_and_octets_are_counted_all_the_same() {
        let octets: Result<Vec<u8>, String> = Ok(vec![b'x'; 1 << 20]);
        let HostValue::Octets { text, length } = read(&Cut::of(&octets)) else {
            panic!("no octets");
        };
        assert_eq!(length, 1 << 20);
        assert!(text.len() < MAX_TEXT);
        let long = "y".repeat(1 << 20);
        let HostValue::Text { text, cut } = read(&Cut::of(&long)) else {
            panic!("no text");
        };
        assert!(cut && text.len() < MAX_TEXT);
    }

    proptest! {
        #[test]
        fn every_text_is_read_and_none_is_lost(text in ".{0,60}") {
            let read = read(&Cut::of(&Some(&text)));
            prop_assert_eq!(read, HostValue::Text { text, cut: false });
        }

        #[test]
        fn no_text_stops_the_reader(text in r#"[\[\](){}"\\,:a-zA-Z0-9 -]{0,80}"#) {
            let cut = Cut { text, is_cut: true, commas: 0 };
            let _ = read(&cut).to_string();
        }
    }
}
