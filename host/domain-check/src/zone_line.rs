//! Lines of a zone file (RFC 1035 section 5.1), to paste.

use std::fmt::Write as _;
use std::net::IpAddr;

/// Most octets of one string of a TXT record (RFC 1035 section 3.3).
const STRING: usize = 255;

/// Returns the line of a TXT record of ASCII text, in strings of at most 255 octets.
pub(crate) fn txt(name: &str, text: &str) -> String {
    let octets: Vec<char> = text.chars().filter(char::is_ascii).collect();
    let strings: Vec<String> = octets.chunks(STRING).map(quoted).collect();
    match strings.as_slice() {
        [string] => format!("{name}. IN TXT {string}"),
        strings => format!("{name}. IN TXT ( {} )", strings.join(" ")),
    }
}

fn quoted(string: &[char]) -> String {
    let mut text = String::from('"');
    for c in string {
        if matches!(c, '"' | '\\') {
            text.push('\\');
        }
        text.push(*c);
    }
    text + "\""
}

/// Returns the line of an MX record.
pub(crate) fn mx(name: &str, host: &str) -> String {
    format!("{name}. IN MX 10 {host}.")
}

/// Returns the line of an alias.
pub(crate) fn cname(name: &str, target: &str) -> String {
    format!("{name}. IN CNAME {target}.")
}

/// Returns the line of an address.
pub(crate) fn address(name: &str, address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("{name}. IN A {address}"),
        IpAddr::V6(address) => format!("{name}. IN AAAA {address}"),
    }
}

/// Returns the line that names an address.
pub(crate) fn ptr(address: IpAddr, host: &str) -> String {
    format!("{}. IN PTR {host}.", reverse_name(address))
}

/// Returns the name of an address in the reverse trees (RFC 1035 section 3.5, RFC 3596 section
/// 2.5).
fn reverse_name(address: IpAddr) -> String {
    let mut name = String::new();
    match address {
        IpAddr::V4(address) => {
            for octet in address.octets().iter().rev() {
                let _ = write!(name, "{octet}.");
            }
            name + "in-addr.arpa"
        }
        IpAddr::V6(address) => {
            for octet in address.octets().iter().rev() {
                let _ = write!(name, "{:x}.{:x}.", octet & 15, octet >> 4);
            }
            name + "ip6.arpa"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_has_strings_of_255_octets() {
        let line = txt("a.example", &"x".repeat(300));
        let (first, second) = ("x".repeat(255), "x".repeat(45));
        assert_eq!(
            line,
            format!("a.example. IN TXT ( \"{first}\" \"{second}\" )")
        );
        assert_eq!(txt("a.example", "a\"\\b"), r#"a.example. IN TXT "a\"\\b""#);
    }

    #[test]
    fn addresses_have_names_in_the_reverse_trees() {
        assert_eq!(
            ptr([203, 0, 113, 9].into(), "mx.desk.example"),
            "9.113.0.203.in-addr.arpa. IN PTR mx.desk.example."
        );
        let line = ptr("2001:db8::1:2".parse().unwrap(), "mx.desk.example");
        let zeros = "0.".repeat(15);
        assert_eq!(
            line,
            format!("2.0.0.0.1.0.0.0.{zeros}0.8.b.d.0.1.0.0.2.ip6.arpa. IN PTR mx.desk.example.")
        );
    }
}
