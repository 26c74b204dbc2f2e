//! Sentences that introduce a quotation: "On 3 Feb 2025, at 10:15, Ann <ann@desk.example> wrote:".

use crate::languages::LANGUAGES;
use crate::lines::{LineKind, TextLine, comparable};

/// The most lines over which programs break such a sentence.
const MOST_LINES: usize = 4;

/// The most octets of such a sentence.
const LONGEST: usize = 600;

/// Sentence that introduces a quotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attribution {
    /// Its first line.
    pub(crate) begin: usize,
    /// True if it has a time of day beside the verb, as programs write it and people do not: it
    /// introduces a quotation even where no line is marked with `>`.
    pub(crate) is_certain: bool,
}

/// Returns the attribution that ends with this line, if there is one. It begins no earlier than with
/// the line `first`.
pub(crate) fn ends_with(lines: &[TextLine<'_>], last: usize, first: usize) -> Option<Attribution> {
    if !lines[last].text.ends_with(':') && !lines[last].text.ends_with(": ") {
        return None;
    }
    let mut widest = None;
    let mut length = 0;
    for begin in (first.max((last + 1).saturating_sub(MOST_LINES))..=last).rev() {
        length += lines[begin].text.len() + 1;
        if lines[begin].kind != LineKind::Written || length > LONGEST {
            break;
        }
        let sentence: Vec<_> = lines[begin..=last].iter().map(|line| line.text).collect();
        let sentence = comparable(&sentence.join(" "));
        let Some(is_certain) = judged(&sentence) else {
            continue;
        };
        let found = Attribution { begin, is_certain };
        if opens(&sentence) {
            return Some(found);
        }
        let is_paragraph = begin == first
            || begin == 0
            || lines[begin - 1].kind != LineKind::Written
            || begin == last;
        if is_paragraph {
            widest = Some(found);
        }
    }
    widest
}

/// Returns true if a sentence begins as attributions do.
fn opens(sentence: &str) -> bool {
    let sentence = sentence.trim_start_matches(['*', ' ']);
    sentence.starts_with(|sign: char| sign.is_ascii_digit())
        || LANGUAGES.iter().any(|language| {
            let mut openers = language.openers.iter();
            openers.any(|opener| {
                let rest = sentence.strip_prefix(opener);
                rest.is_some_and(|rest| rest.starts_with([' ', ',', '.']))
            })
        })
}

/// Returns whether a sentence is certainly an attribution, and nothing if it is none.
fn judged(sentence: &str) -> Option<bool> {
    let digits = sentence.bytes().filter(u8::is_ascii_digit).count();
    let has_address = sentence.contains('@');
    let has_time = has_time(sentence);
    if digits < 3 && !has_address {
        return None;
    }
    let verb = LANGUAGES
        .iter()
        .flat_map(|language| language.verbs)
        .any(|verb| has_word(sentence, verb));
    // Apple Mail in Czech writes no verb.
    let is_bare = sentence.starts_with(|sign: char| sign.is_ascii_digit())
        && has_time
        && has_address
        && sentence.ends_with(">:");
    (verb || is_bare).then_some(has_time && digits >= 4)
}

/// Returns true if a sentence has these words, as whole ones.
fn has_word(sentence: &str, word: &str) -> bool {
    let is_letter = |sign: char| sign.is_alphanumeric();
    sentence.match_indices(word).any(|(at, _)| {
        let (before, after) = (&sentence[..at], &sentence[at + word.len()..]);
        !before.ends_with(is_letter) && !after.starts_with(is_letter)
    })
}

/// Returns true if a text has a time of day: one or two digits, `:` or `.` or `h`, two digits.
fn has_time(text: &str) -> bool {
    let octets = text.as_bytes();
    let is_digit = |at: usize| octets.get(at).is_some_and(u8::is_ascii_digit);
    (1..octets.len()).any(|at| {
        matches!(octets[at], b':' | b'.' | b'h')
            && is_digit(at - 1)
            && is_digit(at + 1)
            && is_digit(at + 2)
            && !is_digit(at + 3)
    })
}
