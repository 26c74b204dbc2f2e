//! Edits to the header section, and the message that results from them.
//!
//! Edits apply in their order, each to the result of the earlier ones. Applying them one by one
//! would read the header section once for each; instead their combined result is worked out by
//! name, and the header section is copied once.

use std::collections::HashMap;

use bytes::{BufMut, BytesMut};
use serde::{Deserialize, Serialize};

use crate::{Field, FieldBody, FieldName, Message, TolerantNames, field::Caseless};

/// One change to a header section.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Edit {
    /// Adds a field on top of the header section.
    Add {
        /// Name of the field.
        name: FieldName,
        /// Body of the field.
        body: FieldBody,
    },
    /// Removes every field of that name.
    Remove {
        /// Name of the fields.
        name: FieldName,
    },
    /// Replaces the first field of that name in its place and removes the others; adds the field on
    /// top if there is none.
    Set {
        /// Name of the field.
        name: FieldName,
        /// New body of the field.
        body: FieldBody,
    },
}

impl Edit {
    /// Returns the name of the fields that it changes.
    pub fn name(&self) -> &FieldName {
        match self {
            Self::Add { name, .. } | Self::Remove { name } | Self::Set { name, .. } => name,
        }
    }

    /// Returns the octets of the field that it writes.
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
type NewField<'e> = (&'e FieldName, &'e FieldBody);

/// Change to the fields of one name that the message had.
#[derive(Default)]
enum OldFields<'e> {
    /// They are removed, or there were none.
    #[default]
    Removed,
    /// They are kept as they are.
    Kept,
    /// The first is replaced, the others are removed.
    Replaced(NewField<'e>),
}

/// Combined result of the edits so far for one name.
#[derive(Default)]
struct NameChange<'e> {
    old: OldFields<'e>,
    /// Positions of fields added on top, in the order of adding.
    added: Vec<usize>,
}

impl Message {
    /// Returns the message that results from the edits, in their order. Fields are written as
    /// `Name: body` and CRLF. Every octet outside the named fields stays as it is, and the body is
    /// shared.
    ///
    /// "On top" is below any indented lines before the first field, which would otherwise continue
    /// the new field. If there is a body but no header section, not even an empty line, a field on
    /// top is followed by an empty line, so that the body stays body.
    #[must_use]
    pub fn edited(&self, edits: &[Edit]) -> Message {
        if edits.is_empty() {
            return self.clone();
        }
        let mut changes: HashMap<Caseless<'_>, NameChange<'_>> = HashMap::new();
        for edit in edits {
            changes.entry(edit.name().caseless()).or_default();
        }
        for field in self.fields() {
            if let Some(change) = changes.get_mut(&Caseless(field.name_raw())) {
                change.old = OldFields::Kept;
            }
        }
        let added = combine(edits, &mut changes);

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
            let old = changes
                .get_mut(&Caseless(field.name_raw()))
                .map(|change| &mut change.old);
            match old {
                None | Some(OldFields::Kept) => head.put_slice(field.raw()),
                Some(OldFields::Removed) => {}
                Some(old) => {
                    if let OldFields::Replaced(new) = std::mem::take(old) {
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
    /// Returns the message without the fields for which `remove` is true. Every other octet stays
    /// as it is, and the body is shared.
    #[must_use]
    pub fn without(&self, remove: impl Fn(&Field<'_>) -> bool) -> Message {
        if !self.fields().any(|field| remove(&field)) {
            return self.clone();
        }
        let (preamble, _) = self.head().split_at(self.index().start_of_fields());
        let mut head = BytesMut::with_capacity(self.head().len());
        head.put_slice(preamble);
        for field in self.fields().filter(|field| !remove(field)) {
            head.put_slice(field.raw());
        }
        head.put_slice(&self.head()[self.index().end_of_fields()..]);
        self.with_head(head.freeze())
    }
}

impl Message {
    /// Returns the message without the indented lines above its first field, if some reader might
    /// find a field of one of these names in them. By RFC 5322 such lines mean nothing, since they
    /// continue no field; but some software trims and reads them.
    #[must_use]
    pub fn without_preamble_like(&self, names: &TolerantNames) -> Message {
        let (preamble, rest) = self.head().split_at(self.index().start_of_fields());
        match names.in_lines(preamble) {
            true => self.with_head(self.head().slice_ref(rest)),
            false => self.clone(),
        }
    }

    /// Returns the message with an empty line between header section and body, if [a line that is
    /// no field](Self::ends_in_no_field) ended the section, so that no reader looks for fields
    /// after it.
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

/// Works out the combined result of the edits; returns the fields added on top, top to bottom.
fn combine<'e>(
    edits: &'e [Edit],
    changes: &mut HashMap<Caseless<'e>, NameChange<'e>>,
) -> Vec<NewField<'e>> {
    // In the order of adding, with gaps for fields that a later edit removed.
    let mut added = Vec::new();
    for edit in edits {
        let change = changes.entry(edit.name().caseless()).or_default();
        match edit {
            Edit::Add { name, body } => {
                change.added.push(added.len());
                added.push(Some((name, body)));
            }
            Edit::Remove { .. } => {
                change.old = OldFields::Removed;
                for position in change.added.drain(..) {
                    added[position] = None;
                }
            }
            Edit::Set { name, body } => {
                if let Some(topmost) = change.added.pop() {
                    for position in change.added.drain(..) {
                        added[position] = None;
                    }
                    added[topmost] = Some((name, body));
                    change.added.push(topmost);
                    change.old = OldFields::Removed;
                } else if matches!(change.old, OldFields::Removed) {
                    change.added.push(added.len());
                    added.push(Some((name, body)));
                } else {
                    change.old = OldFields::Replaced((name, body));
                }
            }
        }
    }
    added.into_iter().rev().flatten().collect()
}

fn write(head: &mut BytesMut, (name, body): NewField<'_>) {
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
    fn a_preamble_that_might_be_read_as_our_field_is_removed() {
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
    fn a_missing_end_of_the_section_is_marked() {
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
    fn removing_fields_keeps_every_other_octet() {
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
