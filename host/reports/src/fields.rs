//! Groups of fields in machine-readable parts (RFC 3464 section 2.1): like header sections, one
//! after another, divided by empty lines.

use crate::bounds::{LONGEST_LINE, MOST_FIELDS, text};

/// Fields of one group, in order.
#[derive(Debug, Default, Clone)]
pub(crate) struct Group {
    fields: Vec<(String, String)>,
}

impl Group {
    /// Returns the value of the first field of a name that has one.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns the values of all fields of a name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let of = self.fields.iter();
        let of = of.filter(move |(field, value)| {
            field.eq_ignore_ascii_case(name) && !value.trim().is_empty()
        });
        of.map(|(_, value)| value.trim())
    }

    /// Returns true if it has a field of one of these names.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.get(name).is_some())
    }
}

/// Reads the groups of a part. Lines that are no field end a group and are left out. A field of
/// `unique` that a group has already begins another one: some mail systems leave out the empty line.
pub(crate) fn groups(body: &str, unique: &[&str]) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut group = Group::default();
    let mut count = 0;
    let mut folds = false;
    for line in body.lines() {
        let line = text(line.trim_end(), LONGEST_LINE);
        if folds && line.starts_with([' ', '\t']) && !line.trim().is_empty() {
            if let Some((_, value)) = group.fields.last_mut()
                && value.len() < 2 * LONGEST_LINE
            {
                value.push(' ');
                value.push_str(line.trim());
            }
            continue;
        }
        folds = false;
        let Some((name, value)) = field(line) else {
            end(&mut groups, &mut group);
            continue;
        };
        let repeats = unique.iter().any(|of| of.eq_ignore_ascii_case(name));
        if repeats && group.has(&[name]) {
            end(&mut groups, &mut group);
        }
        count += 1;
        if count > MOST_FIELDS {
            break;
        }
        group.fields.push((name.to_owned(), value.to_owned()));
        folds = true;
    }
    end(&mut groups, &mut group);
    groups
}

fn end(groups: &mut Vec<Group>, group: &mut Group) {
    if !group.fields.is_empty() {
        groups.push(std::mem::take(group));
    }
}

/// Returns the name and the value of a line that is a field.
pub(crate) fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_end();
    let is_name = !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    is_name.then_some((name, value))
}

/// Returns the value behind the type of a typed field (RFC 3464 section 2.1.2): `dns; mx.example`.
pub(crate) fn untyped(value: &str) -> &str {
    match value.split_once(';') {
        Some((kind, rest)) if kind.trim().len() <= 20 && !kind.contains(['@', '<', '"']) => {
            rest.trim()
        }
        _ => value.trim(),
    }
}
