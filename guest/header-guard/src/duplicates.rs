//! Headers of which a message has one at most (RFC 5322 section 3.6), and has several.
//!
//! Programs write them: a form hands its own To to a library that adds another, a gateway adds a
//! Date, a help desk its References. Which of two counts depends on the header: of an id or a date
//! readers take the first, of recipients all are meant, and of whom a message is from, or whom it is
//! answered to, two that differ leave it open. Those are refused.

use std::collections::BTreeSet;

use gatepost_sdk::bounds;

use crate::Duplicates;
use crate::mailboxes;
use crate::section::{Field, Section};

/// What becomes of several fields of one header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// The first counts.
    First,
    /// All are meant.
    Joined,
    /// One is left where they name the same addresses.
    SameAddresses,
    /// One is left where they say the same.
    SameWords,
}

const ONCE: [(&str, Rule); 11] = [
    ("Date", Rule::First),
    ("From", Rule::SameWords),
    ("Sender", Rule::SameAddresses),
    ("Reply-To", Rule::SameAddresses),
    ("To", Rule::Joined),
    ("Cc", Rule::Joined),
    ("Bcc", Rule::Joined),
    ("Message-ID", Rule::First),
    ("In-Reply-To", Rule::First),
    ("References", Rule::First),
    ("Subject", Rule::SameWords),
];

/// Octets of all headers that are written again where they stood there more than once.
const WRITTEN: usize = 32 << 10;

/// The longest line that is written.
const LINE: usize = 76;

/// The longest word that is put on a line of its own.
const WORD: usize = 900;

/// A header to be written in the place of several.
#[derive(Debug, PartialEq, Eq)]
pub struct Once {
    /// As the first of them spells it.
    pub name: String,
    /// What it says; `None` where it is too long to be written again, and harmless as it is.
    pub body: Option<String>,
    /// For the record.
    pub reason: String,
}

/// A header that stands there several times, and cannot be one.
#[derive(Debug, PartialEq, Eq)]
pub struct Several {
    /// Its usual name.
    pub header: &'static str,
    /// As the first of them spells it.
    pub shown: String,
}

/// What is to be written for headers that stand there too often.
///
/// # Errors
/// The first of which that cannot be said.
pub fn settle(section: &Section, what: Duplicates) -> Result<Vec<Once>, Several> {
    let mut settled = Vec::new();
    let mut octets = 0;
    for (header, rule) in ONCE {
        let mut fields = section.named(header);
        let (Some(first), Some(second)) = (fields.next(), fields.next()) else {
            continue;
        };
        let all: Vec<_> = [first, second].into_iter().chain(fields).collect();
        let one = match what {
            Duplicates::Keep => continue,
            Duplicates::Refuse => None,
            Duplicates::First => first
                .rewritable()
                .map(|body| (body.to_owned(), "the first is left")),
            Duplicates::Repair => one_of(rule, &all),
        };
        let one = one.filter(|(body, _)| {
            octets += body.len();
            octets <= WRITTEN
        });
        // Readers take the first of the one kind, and all of the other, without our help.
        let harmless = matches!(rule, Rule::First | Rule::Joined);
        let (body, done) = match one {
            Some((body, done)) => (Some(body), done),
            None if harmless && what == Duplicates::Repair => (None, "and is too long to be one"),
            None => {
                let shown = first.name();
                return Err(Several { header, shown });
            }
        };
        settled.push(Once {
            name: first.name(),
            body,
            reason: format!("{header} stood there more than once, {done}"),
        });
    }
    Ok(settled)
}

/// One field for all; `None` where it cannot be told which.
fn one_of(rule: Rule, fields: &[Field<'_>]) -> Option<(String, &'static str)> {
    if fields.iter().any(Field::is_cut) {
        return None;
    }
    // A form writes what nobody has filled in as well.
    let said: Vec<_> = (fields.iter())
        .map(|field| (field, words(&field.value())))
        .filter(|(_, words)| !words.is_empty())
        .collect();
    let Some(((first, value), others)) = said.split_first() else {
        return Some((String::new(), "and says nothing"));
    };
    let same_words = others.iter().all(|(_, other)| other == value);
    let (done, joined) = match rule {
        _ if same_words => ("with the same words: one is left", None),
        Rule::First => ("the first is left", None),
        Rule::Joined => {
            let mut distinct: Vec<&str> = Vec::new();
            for (_, words) in &said {
                if !distinct.contains(&words.as_str()) {
                    distinct.push(words);
                }
            }
            let lists = distinct
                .iter()
                .map(|list| list.trim_end_matches([',', ' ']));
            let joined = lists.collect::<Vec<_>>().join(", ");
            ("they are joined", Some(joined))
        }
        Rule::SameAddresses => {
            let addresses = addresses(value)?;
            let mut others = others.iter();
            let same = others.all(|(_, other)| self::addresses(other).as_ref() == Some(&addresses));
            if !same {
                return None;
            }
            ("with the same addresses: the first is left", None)
        }
        Rule::SameWords => return None,
    };
    let body = match (joined, first.rewritable()) {
        (Some(joined), _) => folded(&joined)?,
        (None, Some(body)) => body.to_owned(),
        // Octets that are not written again; nobody answers to those of a date.
        (None, None) if rule == Rule::SameWords => return None,
        (None, None) => folded(value)?,
    };
    Some((body, done))
}

/// The words with one space between them, and no control characters.
fn words(value: &str) -> String {
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    let words = value.split(is_gap).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Whom a field names, where all readers agree.
fn addresses(value: &str) -> Option<BTreeSet<String>> {
    let addresses = mailboxes::addresses(value).ok()?;
    Some(
        addresses
            .iter()
            .map(|address| address.to_lowercase())
            .collect(),
    )
}

/// Words as they may be written, folded; `None` where a word is too long for any line.
fn folded(words: &str) -> Option<String> {
    let mut body = String::new();
    // The name stands before it.
    let mut column = LINE / 4;
    for word in words.split(' ') {
        if word.len() > WORD {
            return None;
        }
        if !body.is_empty() {
            let folds = column + 1 + word.len() > LINE;
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
    fn words_are_folded_and_stay_the_same_words() {
        let long = "<1234567890123456789012345678901234567890@x.example> ".repeat(40);
        let body = folded(&words(&long)).unwrap();
        assert!(body.split("\r\n").all(|line| line.len() <= LINE));
        assert_eq!(words(&body), words(&long));
        assert_eq!(folded(&"x".repeat(WORD + 1)), None);
    }
}
