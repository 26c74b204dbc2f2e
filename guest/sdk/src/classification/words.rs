//! Lists of words that are searched for in one pass over a text.
//!
//! A list knows the first two octets of its words, so that most places of a text are passed over
//! without a comparison.

/// List of words, each of two octets at least.
pub(super) struct WordList {
    words: &'static [&'static str],
    beginnings: Beginnings,
}

/// Set of pairs of octets. It may hold others than those that were added.
struct Beginnings([u64; 16]);

impl Beginnings {
    /// Returns the place of a pair: the index of its group, and its bit there.
    const fn place(one: u8, two: u8) -> (usize, u64) {
        let number = (one as usize).wrapping_mul(37) ^ two as usize;
        (number >> 6 & 15, 1 << (number & 63))
    }

    fn may_hold(&self, one: u8, two: u8) -> bool {
        let (group, bit) = Self::place(one, two);
        self.0.get(group).is_some_and(|bits| bits & bit != 0)
    }
}

impl WordList {
    /// Makes a list.
    #[allow(
        clippy::indexing_slicing,
        reason = "lists are made by the compiler, which checks the index"
    )]
    pub(super) const fn new(words: &'static [&'static str]) -> Self {
        let mut beginnings = [0; 16];
        let mut rest = words;
        while let [word, others @ ..] = rest {
            let [one, two, ..] = word.as_bytes() else {
                panic!("a word has two octets at least");
            };
            let (group, bit) = Beginnings::place(*one, *two);
            beginnings[group] |= bit;
            rest = others;
        }
        Self {
            words,
            beginnings: Beginnings(beginnings),
        }
    }

    /// Returns the words that a text begins with.
    pub(super) fn beginning(&self, text: &str) -> impl Iterator<Item = &'static str> {
        let words = match text.as_bytes() {
            [one, two, ..] if self.beginnings.may_hold(*one, *two) => self.words,
            _ => &[],
        };
        words.iter().copied().filter(|word| text.starts_with(word))
    }

    /// Returns each word in a text, with its place.
    pub(super) fn found(&self, text: &str) -> impl Iterator<Item = (usize, &'static str)> {
        let pairs = text.bytes().zip(text.bytes().skip(1)).enumerate();
        let places = pairs.filter(|(_, (one, two))| self.beginnings.may_hold(*one, *two));
        places.flat_map(move |(at, pair)| {
            let rest = text.get(at..).unwrap_or_default();
            // Most words begin otherwise, which is seen without a comparison of the whole.
            let begins = move |word: &str| {
                matches!(word.as_bytes(), [one, two, ..] if (*one, *two) == pair)
                    && rest.starts_with(word)
            };
            self.words
                .iter()
                .filter(move |word| begins(word))
                .map(move |word| (at, *word))
        })
    }

    /// Returns true if one of the words is anywhere in a text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.found(text).next().is_some()
    }

    /// Returns true if a word of a text begins with one of these.
    pub(super) fn begins_a_word(&self, text: &str) -> bool {
        self.found(text).any(|(at, _)| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            before.is_none_or(|c| !c.is_ascii_alphanumeric())
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    static WORDS: WordList = WordList::new(&["ab", "abc", "ba", "第1", "ü", "e-mail"]);

    proptest! {
        /// The pass finds what a search for each word finds.
        #[test]
        fn every_word_is_found_at_every_place(text in "[abcü第1 e\\-mil]{0,30}") {
            let mut found: Vec<_> = WORDS.found(&text).collect();
            let begins = |at: usize, word: &str| {
                text.get(at..).is_some_and(|rest| rest.starts_with(word))
            };
            let mut expected: Vec<(usize, &str)> = (0..text.len())
                .flat_map(|at| WORDS.words.iter().map(move |word| (at, *word)))
                .filter(|(at, word)| begins(*at, word))
                .collect();
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(&found, &expected);
            let first: Vec<&str> = WORDS.beginning(&text).collect();
            let at_first = expected.iter().filter(|(at, _)| *at == 0).count();
            prop_assert_eq!(first.len(), at_first);
            prop_assert_eq!(WORDS.is_in(&text), !expected.is_empty());
        }
    }

    #[test]
    fn a_word_begins_behind_no_letter_or_digit_of_ascii() {
        for (text, begins) in [
            ("abacus", true),
            ("an e-mail", true),
            ("-abc", true),
            ("xabc", false),
            ("1ab", false),
            ("", false),
        ] {
            assert_eq!(WORDS.begins_a_word(text), begins, "{text}");
        }
    }
}
