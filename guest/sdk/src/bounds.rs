//! Bounds on what a policy reads of a message and asks for.
//!
//! The sender of a message chooses its length and the number of its pieces. A policy that reads all
//! of it, and says something about each piece, can be driven past the limits of a call: time,
//! memory, octets of the decision. So everything that this crate hands out and takes is bounded, in
//! this one place:
//!
//! - **Read**: a header section of [`SECTION`] octets and [`FIELDS`] fields; of each field
//!   [`FIELD`] octets; of an address field [`ADDRESSES`] addresses in [`LIST`] octets. A value that
//!   may be shorter than the message's can be asked if it [was
//!   cut](crate::header::Section::is_cut).
//! - **Said**: what a [`Decision`](crate::Decision) records stays below what the relay takes of one
//!   call. Reasons are shortened, and past [`REASONS`] only counted; keys over [`KEY`] octets are
//!   hashed; text too long for a field is left out, with a reason.
//!
//! Honest mail stays far below these bounds: the longest header sections of the large servers have
//! some hundred fields in some 100 KiB.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

/// Octets of a header section that are read. More than `header-size` lets through by default (1
/// MiB), because policies of the same chain may have added fields.
pub const SECTION: usize = 1280 << 10;

/// Fields of a header section that are read.
pub const FIELDS: usize = 2_000;

/// Octets of one field's body that are read; the relay writes no longer ones either.
pub const FIELD: usize = 64 << 10;

/// Octets of an address field, and of all fields of one name together, that are searched for
/// addresses: reading addresses costs more than reading text.
pub const LIST: usize = 24 << 10;

/// Addresses that are read from all fields of one name.
pub const ADDRESSES: usize = 500;

/// Octets of an address: a local part four times as long as RFC 5321 section 4.5.3.1.1 allows does
/// not fit with the longest domain; a longer text is nobody's mailbox.
pub const ADDRESS: usize = 320;

/// Octets of an unstructured field, such as Subject, that are decoded.
pub const TEXT: usize = 8 << 10;

/// Message ids that are read from a field.
pub const IDS: usize = 500;

/// Reasons that are recorded; further ones are only counted.
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
pub const REPLY: usize = crate::Reply::LONGEST_TEXT;

/// Octets of the reason for a quarantine.
pub const QUARANTINE: usize = 1 << 10;

/// Octets of all counts, marks and machines of a decision, as the relay counts them.
pub const EFFECTS: usize = 80 << 10;

/// Counts, marks and machines of a decision.
pub const REMEMBERED: usize = 500;

/// Octets of all edits of a decision.
pub const EDITS: usize = 48 << 10;

/// Edits of a decision.
pub const CHANGES: usize = 300;

/// Field names that a decision protects.
pub const PROTECTED: usize = 100;

/// Octets of verdicts on single recipients; past it, their texts are replaced by a short one.
pub const JUDGEMENTS: usize = 48 << 10;

/// Recipients that can be judged one by one. With more, the message has to wait, and its sender to
/// divide it (RFC 5321 section 4.5.3.1.10).
pub const JUDGED: usize = 1_200;

/// Log lines of one call.
pub const LOG_LINES: usize = 20;

/// Octets that the relay counts for each entry of a decision besides its text.
pub(crate) const ENTRY: usize = 16;

/// Text about a recipient once [`JUDGEMENTS`] is used up.
pub(crate) const LIKE_OTHERS: &str = "as others of this message";

/// Returns a key as counts and marks use it: as it is, or with a hash in the place of the part that
/// is too long.
///
/// [`Decision`](crate::Decision) and [`Facts`](crate::Facts) call it by themselves, so that a count
/// is found under the key that it was added to.
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

/// Returns a substitute for a key, or for a part of one, of 51 octets at most: its first word and a
/// hash of it.
///
/// ```
/// let one = gatepost_sdk::bounds::hashed("ann@x.example");
/// assert_ne!(one, gatepost_sdk::bounds::hashed("bob@x.example"));
/// assert!(one.len() <= 51);
/// ```
pub fn hashed(key: &str) -> Cow<'static, str> {
    // The key's kind stays legible.
    let kind = key.split(' ').next().unwrap_or_default();
    let kind = kind.get(..kind.floor_char_boundary(16)).unwrap_or_default();
    // The hash is cryptographic: whoever could find two keys with one hash could have their mail
    // counted as somebody else's.
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

/// Shortens a text to so many octets, with an ellipsis if something is missing.
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

/// Returns the beginning of a list, at most so many octets, that ends between two of its members:
/// half an address would be another address. Members end with a comma or white space.
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

/// Returns the body of a field as the relay writes it: folded at white space if a line would be too
/// long (RFC 5322 section 2.1.1). `None` if a word, or the whole body, is too long.
pub(crate) fn folded(value: &str) -> Option<Cow<'_, str>> {
    /// Octets of the first line, which has the field's name in front.
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
            // The white space begins the next line, which must hold more than that.
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
    fn different_long_keys_have_different_hashes() {
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
        /// Asserts that the relay takes a folded body, and that it says the same.
        #[test]
        fn folding_keeps_the_content(words in prop::collection::vec("[a-z<>@,é]{1,300}", 1..40)) {
            let value = words.join(" ");
            let written = folded(&value);
            prop_assert!(written.is_some());
            let written = written.unwrap_or_default();
            prop_assert!(gatepost_message::FieldBody::new(&written).is_ok(), "{}", written);
            prop_assert_eq!(written.replace("\r\n", ""), value);
        }

        #[test]
        fn bounding_any_text_stays_within_the_bound(text in any::<String>(), most in 0usize..200) {
            prop_assert!(list(&text, most).len() <= most.max(text.len().min(most)));
            prop_assert!(shortened(&text, most.max(3)).len() <= most.max(3));
            prop_assert!((1..=KEY).contains(&key(&text).len()));
            prop_assert!(crate::Reply::new(550, "5.0.0", text.as_str()).text.len() <= REPLY);
            let _ = folded(&text);
        }
    }
}
