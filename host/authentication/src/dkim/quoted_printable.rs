//! Values in `dkim-quoted-printable` (RFC 6376 section 2.11).

/// Decodes a value. White space means nothing in it; the octets come out as text, for the only
/// value that is compared, `i=`, is an address. `None` for what is malformed.
pub(crate) fn decode(value: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(value.len());
    let mut rest = value.bytes().filter(|octet| !octet.is_ascii_whitespace());
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'=' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(octets).ok()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_decoded_and_white_space_goes() {
        for (value, expected) in [
            ("jlong@messiah=2Eedu", Some("jlong@messiah.edu")),
            ("a=40b@c.example", Some("a@b@c.example")),
            ("@x.\r\n example", Some("@x.example")),
            ("=c3=A9@x", Some("é@x")),
            ("a=", None),
            ("a=4", None),
            ("a=4g", None),
            ("=ff", None),
        ] {
            assert_eq!(decode(value).as_deref(), expected, "{value:?}");
        }
    }
}
