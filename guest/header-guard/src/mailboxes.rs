//! The addresses that a field such as From shows (RFC 5322 section 3.4), to any reader.
//!
//! Read to be held against a list, not to be shown: where readers differ, all that one of them could
//! show is given, so that nobody hides a name behind a spelling.

use gatepost_mailboxes::{Clarity, Doubt, read};

/// The addresses of a field's body.
///
/// # Errors
/// It has no address although it has words, or more than is read.
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

/// It is no list of mailboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_of_a_field() {
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
            // Each of two addresses is shown by some reader.
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
