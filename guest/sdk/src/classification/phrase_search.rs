//! The search for known phrases in a text.
//!
//! All phrases of all languages are searched for in one pass: at the beginning of each word only
//! those are compared that have its first letters. So the cost depends on the text's length, and
//! not on the number of phrases.

use std::sync::LazyLock;

use super::phrases;

/// Kind of a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PhraseKind {
    /// Statement that a machine wrote it.
    Automatic,
    /// Failed delivery, in a mail system's own fixed words.
    Failure,
    /// Failed delivery, in anybody's words.
    FailureWords,
    /// Absence of the author.
    Absence,
    /// Acknowledgement of something received.
    Receipt,
    /// Event or request, in a program's template.
    Notice,
    /// Topic of programs, and of people as well.
    Topic,
    /// Reason why a message comes that was sent in bulk.
    Bulk,
    /// Summary of many messages that are held, or could not be delivered.
    Digest,
    /// Address to many readers.
    ToMany,
    /// Introduction of somebody else's words, which came through a form or a platform.
    Form,
    /// Mark of a mail program on a telephone.
    Telephone,
    /// Subject of notices.
    NoticeSubject,
    /// Subject of acknowledgements.
    ReceiptSubject,
    /// Subject of forms in which a visitor wrote.
    FormSubject,
    /// First person of the author.
    FirstPerson,
    /// Challenge: the writer is to show first that he is no machine.
    Challenge,
    /// Request in people's words.
    Request,
    /// Request to be sent no more.
    WantsOut,
    /// Offer to be sent no more.
    OptOut,
}

impl PhraseKind {
    /// Returns true if its phrases match as whole words, and not at the beginning of a word as
    /// well.
    fn is_of_words(self) -> bool {
        matches!(
            self,
            Self::FirstPerson | Self::NoticeSubject | Self::ReceiptSubject | Self::FormSubject
        )
    }
}

/// Number of kinds.
const KINDS: usize = PhraseKind::OptOut as usize + 1;

/// Phrases, each in the form that [`plain`] gives it. They are stored close together, because a
/// call has to fetch first every part of memory that it touches.
struct PhraseIndex {
    /// First letters of phrases, in order, each with the index of the first phrase that has them.
    keys: Vec<(u64, u16)>,
    /// Phrases in order of their keys: offset in `texts`, length, kind.
    phrases: Vec<(u32, u8, PhraseKind)>,
    texts: String,
}

/// Made once, when a policy is configured.
static INDEX: LazyLock<PhraseIndex> = LazyLock::new(PhraseIndex::new);

/// Makes the index, so that no message has to.
pub(super) fn prepare() {
    LazyLock::force(&INDEX);
}

impl PhraseIndex {
    fn new() -> Self {
        let lists = phrases::PHRASES.iter();
        let lists = lists.flat_map(|(kind, lists)| lists.iter().map(move |list| (*kind, *list)));
        let mut all: Vec<(String, PhraseKind)> = lists
            .flat_map(|(kind, list)| list.iter().map(move |phrase| (plain(phrase), kind)))
            .collect();
        all.sort_by(|(one, _), (other, _)| (key(one), one).cmp(&(key(other), other)));
        all.dedup();
        let mut index = Self {
            keys: Vec::new(),
            phrases: Vec::with_capacity(all.len()),
            texts: String::with_capacity(all.iter().map(|(text, _)| text.len()).sum()),
        };
        for (text, kind) in all {
            let key = key(&text);
            let (Ok(begin), Ok(number), Ok(length)) = (
                u32::try_from(index.texts.len()),
                u16::try_from(index.phrases.len()),
                u8::try_from(text.len()),
            ) else {
                // A test ensures that all phrases fit.
                break;
            };
            if index.keys.last().is_none_or(|(last, _)| *last != key) {
                index.keys.push((key, number));
            }
            index.texts.push_str(&text);
            index.phrases.push((begin, length, kind));
        }
        index
    }

    /// Returns the phrases that begin this text, with their kinds.
    fn candidates(&'static self, text: &str) -> impl Iterator<Item = (&'static str, PhraseKind)> {
        let [three, two, one] = keys(text);
        let shorter = [(two, three), (one, two)].into_iter();
        // At the end of a text they are the same.
        let shorter = shorter.filter(|(key, longer)| key != longer);
        let all = std::iter::once(three).chain(shorter.map(|(key, _)| key));
        all.flat_map(|key| self.with_key(key))
    }

    /// Returns the phrases of a key.
    fn with_key(&'static self, key: u64) -> impl Iterator<Item = (&'static str, PhraseKind)> {
        let at = self.keys.binary_search_by_key(&key, |(key, _)| *key);
        let range = at.ok().map_or(0..0, |at| {
            let number = |at: usize| self.keys.get(at).map(|(_, number)| usize::from(*number));
            number(at).unwrap_or_default()..number(at + 1).unwrap_or(self.phrases.len())
        });
        let phrases = self.phrases.get(range).unwrap_or_default().iter();
        phrases.map(|(begin, length, kind)| {
            let begin = *begin as usize;
            let text = self.texts.get(begin..begin + usize::from(*length));
            (text.unwrap_or_default(), *kind)
        })
    }
}

/// Returns the first three letters of a phrase, or as many as there are.
fn key(text: &str) -> u64 {
    let mut letters = text.chars();
    let mut next = || letters.next().map_or(0, |c| u64::from(u32::from(c)));
    next() << 42 | next() << 21 | next()
}

/// Returns the keys of phrases that may begin this text: of three letters, two and one.
fn keys(text: &str) -> [u64; 3] {
    let three = key(text);
    [three, three & !0x1f_ffff, three & !0x3ff_ffff_ffff]
}

/// Octets that separate phrases of different clauses; closer ones belong to one clause.
const CLAUSE_GAP: usize = 12;

/// Phrases of one kind in a text.
#[derive(Debug, Default, Clone, Copy)]
struct KindMatches {
    /// First phrase, in the order of the text.
    first: Option<&'static str>,
    /// Number of phrases.
    count: u8,
    /// Number of phrases that begin apart, behind the end of a different one.
    apart: u8,
    /// End of the last of these.
    end: usize,
}

/// Phrases of a text, by kind.
#[derive(Debug, Default)]
pub(super) struct FoundPhrases([KindMatches; KINDS]);

impl FoundPhrases {
    /// Searches a text in [plain] form.
    pub(super) fn of(text: &str) -> Self {
        let mut said = Self::default();
        let mut before = ' ';
        let mut at = 0;
        while let Some(rest) = text.get(at..)
            && let Some(first) = rest.chars().next()
        {
            let begins = !before.is_alphanumeric() || !is_spaced(first);
            if begins && (first.is_alphanumeric() || first == '#') {
                said.match_at(rest, before, at);
            }
            // Inside a word of small letters of ASCII nothing begins.
            let word = rest.bytes().take_while(u8::is_ascii_lowercase).count();
            (at, before) = match word {
                0 => (at + first.len_utf8(), first),
                _ => (at + word, 'a'),
            };
        }
        said
    }

    fn match_at(&mut self, rest: &str, before: char, at: usize) {
        for (phrase, kind) in INDEX.candidates(rest) {
            let Some(place) = self.0.get_mut(kind as usize) else {
                continue;
            };
            if !rest.starts_with(phrase) {
                continue;
            }
            let after = rest.get(phrase.len()..).unwrap_or_default();
            let ends = !phrase.ends_with(is_spaced_letter) || !after.starts_with(is_spaced_letter);
            // A phrase behind a quotation mark is somebody else's.
            let is_quoted = kind == PhraseKind::Automatic && is_quotation_mark(before);
            if (ends || !kind.is_of_words()) && !is_quoted {
                if place.first.is_none()
                    || at >= place.end + CLAUSE_GAP && place.first != Some(phrase)
                {
                    place.apart = place.apart.saturating_add(1);
                    place.end = at + phrase.len();
                }
                place.first.get_or_insert(phrase);
                place.count = place.count.saturating_add(1);
            }
        }
    }

    /// Returns the first phrase of that kind.
    pub(super) fn get(&self, kind: PhraseKind) -> Option<&'static str> {
        self.0.get(kind as usize).and_then(|kind| kind.first)
    }

    /// Returns the number of phrases of that kind.
    pub(super) fn count(&self, kind: PhraseKind) -> u8 {
        self.0.get(kind as usize).map_or(0, |kind| kind.count)
    }

    /// Returns the number of phrases of that kind that stand apart from each other.
    pub(super) fn apart(&self, kind: PhraseKind) -> u8 {
        self.0.get(kind as usize).map_or(0, |kind| kind.apart)
    }
}

fn is_spaced_letter(c: char) -> bool {
    c.is_alphanumeric() && is_spaced(c)
}

fn is_quotation_mark(c: char) -> bool {
    matches!(
        c,
        '"' | '\'' | '“' | '„' | '«' | '»' | '”' | '‘' | '’' | '「' | '『'
    )
}

/// Returns true if the letter is of a script that puts spaces between words.
fn is_spaced(c: char) -> bool {
    c.is_ascii()
        || !matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Returns the text in small letters without accents, with single spaces: many programs write no
/// accents, and some write them as combining marks.
pub(super) fn plain(text: &str) -> String {
    let mut plain = PlainText {
        text: String::with_capacity(text.len()),
        space: false,
    };
    let mut rest = text;
    loop {
        let ascii = rest.bytes().take_while(u8::is_ascii_graphic).count();
        let (word, behind) = rest.split_at_checked(ascii).unwrap_or((rest, ""));
        plain.add_word(word);
        let mut letters = behind.chars();
        match letters.next() {
            None => return plain.text,
            Some(c) if c.is_whitespace() => plain.space = true,
            Some(c) => c.to_lowercase().for_each(|c| plain.add(c)),
        }
        rest = letters.as_str();
    }
}

/// Text in [plain] form, as it is written.
struct PlainText {
    text: String,
    /// True if a space stands before the next letter.
    space: bool,
}

impl PlainText {
    /// Adds letters, digits and signs of ASCII.
    fn add_word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        self.add_space();
        let begin = self.text.len();
        self.text.push_str(word);
        if let Some(word) = self.text.get_mut(begin..) {
            word.make_ascii_lowercase();
        }
    }

    /// Adds a small letter, or whatever has no other form.
    fn add(&mut self, c: char) {
        match c {
            _ if c.is_whitespace() => self.space = true,
            // Combining marks, and invisible characters.
            '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}' => {}
            _ => {
                self.add_space();
                self.text.push(without_accent(c));
            }
        }
    }

    fn add_space(&mut self) {
        if self.space && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.space = false;
    }
}

fn without_accent(c: char) -> char {
    match c {
        '\0'..='\x7f' => c,
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => 'e',
        'ğ' | 'ģ' => 'g',
        'ì'..='ï' | 'ī' | 'į' | 'ı' => 'i',
        'ķ' => 'k',
        'ľ' | 'ļ' | 'ł' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ř' => 'r',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ť' | 'ţ' | 'ț' => 't',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        'ё' => 'е',
        'ά' => 'α',
        'έ' => 'ε',
        'ή' => 'η',
        'ί' => 'ι',
        'ό' => 'ο',
        'ύ' => 'υ',
        'ώ' => 'ω',
        '’' | '‘' | 'ʼ' | '´' => '\'',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_at_the_beginning_of_words() {
        let said = |text: &str, kind| FoundPhrases::of(&plain(text)).get(kind);
        for (text, kind, found) in [
            ("This is an automatic reply.", PhraseKind::Automatic, true),
            (
                "He wrote \"this is an automatic reply\"",
                PhraseKind::Automatic,
                false,
            ),
            ("Xthis is an automatic reply.", PhraseKind::Automatic, false),
            (
                "Dies  ist\neine automatische Antwort",
                PhraseKind::Automatic,
                true,
            ),
            (
                "A mensagem NAO FOI ENTREGUE",
                PhraseKind::FailureWords,
                true,
            ),
            ("本メールは自動返信です。", PhraseKind::Automatic, true),
            ("I’m on it", PhraseKind::FirstPerson, true),
            ("Island", PhraseKind::FirstPerson, false),
            ("", PhraseKind::Automatic, false),
        ] {
            assert_eq!(said(text, kind).is_some(), found, "{text}");
        }
    }

    #[test]
    fn every_phrase_fits_the_index_and_is_found_in_itself() {
        let lists = phrases::PHRASES.iter();
        for (kind, phrase) in lists.flat_map(|(kind, lists)| {
            let all = lists.iter().flat_map(|list| list.iter());
            all.map(move |phrase| (*kind, *phrase))
        }) {
            let plain = plain(phrase);
            assert!(
                FoundPhrases::of(&plain).get(kind).is_some(),
                "{kind:?}: {phrase}"
            );
        }
    }
}
