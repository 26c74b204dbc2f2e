//! Conversion of names between text and the wire. The text is that of mail: labels with dots
//! between them. Every other byte stands for itself, since SPF makes names such as
//! `foo:bar/baz.example.com`.

use std::fmt::Write as _;

use hickory_resolver::proto::rr::Name;

/// Encodes a name; `None` if it has an empty label, one of more than 63 bytes, or more than 255
/// bytes in all (RFC 1035 section 2.3.4).
pub(super) fn encode(name: &str) -> Option<Name> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut encoded = match name {
        "" => Name::root(),
        name => Name::from_labels(name.split('.').map(str::as_bytes)).ok()?,
    };
    encoded.set_fqdn(true);
    Some(encoded)
}

/// Decodes a name to text, in lower case without its final dot. Bytes that text cannot express are
/// escaped (RFC 1035 section 5.1).
pub(super) fn decode(name: &Name) -> String {
    let mut text = String::with_capacity(name.len());
    for (index, label) in name.iter().enumerate() {
        if index > 0 {
            text.push('.');
        }
        for byte in label {
            match byte {
                b'.' | b'\\' => text.extend(['\\', char::from(*byte)]),
                b' '..=b'~' => text.push(char::from(byte.to_ascii_lowercase())),
                // Writing to a string does not fail.
                _ => _ = write!(text, "\\{byte:03}"),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoded_name_is_the_encoded_one() {
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
    fn a_name_that_cannot_exist_is_refused() {
        let long = "a".repeat(64);
        for name in ["a..b", ".a", "..", &long, &vec!["aaaaaaa"; 40].join(".")] {
            assert_eq!(encode(name), None, "{name}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_escaped() {
        let name = Name::from_labels([b"a.b\\\xff".as_slice(), b"com"]).unwrap();
        assert_eq!(decode(&name), "a\\.b\\\\\\255.com");
    }
}
