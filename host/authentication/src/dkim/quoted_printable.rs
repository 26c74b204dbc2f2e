//! Values in `dkim-quoted-printable` (RFC 6376 section 2.11).

/// Decodes a value and ignores white space in it. Returns text, since the only value that is
/// compared, `i=`, is an address. `None` if it is malformed.
pub(crate) fn decode(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes().filter(|byte| !byte.is_ascii_whitespace());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'=' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_white_space_is_ignored() {
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
