//! Addresses in a field, as far as a policy needs them.

/// The most addresses of one field that are looked at.
const MOST: usize = 100;

/// The addresses of a field that lists mailboxes, in order. Names in quotes and comments are passed
/// over; what is no address is left out.
pub(crate) fn addresses(field: &str) -> Vec<String> {
    let reading = gatepost_mailboxes::read([field]);
    let addresses = reading.addresses().take(MOST);
    addresses.map(ToString::to_string).collect()
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
            ("nobody, <>, a@", vec![]),
            ("a @ b.example", vec!["a@b.example"]),
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
