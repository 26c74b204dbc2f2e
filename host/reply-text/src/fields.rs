//! Blocks of header fields above a quotation, as Outlook and forwarded mail have them:
//! "From: … Sent: … To: … Subject: …", in the words of each language.

use crate::languages::{LANGUAGES, LanguageWords};
use crate::lines::{LineKind, TextLine, comparable};

/// The most lines of a block.
const MOST_LINES: usize = 14;

/// The most lines together that continue a field: lists of recipients.
const MOST_CONTINUED: usize = 3;

/// The most octets of a field's name, with markup.
const LONGEST_NAME: usize = 40;

/// Role of a header field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldRole {
    From = 1,
    Date = 2,
    To = 4,
    Subject = 8,
    Other = 16,
    /// One of the fields has an address.
    Address = 32,
}

/// Roles of a line's field, for each language.
type Roles = [u8; LANGUAGES.len()];

/// Returns true if a block of header fields begins with this line.
pub(crate) fn begin_with(lines: &[TextLine<'_>], first: usize) -> bool {
    let Some(mut found) = roles(&lines[first]) else {
        return false;
    };
    let mut continued = 0;
    for line in lines.iter().take(first + MOST_LINES).skip(first + 1) {
        match (line.kind, roles(line)) {
            (_, Some(roles)) => {
                continued = 0;
                for (found, role) in found.iter_mut().zip(roles) {
                    *found |= role;
                }
                if found.iter().any(|roles| is_enough(*roles)) {
                    return true;
                }
            }
            (LineKind::Quoted, None) => return false,
            (_, None) => continued += 1,
        }
        if continued > MOST_CONTINUED {
            return false;
        }
    }
    false
}

fn is_enough(roles: u8) -> bool {
    let has = |role: FieldRole| roles & role as u8 != 0;
    // People write From, To and Date, too, when they book a journey.
    let is_of_mail = has(FieldRole::Subject) || has(FieldRole::Address);
    let others = [FieldRole::Date, FieldRole::To, FieldRole::Subject];
    has(FieldRole::From) && is_of_mail && others.into_iter().filter(|role| has(*role)).count() >= 2
}

/// Returns the roles of a line, if it has one in any language.
fn roles(line: &TextLine<'_>) -> Option<Roles> {
    if line.kind != LineKind::Written {
        return None;
    }
    // French has a space before the colon.
    let (name, value) = line.text.split_once(':')?;
    if name.len() > LONGEST_NAME {
        return None;
    }
    let address = match value.contains('@') {
        true => FieldRole::Address as u8,
        false => 0,
    };
    let name = comparable(name);
    let name = name.trim_matches(['*', ' ', '\u{a0}']);
    let of = |language: &LanguageWords| {
        let names = &language.fields;
        let roles = [
            (names.from, FieldRole::From),
            (names.date, FieldRole::Date),
            (names.to, FieldRole::To),
            (names.subject, FieldRole::Subject),
            (names.other, FieldRole::Other),
        ];
        let role = roles.iter().filter(|(names, _)| names.contains(&name));
        role.fold(0, |all, (_, role)| all | *role as u8)
    };
    let roles = LANGUAGES.each_ref().map(of);
    let roles = roles.map(|role| if role == 0 { 0 } else { role | address });
    roles.iter().any(|role| *role != 0).then_some(roles)
}
