//! Whether a list of mailboxes has one meaning (RFC 5322 section 3.4).
//!
//! Of `<a@one.example> <b@two.example>` one reader takes the first address and another the last:
//! what is proved about the one says nothing of what people see. Such a From has no author. An
//! address before the angle brackets is let be, though the RFC wants it quoted: many write so, and
//! all readers take what is in the brackets.

/// Whether each mailbox of the list is written so that every reader finds the same address.
pub(super) fn mailboxes(list: &str) -> bool {
    let mut mailbox = Mailbox::default();
    let mut characters = list.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' | '(' => {
                if !skip(&mut characters, character) {
                    return false;
                }
                if character == '"' {
                    mailbox.text();
                }
            }
            '<' => mailbox.open(),
            '>' => mailbox.close(),
            ',' | ';' | ':' if !mailbox.is_open() => {
                if !std::mem::take(&mut mailbox).is_clear() {
                    return false;
                }
            }
            ' ' | '\t' => mailbox.in_word = false,
            // A source route, or nothing that anyone should write.
            ':' | '\\' => return false,
            control if control.is_control() => return false,
            other => {
                mailbox.text();
                mailbox.ats += u32::from(other == '@');
            }
        }
    }
    mailbox.is_clear()
}

/// Past the end of a quoted string or comment; false where there is none.
fn skip(characters: &mut std::str::Chars<'_>, opening: char) -> bool {
    let mut depth = 1;
    while let Some(character) = characters.next() {
        match (opening, character) {
            (_, '\\') => {
                characters.next();
            }
            ('"', '"') | ('(', ')') => depth -= 1,
            ('(', '(') => depth += 1,
            _ => {}
        }
        if depth == 0 {
            return true;
        }
    }
    false
}

/// What was seen of one mailbox, in its brackets once they are open.
#[derive(Default)]
struct Mailbox {
    brackets: Brackets,
    words: u32,
    in_word: bool,
    ats: u32,
    wrong: bool,
}

#[derive(Default, PartialEq)]
enum Brackets {
    #[default]
    None,
    Open,
    Closed,
}

impl Mailbox {
    fn is_open(&self) -> bool {
        self.brackets == Brackets::Open
    }

    fn text(&mut self) {
        self.wrong |= self.brackets == Brackets::Closed;
        self.words += u32::from(!self.in_word);
        self.in_word = true;
    }

    fn open(&mut self) {
        *self = Self {
            wrong: self.wrong || self.brackets != Brackets::None,
            brackets: Brackets::Open,
            ..Self::default()
        };
    }

    fn close(&mut self) {
        self.wrong |= self.brackets != Brackets::Open;
        self.brackets = Brackets::Closed;
    }

    /// One address at most, of one word.
    fn is_clear(&self) -> bool {
        !self.wrong && !self.is_open() && self.ats <= 1 && (self.ats == 0 || self.words == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_found_by_every_reader() {
        for list in [
            "a@b.example",
            "A B <a@b.example>",
            "\"a, <x@y.example>\" <a@b.example> (he)",
            "c@d.example <a@b.example>",
            "=?utf-8?q?x=40y?= <a@b.example>, c@d.example",
            "group: a@b.example, <c@d.example>;",
            "\"a b\"@c.example",
            "",
        ] {
            assert!(mailboxes(list), "{list:?}");
        }
    }

    #[test]
    fn what_has_two_meanings_has_none() {
        for list in [
            "<a@b.example> <c@d.example>",
            "<a@b.example> c@d.example",
            "a@b.example c@d.example",
            "\"a@b.example\" c@d.example",
            "a@b@c.example",
            "<a@b.example c@d.example>",
            "<@b.example:c@d.example>",
            "<<a@b.example>>",
            "<a@b.example",
            "a@b.example>",
            "\"a@b.example",
            "(a@b.example",
            "a\0@b.example",
        ] {
            assert!(!mailboxes(list), "{list:?}");
        }
    }
}
