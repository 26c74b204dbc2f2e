//! Addresses that a field such as From (RFC 5322 section 3.4) shows to any reader.
//!
//! They are compared with a list, not displayed: where readers differ, all addresses that one of
//! them could show are returned, so that no spelling hides an address.

use gatepost_mailboxes::{Clarity, Doubt, read};

/// Returns the addresses of a field's body.
///
/// # Errors
/// If it has words but no address, or more addresses than are read.
pub fn addresses(body: &str) -> Result<Vec<String>, Unreadable> {
    let reading = read([body]);
    let is_empty = reading.mailboxes().is_empty() && reading.doubt() == Some(Doubt::NoAddress);
    match reading.clarity() {
        // An empty group names nobody (RFC 6854 section 1).
        Clarity::Unreadable if is_empty => Ok(Vec::new()),
        Clarity::Unreadable => Err(Unreadable),
        _ => Ok(reading.shown().iter().map(ToString::to_string).collect()),
    }
}

/// Error: the field is no list of mailboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_a_field_are_found() {
        for (body, expected) in [
            ("a@x.example", &["a@x.example"][..]),
            ("A B <a@x.example>", &["a@x.example"]),
            ("\"b@y.example, B\" <a@x.example>", &["a@x.example"]),
            ("b@y.example <a@x.example>", &["a@x.example", "b@y.example"]),
            ("b@x.example <a@x.example>", &["a@x.example"]),
            ("(b@y.example) a@x.example (c)", &["a@x.example"]),
            (
                "a@x.example, B <b@y.example>",
                &["a@x.example", "b@y.example"],
            ),
            (
                "Team: a@x.example, B <b@y.example>;",
                &["a@x.example", "b@y.example"],
            ),
            ("Nobody:;", &[]),
            ("a @ x . example", &["a@x.example"]),
            ("\"a b\"@x.example", &["\"a b\"@x.example"]),
            ("<\"a>b\"@x.example>", &["\"a>b\"@x.example"]),
            ("", &[]),
            // Some readers show the first of two addresses, others the second.
            (
                "<a@x.example> <b@y.example>",
                &["a@x.example", "b@y.example"],
            ),
        ] {
            let found = addresses(body);
            assert_eq!(found.unwrap(), expected, "{body}");
        }
        for body in ["a", "A B", "<a>", "a@"] {
            assert_eq!(addresses(body), Err(Unreadable), "{body}");
        }
    }

    #[test]
    fn no_spelling_hides_an_address() {
        for body in [
            "a@ x.example",
            "<a@x.example",
            "a@x.example>",
            "\"a@x.example",
            "(a@x.example",
            "=?utf-8?q?a=40x.example?=",
            "own@y.example\u{b}<a@x.example>",
            "<@r.example:a@x.example>",
        ] {
            let found = addresses(body).unwrap();
            assert!(
                found.iter().any(|one| one.ends_with("@x.example")),
                "{body}: {found:?}"
            );
        }
    }
}
