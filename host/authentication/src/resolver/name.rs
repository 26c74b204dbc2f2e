//! Names between text and the wire. Text is what mail has: labels with dots between them, any other
//! octet standing for itself, for SPF makes names such as `foo:bar/baz.example.com`.

use std::fmt::Write as _;

use hickory_resolver::proto::rr::Name;

/// A name as it is sent; none if it has an empty label, one of more than 63 octets, or more than
/// 255 octets in all (RFC 1035 section 2.3.4).
pub(super) fn encode(name: &str) -> Option<Name> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut encoded = match name {
        "" => Name::root(),
        name => Name::from_labels(name.split('.').map(str::as_bytes)).ok()?,
    };
    encoded.set_fqdn(true);
    Some(encoded)
}

/// A name as text, in lower case without its final dot. What text cannot say of a label is escaped
/// (RFC 1035 section 5.1).
pub(super) fn decode(name: &Name) -> String {
    let mut text = String::with_capacity(name.len());
    for (index, label) in name.iter().enumerate() {
        if index > 0 {
            text.push('.');
        }
        for octet in label {
            match octet {
                b'.' | b'\\' => text.extend(['\\', char::from(*octet)]),
                b' '..=b'~' => text.push(char::from(octet.to_ascii_lowercase())),
                // Writing to a string does not fail.
                _ => _ = write!(text, "\\{octet:03}"),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_the_wire() {
        for name in [
            "example.com",
            "foo:bar/baz.example.com",
            "a%b  c.example",
            "",
        ] {
            assert_eq!(decode(&encode(name).unwrap()), name);
        }
        assert_eq!(decode(&encode("Example.COM.").unwrap()), "example.com");
    }

    #[test]
    fn what_nobody_can_have_is_no_name() {
        let long = "a".repeat(64);
        for name in ["a..b", ".a", "..", &long, &vec!["aaaaaaa"; 40].join(".")] {
            assert_eq!(encode(name), None, "{name}");
        }
    }

    #[test]
    fn octets_that_are_no_text_are_escaped() {
        let name = Name::from_labels([b"a.b\\\xff".as_slice(), b"com"]).unwrap();
        assert_eq!(decode(&name), "a\\.b\\\\\\255.com");
    }
}
