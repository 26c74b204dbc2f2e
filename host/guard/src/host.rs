//! Hosts as URLs, records and settings spell them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gatepost_message::domain_to_ascii;

/// Longest name in text (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;

/// Longest text that is read at all: a name, each character of which takes up to four bytes.
const LONGEST_TEXT: usize = 4 * LONGEST_NAME;

/// Host: an address, or a name to resolve.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// IP address, in whatever spelling it came.
    Address(IpAddr),
    /// Name in A-labels and lower case, without its final dot. Its last label is no number.
    Name(String),
}

impl Host {
    /// Reads a host. Returns `None` for what is neither a name nor an address.
    ///
    /// What ends in a number is an IPv4 address or nothing, as browsers and `inet_aton(3)` read it:
    /// one to four numbers, each decimal, octal or hexadecimal. An IPv6 address may stand in
    /// brackets.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST_TEXT {
            return None;
        }
        let inner = text.strip_prefix('[').map(|rest| rest.strip_suffix(']'));
        if text.contains(':') || inner.is_some() {
            let address = inner.unwrap_or(Some(text))?;
            return Some(Self::Address(address.parse::<Ipv6Addr>().ok()?.into()));
        }
        let ascii = domain_to_ascii(text)?.to_ascii_lowercase();
        let name = ascii.strip_suffix('.').unwrap_or(&ascii);
        let last = name.rsplit('.').next().unwrap_or_default();
        if is_number(last) {
            return Some(Self::Address(ipv4(name)?.into()));
        }
        let is_name = name.len() <= LONGEST_NAME && name.split('.').all(is_label);
        is_name.then(|| Self::Name(name.to_owned()))
    }
}

fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=63).contains(&label.len()) && label.bytes().all(allowed)
}

/// Returns true if a label is a number in some notation, well-formed or not.
fn is_number(label: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (!label.is_empty() && digits(label)) || label.strip_prefix("0x").is_some_and(hexadecimal)
}

/// Reads one to four numbers as an IPv4 address; the last fills all bytes that are left.
fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let numbers: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = numbers.split_last()?;
    if first.len() > 3 || first.iter().any(|number| *number > 255) {
        return None;
    }
    let free_bits = 32 - 8 * first.len();
    if u64::from(*last) >= 1 << free_bits {
        return None;
    }
    let high = first.iter().fold(0, |high, number| high << 8 | *number);
    let high = u32::try_from(u64::from(high) << free_bits).ok()?;
    Some(Ipv4Addr::from(high | *last))
}

fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some("") => return Some(0),
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    // The library would take a sign.
    let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| u32::from_str_radix(digits, radix).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        Host::parse(text).map(|host| match host {
            Host::Address(address) => format!("<{address}>"),
            Host::Name(name) => name,
        })
    }

    #[test]
    fn a_number_in_any_notation_is_an_address() {
        for spelling in [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0X7F.0.0.0x1",
            "0177.0.0.01",
            "017700000001",
            "１２７.0.0.1",
            "127。0。0。1",
            "①②⑦.1",
        ] {
            assert_eq!(
                parsed(spelling).as_deref(),
                match spelling {
                    // The mapped form is an address at once, which the conversion of names refuses.
                    "１２７.0.0.1" | "127。0。0。1" => None,
                    _ => Some("<127.0.0.1>"),
                },
                "{spelling}"
            );
        }
        assert_eq!(parsed("0x.0x.0").as_deref(), Some("<0.0.0.0>"));
        assert_eq!(parsed("4294967295").as_deref(), Some("<255.255.255.255>"));
        assert_eq!(parsed("[::1]").as_deref(), Some("<::1>"));
        assert_eq!(
            parsed("::ffff:127.0.0.1").as_deref(),
            Some("<::ffff:127.0.0.1>")
        );
    }

    #[test]
    fn a_name_is_in_a_labels_and_lower_case() {
        assert_eq!(parsed("Mail.Example.").as_deref(), Some("mail.example"));
        assert_eq!(
            parsed("Bücher.example").as_deref(),
            Some("xn--bcher-kva.example")
        );
        assert_eq!(parsed("a_b.1.example").as_deref(), Some("a_b.1.example"));
        assert_eq!(parsed("localhost").as_deref(), Some("localhost"));
    }

    #[test]
    fn other_texts_are_no_hosts() {
        let long = "a".repeat(64);
        let longer = "a.".repeat(128);
        for text in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a b",
            "a/b",
            "a%2eb",
            "user@host",
            "127.0.0.1:25",
            "[::1",
            "::1]",
            "[127.0.0.1]",
            "[fe80::1%eth0]",
            "fe80::1%1",
            "1.2.3.4.5",
            "256.1.1.1",
            "1.2.3.256",
            "1.2.65536",
            "4294967296",
            "08",
            "0x100000000",
            "a.0xg",
            "example.1",
            "127.0.0.1..",
            "a\0.example",
            "99999999999999999999",
            &long,
            &longer,
        ] {
            // A last label that only begins like a number is a label.
            let expected = (text == "a.0xg").then(|| "a.0xg".to_owned());
            assert_eq!(parsed(text), expected, "{text:?}");
        }
    }
}
