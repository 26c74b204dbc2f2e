//! Merging of headers that may occur once (RFC 5322 section 3.6) but are repeated.
//!
//! Programs repeat them: a form hands its own To to a library that adds another, a gateway adds a
//! Date, a help desk its References. The merge depends on the header: of ids and dates, readers
//! take the first; of recipients, all are meant; but authors or reply addresses that differ are
//! ambiguous, and the message is refused.

use std::collections::BTreeSet;

use gatepost_sdk::bounds;

use crate::Duplicates;
use crate::mailboxes;
use crate::section::{Field, Section};

/// Rule by which fields of one header are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MergeRule {
    /// Keep the first.
    First,
    /// Join all in one list.
    Joined,
    /// Keep the first if all have the same addresses.
    SameAddresses,
    /// Keep the first if all have the same words.
    SameWords,
}

const SINGLE_HEADERS: [(&str, MergeRule); 11] = [
    ("Date", MergeRule::First),
    ("From", MergeRule::SameWords),
    ("Sender", MergeRule::SameAddresses),
    ("Reply-To", MergeRule::SameAddresses),
    ("To", MergeRule::Joined),
    ("Cc", MergeRule::Joined),
    ("Bcc", MergeRule::Joined),
    ("Message-ID", MergeRule::First),
    ("In-Reply-To", MergeRule::First),
    ("References", MergeRule::First),
    ("Subject", MergeRule::SameWords),
];

/// The most octets of all merged headers of a message.
const MAX_WRITTEN: usize = 32 << 10;

/// The most octets of a line that is written, unless one word is longer.
const MAX_LINE: usize = 76;

/// The most octets of a word, which may have a line of its own.
const MAX_WORD: usize = 900;

/// A header to be written in place of several.
#[derive(Debug, PartialEq, Eq)]
pub struct MergedHeader {
    /// Name in the spelling of the first field.
    pub name: String,
    /// Merged body; `None` if it is too long to be written, and harmless as it is.
    pub body: Option<String>,
    /// Reason for the record.
    pub reason: String,
}

/// A repeated header that cannot be merged.
#[derive(Debug, PartialEq, Eq)]
pub struct Unmergeable {
    /// Usual name.
    pub header: &'static str,
    /// Name in the spelling of the first field.
    pub shown: String,
}

/// Merges repeated headers; returns those to be written.
///
/// # Errors
/// The first header that cannot be merged.
pub fn merge(section: &Section, treatment: Duplicates) -> Result<Vec<MergedHeader>, Unmergeable> {
    let mut merged = Vec::new();
    let mut octets = 0;
    for (header, rule) in SINGLE_HEADERS {
        let mut fields = section.named(header);
        let (Some(first), Some(second)) = (fields.next(), fields.next()) else {
            continue;
        };
        let all: Vec<_> = [first, second].into_iter().chain(fields).collect();
        let one = match treatment {
            Duplicates::Keep => continue,
            Duplicates::Refuse => None,
            Duplicates::First => first
                .rewritable()
                .map(|body| (body.to_owned(), "the first is left")),
            Duplicates::Repair => merge_fields(rule, &all),
        };
        let one = one.filter(|(body, _)| {
            octets += body.len();
            octets <= MAX_WRITTEN
        });
        // For these two rules readers themselves take the first, or all.
        let harmless = matches!(rule, MergeRule::First | MergeRule::Joined);
        let (body, done) = match one {
            Some((body, done)) => (Some(body), done),
            None if harmless && treatment == Duplicates::Repair => {
                (None, "and is too long to be one")
            }
            None => {
                let shown = first.name();
                return Err(Unmergeable { header, shown });
            }
        };
        merged.push(MergedHeader {
            name: first.name(),
            body,
            reason: format!("{header} stood there more than once, {done}"),
        });
    }
    Ok(merged)
}

/// Merges fields into one body; returns `None` if the result is ambiguous or too long.
fn merge_fields(rule: MergeRule, fields: &[Field<'_>]) -> Option<(String, &'static str)> {
    if fields.iter().any(Field::is_cut) {
        return None;
    }
    // Forms also write fields that nobody has filled in.
    let mut filled_in = fields.iter().filter_map(|field| {
        let words = words(&field.value());
        (!words.is_empty()).then_some((field, words))
    });
    let Some((first, value)) = filled_in.next() else {
        return Some((String::new(), "and says nothing"));
    };
    // A section may be full of one field: its repetitions are compared, not read.
    let others = fields.iter().filter(|field| !field.repeats(first));
    let mut others = others
        .map(|field| words(&field.value()))
        .filter(|words| !words.is_empty() && *words != value);
    let Some(other) = others.next() else {
        return Some((
            rewritten(rule, first, &value)?,
            "with the same words: one is left",
        ));
    };
    match rule {
        MergeRule::First => Some((rewritten(rule, first, &value)?, "the first is left")),
        MergeRule::Joined => {
            let all = [value.clone()].into_iter().chain([other]).chain(others);
            Some((folded(&joined(all)?)?, "they are joined"))
        }
        MergeRule::SameAddresses => {
            let ours = addresses(&value)?;
            let mut others = [other].into_iter().chain(others);
            let same = others.all(|other| addresses(&other).as_ref() == Some(&ours));
            let body = same.then(|| rewritten(rule, first, &value))??;
            Some((body, "with the same addresses: the first is left"))
        }
        MergeRule::SameWords => None,
    }
}

/// Returns the body of a field as it is written again, from its octets if they can be.
fn rewritten(rule: MergeRule, field: &Field<'_>, words: &str) -> Option<String> {
    match field.rewritable() {
        Some(body) => Some(body.to_owned()),
        // The words of a date will do, to which nobody replies; those of an author will not.
        None if rule == MergeRule::SameWords => None,
        None => folded(words),
    }
}

/// Joins lists of addresses, each once; returns `None` if they are too long for one field.
fn joined(lists: impl Iterator<Item = String>) -> Option<String> {
    let mut distinct: Vec<String> = Vec::new();
    let mut octets = 0;
    for list in lists.map(|list| list.trim_end_matches([',', ' ']).to_owned()) {
        if !distinct.contains(&list) {
            octets += list.len();
            if octets > bounds::FIELD {
                return None;
            }
            distinct.push(list);
        }
    }
    Some(distinct.join(", "))
}

/// Returns the words with one space between them, without control characters.
fn words(value: &str) -> String {
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    let mut words = String::with_capacity(value.len());
    for word in value.split(is_gap).filter(|word| !word.is_empty()) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

/// Returns the addresses that any reader could show, in lower case; `None` if there are none.
fn addresses(value: &str) -> Option<BTreeSet<String>> {
    let addresses = mailboxes::addresses(value).ok()?;
    Some(
        addresses
            .iter()
            .map(|address| address.to_lowercase())
            .collect(),
    )
}

/// Returns the words folded into lines; `None` if a word or the body is too long.
fn folded(words: &str) -> Option<String> {
    let mut body = String::new();
    // Room for the name before the body.
    let mut column = MAX_LINE / 4;
    for word in words.split(' ') {
        if word.len() > MAX_WORD {
            return None;
        }
        if !body.is_empty() {
            let folds = column + 1 + word.len() > MAX_LINE;
            body.push_str(if folds { "\r\n " } else { " " });
            column = if folds { 1 } else { column + 1 };
        }
        body.push_str(word);
        column += word.len();
    }
    (body.len() <= bounds::FIELD).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_keeps_the_words() {
        let long = "<1234567890123456789012345678901234567890@x.example> ".repeat(40);
        let body = folded(&words(&long)).unwrap();
        assert!(body.split("\r\n").all(|line| line.len() <= MAX_LINE));
        assert_eq!(words(&body), words(&long));
        assert_eq!(folded(&"x".repeat(MAX_WORD + 1)), None);
    }
}
