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

    proptest! {
        #[test]
        fn any_text_may_come(text in any::<String>()) {
            addresses(&text);
        }
    }
}
