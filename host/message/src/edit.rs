//! Edits to the header section, and the message that results from them.
//!
//! Edits are carried out in their order, each on what the earlier ones left. That is not done one
//! by one, which would read the header section once for each: what they come to is worked out by
//! name, and the header section is then copied once.

use std::collections::HashMap;

use bytes::{BufMut, BytesMut};
use serde::{Deserialize, Serialize};

use crate::{Field, FieldBody, FieldName, Message, TolerantNames, field::Caseless};

/// One change to a header section.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edit {
    /// Adds a field on top of the header section.
    Add {
        /// Its name.
        name: FieldName,
        /// What it says.
        body: FieldBody,
    },
    /// Removes every field of that name.
    Remove {
        /// The name.
        name: FieldName,
    },
    /// Replaces the first field of that name in its place and removes the others; adds it on top
    /// where there is none.
    Set {
        /// Its name.
        name: FieldName,
        /// What it says.
        body: FieldBody,
    },
}

impl Edit {
    /// The name of the fields it touches.
    pub fn name(&self) -> &FieldName {
        match self {
            Self::Add { name, .. } | Self::Remove { name } | Self::Set { name, .. } => name,
        }
    }

    /// Octets of the field that it writes.
    pub fn octets(&self) -> usize {
        match self {
            Self::Add { name, body } | Self::Set { name, body } => {
                name.as_str().len() + body.as_str().len() + ": \r\n".len()
            }
            Self::Remove { .. } => 0,
        }
    }
}

/// A field to be written.
type New<'e> = (&'e FieldName, &'e FieldBody);

/// What becomes of the fields of one name that the message had.
#[derive(Default)]
enum Fate<'e> {
    /// They go, or there never were any.
    #[default]
    Gone,
    /// They stay as they are.
    Kept,
    /// The first is replaced, the others go.
    Replaced(New<'e>),
}

/// What the edits so far come to for one name.
#[derive(Default)]
struct Outcome<'e> {
    fate: Fate<'e>,
    /// Positions of fields added on top, in the order of adding.
    added: Vec<usize>,
}

impl Message {
    /// The message that results from the edits, in their order. Fields are written as
    /// `Name: body` and CRLF. Every octet outside the named fields stays as it is, and the body is
    /// shared.
    ///
    /// "On top" is below any indented lines that precede the first field: they would continue what
    /// is put above them. Where there is a body and no header section, not even an
    /// empty line, a field on top brings an empty line with it: the body stays a body.
    #[must_use]
    pub fn edited(&self, edits: &[Edit]) -> Message {
        if edits.is_empty() {
            return self.clone();
        }
        let mut outcomes: HashMap<Caseless<'_>, Outcome<'_>> = HashMap::new();
        for edit in edits {
            outcomes.entry(edit.name().caseless()).or_default();
        }
        for field in self.fields() {
            if let Some(outcome) = outcomes.get_mut(&Caseless(field.name_raw())) {
                outcome.fate = Fate::Kept;
            }
        }
        let added = settle(edits, &mut outcomes);

        let new_octets: usize = edits.iter().map(Edit::octets).sum();
        let room = self.head().len() + new_octets + "\r\n".len();
        let mut head = BytesMut::with_capacity(room);
        let (preamble, _) = self.head().split_at(self.index().start_of_fields());
        head.put_slice(preamble);
        let cut_short = !preamble.is_empty() && !preamble.ends_with(b"\n");
        if cut_short && !added.is_empty() {
            head.put_slice(b"\r\n");
        }
        for field in &added {
            write(&mut head, *field);
        }
        let bare_body = self.index().length() == 0 && self.size() > 0;
        if bare_body && !added.is_empty() {
            head.put_slice(b"\r\n");
        }
        for field in self.fields() {
            let fate = outcomes
                .get_mut(&Caseless(field.name_raw()))
                .map(|outcome| &mut outcome.fate);
            match fate {
                None | Some(Fate::Kept) => head.put_slice(field.raw()),
                Some(Fate::Gone) => {}
                Some(fate) => {
                    if let Fate::Replaced(new) = std::mem::take(fate) {
                        write(&mut head, new);
                    }
                }
            }
        }
        head.put_slice(&self.head()[self.index().end_of_fields()..]);
        self.with_head(head.freeze())
    }
}

impl Message {
    /// The message without the fields of which `goes` is true. Every other octet stays as it is,
    /// and the body is shared.
    #[must_use]
    pub fn without(&self, goes: impl Fn(&Field<'_>) -> bool) -> Message {
        if !self.fields().any(|field| goes(&field)) {
            return self.clone();
        }
        let (preamble, _) = self.head().split_at(self.index().start_of_fields());
        let mut head = BytesMut::with_capacity(self.head().len());
        head.put_slice(preamble);
        for field in self.fields().filter(|field| !goes(field)) {
            head.put_slice(field.raw());
        }
        head.put_slice(&self.head()[self.index().end_of_fields()..]);
        self.with_head(head.freeze())
    }
}

impl Message {
    /// The message without the indented lines above its first field, if some reader might find a
    /// field of one of these names in them. They continue nothing, so they say nothing to whom
    /// RFC 5322 binds; but there is software that trims them and reads on.
    #[must_use]
    pub fn without_preamble_like(&self, names: &TolerantNames) -> Message {
        let (preamble, rest) = self.head().split_at(self.index().start_of_fields());
        match names.in_lines(preamble) {
            true => self.with_head(self.head().slice_ref(rest)),
            false => self.clone(),
        }
    }

    /// The message with an empty line between header section and body, where [a line that is no
    /// field](Self::ends_in_no_field) has ended the section, so that no reader goes on behind it.
    #[must_use]
    pub fn with_its_end_marked(&self) -> Message {
        if !self.ends_in_no_field() {
            return self.clone();
        }
        let mut head = BytesMut::with_capacity(self.head().len() + "\r\n".len());
        head.put_slice(self.head());
        head.put_slice(b"\r\n");
        self.with_head(head.freeze())
    }
}

/// Works out what the edits come to; gives the fields added on top, top to bottom.
fn settle<'e>(
    edits: &'e [Edit],
    outcomes: &mut HashMap<Caseless<'e>, Outcome<'e>>,
) -> Vec<New<'e>> {
    // In the order of adding, with gaps for those that a later edit took away.
    let mut added = Vec::new();
    for edit in edits {
        let outcome = outcomes.entry(edit.name().caseless()).or_default();
        match edit {
            Edit::Add { name, body } => {
                outcome.added.push(added.len());
                added.push(Some((name, body)));
            }
            Edit::Remove { .. } => {
                outcome.fate = Fate::Gone;
                for position in outcome.added.drain(..) {
                    added[position] = None;
                }
            }
            Edit::Set { name, body } => {
                if let Some(topmost) = outcome.added.pop() {
                    for position in outcome.added.drain(..) {
                        added[position] = None;
                    }
                    added[topmost] = Some((name, body));
                    outcome.added.push(topmost);
                    outcome.fate = Fate::Gone;
                } else if matches!(outcome.fate, Fate::Gone) {
                    outcome.added.push(added.len());
                    added.push(Some((name, body)));
                } else {
                    outcome.fate = Fate::Replaced((name, body));
                }
            }
        }
    }
    added.into_iter().rev().flatten().collect()
}

fn write(head: &mut BytesMut, (name, body): New<'_>) {
    head.put_slice(name.as_str().as_bytes());
    head.put_slice(b": ");
    head.put_slice(body.as_str().as_bytes());
    head.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::{Message, TolerantNames};

    #[test]
    fn a_preamble_goes_where_one_might_read_our_field_in_it() {
        let names = TolerantNames::new(["X-Ours"]);
        for (raw, left) in [
            (" X-Ours: 1\r\nA: 1\r\n\r\nb", "A: 1\r\n\r\nb"),
            ("\tx\r\n\tx-ours\r\n : 1\r\nA: 1\r\n", "A: 1\r\n"),
            (" X-Ours: 1\r\n\r\nb", "\r\nb"),
            (" Other: 1\r\nA: 1\r\n", " Other: 1\r\nA: 1\r\n"),
            ("A: 1\r\n X-Ours: 1\r\n", "A: 1\r\n X-Ours: 1\r\n"),
        ] {
            let message = Message::from_bytes(Bytes::from_static(raw.as_bytes()));
            let message = message.without_preamble_like(&names);
            assert_eq!(message.to_bytes().unwrap(), left, "{raw:?}");
        }
    }

    #[test]
    fn the_end_of_the_section_is_marked_where_nothing_marks_it() {
        for (raw, marked) in [
            ("A: 1\r\njunk\r\nB: 2\r\n", "A: 1\r\n\r\njunk\r\nB: 2\r\n"),
            ("junk\r\nB: 2\r\n", "\r\njunk\r\nB: 2\r\n"),
            ("A: 1\r\n\r\njunk", "A: 1\r\n\r\njunk"),
            ("A: 1\r\n", "A: 1\r\n"),
            ("A: 1", "A: 1"),
            ("\r\njunk", "\r\njunk"),
            ("", ""),
        ] {
            let message = Message::from_bytes(Bytes::from_static(raw.as_bytes()));
            let message = message.with_its_end_marked();
            assert_eq!(message.to_bytes().unwrap(), marked, "{raw:?}");
            assert_eq!(message.with_its_end_marked().size(), message.size());
        }
    }

    #[test]
    fn fields_go_and_every_other_octet_stays() {
        let raw = b"\tindented\r\nA : 1\r\n\t2\r\nb:\xff\nA: 3\r\n\r\nA: body\r\n";
        let message = Message::from_bytes(Bytes::from_static(raw));
        let left = message.without(|field| field.is("a"));
        let expected = b"\tindented\r\nb:\xff\n\r\nA: body\r\n";
        assert_eq!(left.to_bytes().unwrap(), expected.as_slice());
        assert_eq!(left.count("A"), 0);
        let same = message.without(|field| field.is("c"));
        assert_eq!(same.to_bytes().unwrap(), raw.as_slice());
    }
}
