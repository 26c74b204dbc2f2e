//! Selection of the signed fields (RFC 6376 section 5.4.2): for each name in `h=`, the lowest field
//! of that name that is not selected yet, or nothing if there is none.
//!
//! The positions of each name are found once for all signatures of a message, so that the cost of a
//! thousand names in `h=`, or of ten thousand fields, is proportional to their number.

use std::collections::HashMap;

use gatepost_message::{Field, Message};

use super::{MessageSignature, Signed};

/// Field as name and value: the bytes before and after its colon, with the line end.
pub(crate) type RawField<'a> = (&'a [u8], &'a [u8]);

/// Splits a field into name and value, as canonicalisation needs them.
pub(crate) fn name_and_value<'a>(field: &Field<'a>) -> RawField<'a> {
    let raw = field.raw();
    let colon = raw.iter().position(|byte| *byte == b':');
    let (name, value) = raw.split_at(colon.unwrap_or_default());
    (name, value.get(1..).unwrap_or_default())
}

/// Fields of a message, with the positions of each name.
pub(crate) struct RawFields<'a> {
    fields: Vec<RawField<'a>>,
    by_name: HashMap<Vec<u8>, Vec<usize>>,
}

impl<'a> RawFields<'a> {
    pub(crate) fn of(message: &'a Message) -> Self {
        let fields: Vec<_> = message
            .fields()
            .map(|field| name_and_value(&field))
            .collect();
        let mut by_name: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (position, (name, _)) in fields.iter().enumerate() {
            by_name.entry(key(name)).or_default().push(position);
        }
        Self { fields, by_name }
    }

    /// Returns the fields that a signature covers, in the order of `h=`, and last the signature
    /// itself.
    pub(crate) fn signed<'b>(&'b self, signature: &'b MessageSignature) -> Vec<RawField<'b>> {
        let mut taken: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut fields = Vec::with_capacity(signature.names.len() + 1);
        for name in &signature.names {
            let name = key(name);
            let Some(positions) = self.by_name.get(&name) else {
                continue;
            };
            let taken = taken.entry(name).or_default();
            if let Some(position) = positions.iter().rev().nth(*taken) {
                fields.push(self.fields[*position]);
                *taken += 1;
            }
        }
        fields.push(own_field(&signature.signed));
        fields
    }
}

/// Returns the signature's own field as it was when the signature was made.
pub(crate) fn own_field(signed: &Signed) -> RawField<'_> {
    (&signed.name, &signed.unsigned)
}

fn key(name: &[u8]) -> Vec<u8> {
    name.trim_ascii_end().to_ascii_lowercase()
}
