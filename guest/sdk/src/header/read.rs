//! Parsers of field bodies: addresses as the relay reads them, words as mail-parser does.

use mail_parser::parsers::MessageStream;

use crate::bounds;

/// Returns name and address of every mailbox in the body of an address field, either of them
/// perhaps empty: the first [`bounds::ADDRESSES`] within its first [`bounds::LIST`] octets.
pub(crate) fn addresses(value: &str) -> Vec<(String, String)> {
    if let Some((name, address)) = plain(value) {
        return vec![(name.to_owned(), address.to_owned())];
    }
    let mailboxes = gatepost_mailboxes::mailboxes(bounds::list(value, bounds::LIST));
    let all = mailboxes.iter().take(bounds::ADDRESSES);
    all.map(|mailbox| {
        let address = match &mailbox.address {
            Some(address) => address.to_string(),
            None => mailbox.unqualified.clone(),
        };
        (decoded(&mailbox.name), address)
    })
    .collect()
}

/// Reads the single address of a body in the usual form, which needs no parser: `Ann Weaver
/// <ann@x.example>` or `ann@x.example`.
fn plain(value: &str) -> Option<(&str, &str)> {
    let value = value.trim();
    let of_address = |b: u8| b.is_ascii_alphanumeric() || b"@.-_+=/".contains(&b);
    let of_name = |b: u8| b.is_ascii_alphanumeric() || b == b' ';
    let (name, address) = match value.strip_suffix('>') {
        Some(value) => value.split_once('<')?,
        None => ("", value),
    };
    let name = name.trim();
    (!address.is_empty() && address.bytes().all(of_address) && name.bytes().all(of_name))
        .then_some((name, address))
}

/// Decodes the encoded words (RFC 2047) in the first [`bounds::TEXT`] octets of an unstructured
/// body.
pub(crate) fn decoded(value: &str) -> String {
    let value = value.trim();
    let value = &value[..value.floor_char_boundary(bounds::TEXT)];
    if !value.contains("=?") {
        return value.to_owned();
    }
    let line = format!("{value}\n");
    let parsed = MessageStream::new(line.as_bytes()).parse_unstructured();
    parsed
        .as_text()
        .map_or_else(|| value.to_owned(), str::to_owned)
}

/// Returns the first [`bounds::IDS`] message ids of a body (RFC 5322 section 3.6.4), without angle
/// brackets.
pub(super) fn ids(value: &str) -> Vec<String> {
    let parts = value.split('<').skip(1);
    let ids = parts.filter_map(|part| part.split_once('>'));
    let ids = ids.map(|(id, _)| id.trim().to_owned());
    ids.filter(|id| !id.is_empty() && !id.contains(char::is_whitespace))
        .take(bounds::IDS)
        .collect()
}

/// Removes the comments of a structured body, which nest and may hold quoted pairs (RFC 5322
/// section 3.2.2).
pub(crate) fn without_comments(value: &str) -> String {
    let mut depth = 0usize;
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if depth > 0 => {
                characters.next();
            }
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(value: &str) -> Vec<(String, String)> {
        let reading = gatepost_mailboxes::read([value]);
        let all = reading.mailboxes().iter();
        all.map(|one| (one.name.clone(), one.address.as_ref().unwrap().to_string()))
            .collect()
    }

    #[test]
    fn comments_nest_and_may_hold_quoted_pairs() {
        assert_eq!(without_comments("(out (of) office \\)) no (x"), " no ");
        assert_eq!(without_comments("a\\(b)c"), "a\\c");
    }

    proptest! {
        #[test]
        fn a_plain_mailbox_reads_as_by_the_parser(
            name in "([A-Za-z0-9]{1,9}( [A-Za-z0-9]{1,9}){0,2} )?",
            address in "[a-z0-9+_=-]{1,12}@[a-z0-9-]{1,9}\\.[a-z]{2,5}",
        ) {
            let value = format!("{name}<{address}>");
            let expected = (name.trim().to_owned(), address.clone());
            prop_assert_eq!(plain(&value), Some((expected.0.as_str(), expected.1.as_str())));
            prop_assert_eq!(parsed(&value), vec![expected]);
            prop_assert_eq!(plain(&address), Some(("", address.as_str())));
        }
    }
}
