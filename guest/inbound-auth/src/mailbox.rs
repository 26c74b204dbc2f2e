//! Addresses as header fields write them (RFC 5322 section 3.4), as far as a policy needs them.

/// The addresses of a field that lists mailboxes, in order: what stands in angle brackets, or
/// alone. Names in quotes and comments are passed over; what is no address is left out.
pub fn addresses(field: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut word, mut angle) = (String::new(), None);
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                // A quoted local part belongs to the address, a quoted name goes with its word.
                word.push('"');
                while let Some(quoted) = characters.next() {
                    word.push(quoted);
                    match quoted {
                        '\\' => word.extend(characters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '(' => skip_comment(&mut characters),
            '<' => {
                word.clear();
                angle = None;
            }
            '>' => angle = Some(std::mem::take(&mut word)),
            ',' | ';' => take(&mut found, &mut word, &mut angle),
            // The name of a group.
            ':' => word.clear(),
            _ => word.push(character),
        }
    }
    take(&mut found, &mut word, &mut angle);
    found
}

fn skip_comment(characters: &mut std::str::Chars<'_>) {
    let mut depth = 1;
    while depth > 0
        && let Some(character) = characters.next()
    {
        match character {
            '\\' => drop(characters.next()),
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
    }
}

fn take(found: &mut Vec<String>, word: &mut String, angle: &mut Option<String>) {
    let word = std::mem::take(word);
    let address = angle.take().unwrap_or(word);
    let address = address.trim();
    found.extend(is_address(address).then(|| address.to_owned()));
}

fn is_address(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local, domain)| {
        let quoted = local.starts_with('"') && local.ends_with('"') && local.len() > 1;
        !local.is_empty()
            && (quoted || !local.contains([' ', '@', '"']))
            && domain.split('.').all(|label| !label.is_empty())
            && !domain.contains(|c: char| c.is_whitespace() || c == '"')
    })
}

/// What looks like an address in running text, such as a display name.
pub(crate) fn addresses_in_text(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || "<>()[]\",;:'".contains(c));
    words
        .map(|word| word.trim_matches('.'))
        .filter(|word| is_address(word) && word.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_found_as_they_are_written() {
        for (field, expected) in [
            ("a@b.example", vec!["a@b.example"]),
            (
                "\"Doe, J.\" <a@b.example>, c@d.example",
                vec!["a@b.example", "c@d.example"],
            ),
            ("Jo (x@y.example) <a@b.example>", vec!["a@b.example"]),
            (
                "Team: a@b.example, <c@d.example>;",
                vec!["a@b.example", "c@d.example"],
            ),
            ("\"two words\"@b.example", vec!["\"two words\"@b.example"]),
            ("nobody, <>, a@, @b", vec![]),
        ] {
            assert_eq!(addresses(field), expected, "{field}");
        }
    }

    #[test]
    fn an_address_in_a_name_is_seen() {
        let text = "ceo@bank.example (via) the 'it.desk@a.example.' @home";
        let shown: Vec<_> = addresses_in_text(text).collect();
        assert_eq!(shown, ["ceo@bank.example", "it.desk@a.example"]);
    }

    proptest! {
        #[test]
        fn any_text_may_come(text in any::<String>()) {
            addresses(&text);
            addresses_in_text(&text).for_each(drop);
        }
    }
}
