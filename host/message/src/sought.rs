//! An address that is sought in stored texts, to be erased from them.
//!
//! A stored field that is an address is compared in [canonical form](crate::CanonicalAddress), so that
//! another spelling, a sub-address and the wrapping of a forwarder are found. In prose, such as the
//! reply of a server, every address is compared so, and what is found gives way to
//! [`ERASED_ADDRESS`]: that is an address itself, so that a text that has to be one still is.

use std::ops::Range;

use serde_json::Value;

use crate::{Address, canonical_form};

/// Address that stands where an erased one was (RFC 2606 section 2: nobody has it).
pub const ERASED_ADDRESS: &str = "erased@erased.invalid";

/// Most characters of a local part that are looked at: longer ones cannot be of an address.
const LONGEST_LOCAL: usize = Address::MAX_LENGTH;

/// An address that is sought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoughtAddress {
    /// Canonical form.
    canonical: String,
    /// Local part and domain as bounces come back to senders that put the recipient into the
    /// reverse-path: `ann=customer.example`.
    in_return_path: String,
}

impl SoughtAddress {
    /// Seeks an address, and all that has the same canonical form.
    pub fn new(address: &Address) -> Self {
        let canonical = canonical_form(address.as_str());
        let (local, domain) = canonical.rsplit_once('@').unwrap_or_default();
        let in_return_path = format!("{local}={domain}");
        Self {
            in_return_path,
            canonical,
        }
    }

    /// Returns the canonical form, by which machines are known.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// Returns the domain, in A-labels.
    pub fn domain(&self) -> &str {
        self.canonical.rsplit_once('@').map_or("", |(_, of)| of)
    }

    /// Returns true if a text is the address: in another spelling, with a sub-address, or in the form
    /// in which a forwarder or a sender of lists wraps it (`SRS0=…`, `prvs=…`,
    /// `list+ann=customer.example@`).
    ///
    /// ```
    /// # use gatepost_message::{Address, SoughtAddress};
    /// let ann = SoughtAddress::new(&Address::parse("ann@customer.example").unwrap());
    /// assert!(ann.is("Ann+orders@Customer.example"));
    /// assert!(ann.is("list+ann=customer.example@service.example"));
    /// assert!(!ann.is("joann@customer.example"));
    /// ```
    pub fn is(&self, text: &str) -> bool {
        text.contains('@') && (canonical_form(text) == self.canonical || self.is_wrapped_in(text))
    }

    /// Returns true if the local part ends in the address, behind the name of a list.
    fn is_wrapped_in(&self, text: &str) -> bool {
        let Some((local, _)) = text.rsplit_once('@') else {
            return false;
        };
        let local = local.to_ascii_lowercase();
        let list = local.strip_suffix(&self.in_return_path);
        list.is_some_and(|list| list.ends_with(['+', '-', '=']))
    }

    /// Returns true if a text holds the address.
    pub fn is_in(&self, text: &str) -> bool {
        self.next_in(text, 0).is_some()
    }

    /// Returns the text with [`ERASED_ADDRESS`] in the place of the address; `None` if it is not there.
    pub fn erased_from(&self, text: &str) -> Option<String> {
        let mut rest = 0;
        let mut erased = String::new();
        while let Some(found) = self.next_in(text, rest) {
            erased.push_str(&text[rest..found.start]);
            erased.push_str(ERASED_ADDRESS);
            rest = found.end;
        }
        if rest == 0 {
            return None;
        }
        erased.push_str(&text[rest..]);
        Some(erased)
    }

    /// Returns true if a string or the name of a member within JSON holds the address.
    pub fn is_in_json(&self, json: &str) -> bool {
        self.erased_from_json(json).is_some()
    }

    /// Returns JSON with [`ERASED_ADDRESS`] in the place of the address in all strings; `None` if it is
    /// not there. Text that is no JSON is taken as plain text.
    pub fn erased_from_json(&self, json: &str) -> Option<String> {
        // An address without an `@` that is written as such is in no JSON that the relay writes.
        if !json.contains('@') {
            return None;
        }
        match serde_json::from_str::<Value>(json) {
            Ok(mut value) => self.erase_from_value(&mut value).then(|| value.to_string()),
            Err(_) => self.erased_from(json),
        }
    }

    /// Erases the address from all strings of a value; returns true if it was there.
    fn erase_from_value(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => match self.erased_from(text) {
                Some(erased) => {
                    *text = erased;
                    true
                }
                None => false,
            },
            Value::Array(values) => {
                let mut any = false;
                for value in values {
                    any |= self.erase_from_value(value);
                }
                any
            }
            Value::Object(members) => {
                let mut any = false;
                for (name, mut value) in std::mem::take(members) {
                    any |= self.erase_from_value(&mut value);
                    let erased = self.erased_from(&name);
                    any |= erased.is_some();
                    members.insert(erased.unwrap_or(name), value);
                }
                any
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Returns the next place of the address at or behind a position.
    fn next_in(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let mut begin = from;
        while let Some(at) = text[begin..].find('@').map(|found| begin + found) {
            let end = end_of_domain(text, at + 1);
            let start = start_of_local(text, at, from);
            if let Some(start) = self.start_of(text, start, at, end) {
                return Some(start..end);
            }
            begin = at + 1;
        }
        None
    }

    /// Returns the start of the address, of those that end there: before it may stand characters that a
    /// local part can have, and that belong to the text around it.
    fn start_of(&self, text: &str, start: usize, at: usize, end: usize) -> Option<usize> {
        if self.is(&text[start..end]) {
            return Some(start);
        }
        let marks = text[start..at].char_indices();
        let marks = marks.filter(|(_, character)| "!#$%&'*/=?^`{|}~".contains(*character));
        let mut behind = marks.map(|(place, mark)| start + place + mark.len_utf8());
        behind.find(|start| self.is(&text[*start..end]))
    }
}

/// Returns the place at which the local part before an `@` begins, at or behind `from`.
fn start_of_local(text: &str, at: usize, from: usize) -> usize {
    let before = &text[from..at];
    if let Some(quoted) = before.strip_suffix('"') {
        return quoted.rfind('"').map_or(at, |quote| from + quote);
    }
    let is_local = |c: char| {
        c.is_alphanumeric()
            || ".!#$%&'*+-/=?^_`{|}~".contains(c)
            || !c.is_ascii() && !c.is_control()
    };
    let length: usize = (before.chars().rev().take(LONGEST_LOCAL))
        .take_while(|character| is_local(*character))
        .map(char::len_utf8)
        .sum();
    at - length
}

/// Returns the end of the domain that begins there.
fn end_of_domain(text: &str, begin: usize) -> usize {
    let rest = &text[begin..];
    if rest.starts_with('[') {
        return rest.find(']').map_or(begin, |bracket| begin + bracket + 1);
    }
    let is_domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let length = rest.find(|c| !is_domain(c)).unwrap_or(rest.len());
    // The end of a sentence.
    begin + rest[..length].trim_end_matches(['.', '-']).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sought(address: &str) -> SoughtAddress {
        SoughtAddress::new(&Address::parse(address).unwrap())
    }

    #[test]
    fn all_spellings_and_wrappings_are_the_address() {
        let ann = sought("Ann@customer.example");
        for text in [
            "ann@customer.example",
            "\"ANN\"@Customer.Example",
            "ann+orders@customer.example",
            "SRS0=ab1c=2Z=customer.example=ann@forwarder.example",
            "prvs=1234abcdef=ann@customer.example",
            "list-bounces+ann=customer.example@service.example",
        ] {
            assert!(ann.is(text), "{text}");
            assert!(ann.is_in(&format!("to <{text}>.")), "{text}");
        }
        for text in [
            "joann@customer.example",
            "ann@mail.customer.example",
            "ann@customer.example.org",
            "joann=customer.example@service.example",
            "ann",
            "@",
        ] {
            assert!(!ann.is(text), "{text}");
            assert!(!ann.is_in(text), "{text}");
        }
    }

    #[test]
    fn a_domain_in_unicode_is_that_in_a_labels() {
        let anna = sought("anna@bücher.example");
        assert!(anna.is_in("550 anna@xn--bcher-kva.example is unknown"));
        assert!(sought("anna@xn--bcher-kva.example").is_in("to anna@BÜCHER.example."));
    }

    #[test]
    fn strings_of_json_are_searched_without_their_escapes() {
        let json = r#"{"at":7,"said":["550 5.1.1\nann@customer.example","bob@b.example"]}"#;
        let erased = r#"{"at":7,"said":["550 5.1.1\nerased@erased.invalid","bob@b.example"]}"#;
        let ann = sought("ann@customer.example");
        assert_eq!(ann.erased_from_json(json).as_deref(), Some(erased));
        assert_eq!(sought("eve@b.example").erased_from_json(json), None);
        let odd = sought("\"odd name\"@customer.example");
        assert!(odd.is_in_json(r#"{"to":"\"Odd Name\"@customer.example"}"#));
    }

    #[test]
    fn what_is_found_gives_way_to_an_address_of_nobody() {
        let ann = sought("ann@customer.example");
        for (text, erased) in [
            (
                "550 <Ann@Customer.example>: unknown",
                "550 <erased@erased.invalid>: unknown",
            ),
            (
                "to=ann@customer.example, bob@b.example",
                "to=erased@erased.invalid, bob@b.example",
            ),
            (
                "'ann@customer.example' and ann@customer.example.",
                "'erased@erased.invalid' and erased@erased.invalid.",
            ),
            ("\"ann\"@customer.example", "erased@erased.invalid"),
            (
                "out ann@customer.example # 1",
                "out erased@erased.invalid # 1",
            ),
        ] {
            assert_eq!(ann.erased_from(text).as_deref(), Some(erased), "{text}");
        }
        for text in [
            "",
            "@",
            "@@customer.example",
            "\"@customer.example",
            "bob@customer.example",
            "ann@[",
        ] {
            assert_eq!(ann.erased_from(text), None, "{text}");
        }
    }
}
