//! Addresses of a field.

/// The most addresses of one field that are read.
const MAX_ADDRESSES: usize = 100;

/// Returns the addresses of a field that lists mailboxes, in order. Names in quotes and comments
/// are skipped, and so are entries without an address.
pub(crate) fn addresses(field: &str) -> Vec<String> {
    let reading = gatepost_mailboxes::read([field]);
    let addresses = reading.addresses().take(MAX_ADDRESSES);
    addresses.map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_of_a_field_are_found() {
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
        fn any_text_is_read_without_panic(text in any::<String>()) {
            addresses(&text);
        }
    }
}
