//! How much of a message a policy reads, and how much it may say about it.
//!
//! Whoever sends a message chooses how long it is and of how many pieces. A policy that reads all
//! of it, and says something about each piece, can be driven past the limits of a call: time,
//! memory, octets of the decision. So what this crate hands out and takes is bounded, here and in
//! one place:
//!
//! - **Read**: a header section of [`SECTION`] octets and [`FIELDS`] fields; of each field
//!   [`FIELD`] octets; of an address field [`ADDRESSES`] addresses in [`LIST`] octets. What says less
//!   than the message does can be asked whether it [was cut](crate::header::Section::is_cut).
//! - **Said**: what a [`Decision`](crate::Decision) records stays below what the relay takes of one
//!   call. Reasons are shortened and past [`REASONS`] only counted; keys over [`KEY`] octets are
//!   hashed; what is too long for a field is left out, with a reason.
//!
//! Honest mail comes nowhere near: the longest header sections of the large servers have some
//! hundred fields in some 100 KiB.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

/// Octets of a header section that are read. More than `header-size` lets through by default
/// (1 MiB), for policies of the same chain may have added something.
pub const SECTION: usize = 1280 << 10;

/// Fields of a header section that are read.
pub const FIELDS: usize = 2_000;

/// Octets of one field's body that are read; the relay writes no longer ones either.
pub const FIELD: usize = 64 << 10;

/// Octets of an address field, and of all of one name together, in which addresses are looked for: to
/// read them costs more than to read a text.
pub const LIST: usize = 24 << 10;

/// Addresses that are read of all fields of one name.
pub const ADDRESSES: usize = 500;

/// Octets of an address: a local part four times as long as RFC 5321 section 4.5.3.1.1 allows does
/// not fit with the longest domain; what is longer is no mailbox of anybody's.
pub const ADDRESS: usize = 320;

/// Octets of an unstructured field, such as Subject, that are decoded.
pub const TEXT: usize = 8 << 10;

/// Message ids that are read of a field.
pub const IDS: usize = 500;

/// Reasons that are recorded; of more it is said how many.
pub const REASONS: usize = 20;

/// Octets of a reason.
pub const REASON: usize = 500;

/// Tags of a decision.
pub const TAGS: usize = 20;

/// Octets of a tag.
pub const TAG: usize = 64;

/// Octets of the key of a count or mark; a longer one is [hashed](key).
pub const KEY: usize = 128;

/// Octets of the evidence that an address is a machine's.
pub const EVIDENCE: usize = 200;

/// Octets of a reply's text.
pub const REPLY: usize = 400;

/// Octets of the reason for a quarantine.
pub const QUARANTINE: usize = 1 << 10;

/// Octets of all counts, marks and machines of a decision, as the relay counts them.
pub const EFFECTS: usize = 80 << 10;

/// How many counts, marks and machines a decision has.
pub const REMEMBERED: usize = 500;

/// Octets of all edits of a decision.
pub const EDITS: usize = 48 << 10;

/// How many edits a decision has.
pub const CHANGES: usize = 300;

/// How many names of fields a decision protects.
pub const PROTECTED: usize = 100;

/// Octets of what is said about recipients one by one; past it, it is said in short.
pub const JUDGEMENTS: usize = 48 << 10;

/// Recipients that can be judged one by one. Where there are more the message has to wait, and its
/// sender to divide it (RFC 5321 section 4.5.3.1.10).
pub const JUDGED: usize = 1_200;

/// Log lines of a call, and octets of each.
pub const LOG_LINES: usize = 20;

/// What the relay counts for each entry of a decision besides its octets.
pub(crate) const ENTRY: usize = 16;

/// What it says of a recipient where [`JUDGEMENTS`] is used up.
pub(crate) const LIKE_OTHERS: &str = "as others of this message";

/// A key as counts and marks go by: as it is, or with a hash in the place of what is too long.
///
/// [`Decision`](crate::Decision) and [`Facts`](crate::Facts) do it by themselves, so that what was
/// counted under a key is found under it.
///
/// ```
/// use gatepost_sdk::bounds;
///
/// assert_eq!(bounds::key("from ann@x.example"), "from ann@x.example");
/// let long = format!("from {}@x.example", "ann".repeat(100));
/// assert!(bounds::key(&long).starts_with("from #"));
/// assert!(bounds::key(&long).len() <= bounds::KEY);
/// ```
pub fn key(key: &str) -> Cow<'_, str> {
    if !key.is_empty() && key.len() <= KEY {
        return Cow::Borrowed(key);
    }
    hashed(key)
}

/// What stands for a key, or for a part of one, in 51 octets at most: its first word, and a hash of it.
///
/// ```
/// let one = gatepost_sdk::bounds::hashed("ann@x.example");
/// assert_ne!(one, gatepost_sdk::bounds::hashed("bob@x.example"));
/// assert!(one.len() <= 51);
/// ```
pub fn hashed(key: &str) -> Cow<'static, str> {
    // What it is a key of stays legible.
    let kind = key.split(' ').next().unwrap_or_default();
    let kind = kind.get(..kind.floor_char_boundary(16)).unwrap_or_default();
    // Cryptographic, and not merely quick: whoever could find two keys with one hash could have
    // their mail counted as somebody else's.
    let hash = Sha256::digest(key.as_bytes());
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let mut hashed = String::with_capacity(KEY);
    hashed.push_str(kind);
    hashed.push_str(" #");
    for octet in hash.iter().take(16) {
        hashed.push(digit(octet >> 4));
        hashed.push(digit(octet & 15));
    }
    Cow::Owned(hashed)
}

/// A text shortened to so many octets, with an ellipsis where something is missing.
///
/// ```
/// use gatepost_sdk::bounds::shortened;
///
/// assert_eq!(shortened("all of it", 20), "all of it");
/// assert_eq!(shortened("a part of it", 9), "a part…");
/// ```
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(most.saturating_sub('…'.len_utf8()));
    let kept = text.get(..end).unwrap_or_default();
    Cow::Owned(format!("{}…", kept.trim_end()))
}

/// The beginning of a list, at most so many octets, that ends between two of its members: half an
/// address would be another address. Members end with a comma or white space.
///
/// ```
/// use gatepost_sdk::bounds::list;
///
/// assert_eq!(list("ann@x.example, bob@x.example", 20), "ann@x.example,");
/// assert_eq!(list("ann@x.example", 20), "ann@x.example");
/// ```
pub fn list(text: &str, most: usize) -> &str {
    let Some(beginning) = text.get(..text.floor_char_boundary(most)) else {
        return text;
    };
    if beginning.len() == text.len() {
        return text;
    }
    let ends = |c: char| matches!(c, ',' | ';' | ' ' | '\t' | '\r' | '\n');
    let end = beginning.rfind(ends).map_or(0, |at| at + 1);
    beginning.get(..end).unwrap_or_default().trim_end()
}

/// The body of a field as the relay writes it: folded at white space where a line would be too
/// long (RFC 5322 section 2.1.1). `None` where that cannot be done: a word is too long, or all of it.
pub(crate) fn folded(value: &str) -> Option<Cow<'_, str>> {
    /// The first line has the name on it.
    const FIRST: usize = 900;
    const LINE: usize = 990;

    if value.len() > FIELD {
        return None;
    }
    let limit = |position: usize| if position == 0 { FIRST } else { LINE };
    let mut lines = value.split("\r\n").enumerate();
    if lines.all(|(position, line)| line.len() <= limit(position)) {
        return Some(Cow::Borrowed(value));
    }
    let mut written = String::with_capacity(value.len() + value.len() / 256);
    for (position, line) in value.split("\r\n").enumerate() {
        if position > 0 {
            written.push_str("\r\n");
        }
        let mut rest = line;
        let mut limit = limit(position);
        while rest.len() > limit {
            let beginning = rest.get(..rest.floor_char_boundary(limit))?;
            // The white space is the beginning of the next line, which must hold more than that.
            let at = beginning.rfind(' ').filter(|at| {
                let before = beginning.get(..*at).unwrap_or_default();
                !before.trim().is_empty()
            })?;
            let (line, next) = rest.split_at_checked(at)?;
            if next.trim().is_empty() {
                rest = line;
                break;
            }
            written.push_str(line);
            written.push_str("\r\n");
            rest = next;
            limit = LINE;
        }
        written.push_str(rest);
    }
    (written.len() <= FIELD).then_some(Cow::Owned(written))
}

/// One line of printable US-ASCII, as the text of a reply has to be.
pub(crate) fn reply(text: &str) -> Cow<'_, str> {
    let printable = |octet: u8| matches!(octet, b' '..=b'~');
    if text.len() <= REPLY && text.bytes().all(printable) {
        return Cow::Borrowed(text);
    }
    let plain = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
    Cow::Owned(text.chars().take(REPLY).map(plain).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_is_cut_between_its_members() {
        let text = "a@x.example,b@y.example";
        assert_eq!(list(text, 100), text);
        assert_eq!(list(text, 22), "a@x.example,");
        assert_eq!(list(text, 5), "");
        assert_eq!(list("é,é", 3), "é,");
    }

    #[test]
    fn keys_differ_where_what_they_stand_for_does() {
        let one = format!("in {}", "a".repeat(600));
        let other = format!("in {}", "a".repeat(601));
        assert_ne!(key(&one), key(&other));
        assert_ne!(key(""), "");
    }

    #[test]
    fn sixty_addresses_are_folded() {
        let all: Vec<_> = (0..60)
            .map(|n| format!("<colleague.{n}@partner.example>"))
            .collect();
        let all = all.join(", ");
        let folded = folded(&all).unwrap();
        assert_eq!(folded.replace("\r\n", ""), all);
        assert!(folded.contains("\r\n "));
        assert!(gatepost_message::FieldBody::new(&folded).is_ok());
    }

    proptest! {
        /// What is folded is a body that the relay takes, and says the same.
        #[test]
        fn what_is_folded_is_written(words in prop::collection::vec("[a-z<>@,é]{1,300}", 1..40)) {
            let value = words.join(" ");
            let written = folded(&value);
            prop_assert!(written.is_some());
            let written = written.unwrap_or_default();
            prop_assert!(gatepost_message::FieldBody::new(&written).is_ok(), "{}", written);
            prop_assert_eq!(written.replace("\r\n", ""), value);
        }

        #[test]
        fn any_text_may_come(text in any::<String>(), most in 0usize..200) {
            prop_assert!(list(&text, most).len() <= most.max(text.len().min(most)));
            prop_assert!(shortened(&text, most.max(3)).len() <= most.max(3));
            prop_assert!((1..=KEY).contains(&key(&text).len()));
            prop_assert!(reply(&text).len() <= REPLY);
            let _ = folded(&text);
        }
    }
}
