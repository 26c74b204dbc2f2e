//! The mailboxes that a field such as From names (RFC 5322 section 3.4), display names and comments
//! aside.
//!
//! Read to be held against a list, not to be shown: what cannot be read is an error, so that nobody
//! hides a name behind something that another reader understands.

/// The addresses of a field's body.
///
/// # Errors
/// It cannot be read as a list of mailboxes.
pub fn addresses(body: &str) -> Result<Vec<String>, Unreadable> {
    let mut found = Vec::new();
    // Of the mailbox in hand: what stands outside angle brackets, and what inside.
    let mut bare = String::new();
    let mut angled: Option<String> = None;
    let mut inside = false;
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                let quoted = quoted(&mut chars)?;
                match (&mut angled, inside) {
                    (Some(angled), true) => angled.push_str(&quoted),
                    _ => bare.push_str(&quoted),
                }
            }
            '(' => comment(&mut chars)?,
            '<' if !inside && angled.is_none() => {
                inside = true;
                angled = Some(String::new());
            }
            '>' if inside => inside = false,
            '<' | '>' => return Err(Unreadable),
            ',' | ';' if !inside => take(&mut found, &mut bare, &mut angled)?,
            // The name of a group ends.
            ':' if !inside && angled.is_none() && !bare.contains('@') => bare.clear(),
            c => match (&mut angled, inside) {
                (Some(angled), true) => angled.push(c),
                _ => bare.push(c),
            },
        }
    }
    if inside {
        return Err(Unreadable);
    }
    take(&mut found, &mut bare, &mut angled)?;
    Ok(found)
}

/// It is no list of mailboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// Ends the mailbox in hand.
fn take(
    found: &mut Vec<String>,
    bare: &mut String,
    angled: &mut Option<String>,
) -> Result<(), Unreadable> {
    let bare = std::mem::take(bare);
    let address = match angled.take() {
        // An obsolete route in front of it (RFC 5322 section 4.4) goes.
        Some(angled) => match angled.rsplit_once(':') {
            Some((route, address)) if route.trim_start().starts_with('@') => address.to_owned(),
            _ => angled,
        },
        // Between two commas there may be nothing (RFC 5322 section 4.4).
        None if bare.trim().is_empty() => return Ok(()),
        None => bare,
    };
    // White space may stand around the dots and the at sign (RFC 5322 section 4.4).
    let outside_quotes = !address.contains('"');
    let address: String = match outside_quotes {
        true => address.split_whitespace().collect(),
        false => address.trim().to_owned(),
    };
    if !address.contains('@') {
        return Err(Unreadable);
    }
    found.push(address);
    Ok(())
}

/// A quoted string with its quotes, behind the first.
fn quoted(chars: &mut std::str::Chars<'_>) -> Result<String, Unreadable> {
    let mut text = String::from('"');
    while let Some(c) = chars.next() {
        text.push(c);
        match c {
            '"' => return Ok(text),
            '\\' => text.push(chars.next().ok_or(Unreadable)?),
            _ => {}
        }
    }
    Err(Unreadable)
}

/// Skips a comment, behind its first parenthesis.
fn comment(chars: &mut std::str::Chars<'_>) -> Result<(), Unreadable> {
    let mut depth = 1u32;
    while let Some(c) = chars.next() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '\\' => {
                chars.next();
            }
            _ => {}
        }
        if depth == 0 {
            return Ok(());
        }
    }
    Err(Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_of_a_field() {
        for (body, expected) in [
            ("a@x.example", &["a@x.example"][..]),
            ("A B <a@x.example>", &["a@x.example"]),
            ("\"b@y.example, B\" <a@x.example>", &["a@x.example"]),
            ("b@y.example <a@x.example>", &["a@x.example"]),
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
            ("<@r.example,@s.example:a@x.example>", &["a@x.example"]),
            ("a @ x . example", &["a@x.example"]),
            ("\"a b\"@x.example", &["\"a b\"@x.example"]),
            ("<\"a>b\"@x.example>", &["\"a>b\"@x.example"]),
            ("", &[]),
        ] {
            let found = addresses(body);
            assert_eq!(found.unwrap(), expected, "{body}");
        }
        for body in [
            "a",
            "A B",
            "<a@x.example",
            "a@x.example>",
            "\"a@x.example",
            "(a@x.example",
            "<a@x.example> <b@y.example>",
        ] {
            assert_eq!(addresses(body), Err(Unreadable), "{body}");
        }
    }
}
