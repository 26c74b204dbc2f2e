//! Expansion of macros (RFC 7208 sections 7.2 to 7.4), and of domain names made with them.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::macros::{DomainSpec, Letter, Macro, MacroString, Piece};
use super::{Sender, SpfClient};

/// Length limit of a name in text (RFC 7208 section 7.3, RFC 1035 section 2.3.4).
const MAX_NAME: usize = 253;
/// Length limit of a label.
const MAX_LABEL: usize = 63;

/// Values of the macros. `%{p}` has to be looked up beforehand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) client: &'a SpfClient<'a>,
    pub(super) sender: &'a Sender,
    /// Domain of the record that is evaluated, which changes with `include` and `redirect`.
    pub(super) domain: &'a str,
    /// Value of `%{p}`.
    pub(super) validated: &'a str,
}

impl MacroString {
    /// Expands the macros; `None` if the result is not ASCII, as with a local part in other
    /// characters (RFC 8616 section 4).
    pub(super) fn expand(&self, values: &Values<'_>) -> Option<String> {
        let mut expanded = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => expanded.push_str(text),
                Piece::Macro(found) => {
                    let value = values.of(found.letter);
                    if !value.is_ascii() {
                        return None;
                    }
                    found.transform(&value, &mut expanded);
                }
            }
        }
        Some(expanded)
    }
}

impl DomainSpec {
    /// Returns the `target-name` (section 4.8), without its final dot and cut on the left to the
    /// length limit of a name (section 7.3). `None` if the result is no name: then the mechanism
    /// does not match.
    pub(super) fn target(&self, values: &Values<'_>) -> Option<String> {
        let expanded = self.0.expand(values)?;
        let mut name = expanded.strip_suffix('.').unwrap_or(&expanded);
        while name.len() > MAX_NAME {
            (_, name) = name.split_once('.')?;
        }
        is_name(name).then(|| name.to_owned())
    }
}

/// Returns true if the DNS can be asked about a name: labels of 1 to 63 bytes, 253 in all.
pub(super) fn is_name(name: &str) -> bool {
    let label = |label: &str| (1..=MAX_LABEL).contains(&label.len());
    name.len() <= MAX_NAME && name.split('.').all(label)
}

impl Values<'_> {
    /// Returns the value of a letter (section 7.2).
    fn of(&self, letter: Letter) -> String {
        let address = self.client.address.to_canonical();
        match letter {
            Letter::Sender => format!("{}@{}", self.sender.local, self.sender.domain),
            Letter::Local => self.sender.local.clone(),
            Letter::SenderDomain => self.sender.domain.clone(),
            Letter::Domain => self.domain.to_owned(),
            Letter::Address => dotted(address),
            Letter::Validated => self.validated.to_owned(),
            Letter::Family => match address {
                IpAddr::V4(_) => "in-addr".to_owned(),
                IpAddr::V6(_) => "ip6".to_owned(),
            },
            Letter::Helo => self.client.helo.to_owned(),
            Letter::Client => address.to_string(),
            Letter::Receiver => self.client.receiver.to_owned(),
            Letter::Time => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                since.unwrap_or_default().as_secs().to_string()
            }
        }
    }
}

/// Returns an address with dots, as in names: IPv6 in nibbles (section 7.3).
fn dotted(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let digits = format!("{:032X}", address.to_bits());
            let digits: Vec<String> = digits.chars().map(String::from).collect();
            digits.join(".")
        }
    }
}

impl Macro {
    /// Splits a value, reverses its parts, keeps a number of them from the right, and joins them
    /// with dots (section 7.3).
    fn transform(&self, value: &str, into: &mut String) {
        let at = |c: char| u8::try_from(c).is_ok_and(|byte| self.delimiters.contains(&byte));
        let mut parts: Vec<&str> = value.split(at).collect();
        if self.reverse {
            parts.reverse();
        }
        let dropped = parts.len().saturating_sub(self.keep.unwrap_or(parts.len()));
        let transformed = parts[dropped..].join(".");
        if self.escape {
            escape(&transformed, into);
        } else {
            into.push_str(&transformed);
        }
    }
}

/// Escapes a text as in a URL: characters that are not `unreserved` (RFC 3986 section 2.3) become
/// hexadecimal.
fn escape(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::macros::Usage;
    use super::*;

    fn sender(local: &str) -> Sender {
        Sender {
            local: local.to_owned(),
            domain: "email.example.com".to_owned(),
        }
    }

    fn expanded(text: &str, address: &str, sender: &Sender) -> Option<String> {
        let client = SpfClient {
            address: address.parse().unwrap(),
            helo: "mx.example.org",
            receiver: "mx.example.net",
        };
        let values = Values {
            client: &client,
            sender,
            domain: "email.example.com",
            validated: "unknown",
        };
        MacroString::parse(text, Usage::Explanation)?.expand(&values)
    }

    /// Examples of RFC 7208 section 7.4.
    #[test]
    fn macros_expand_as_in_the_examples_of_the_rfc() {
        let sender = sender("strong-bad");
        for (text, expected) in [
            ("%{s}", "strong-bad@email.example.com"),
            ("%{o}", "email.example.com"),
            ("%{d4}", "email.example.com"),
            ("%{d2}", "example.com"),
            ("%{d1}", "com"),
            ("%{dr}", "com.example.email"),
            ("%{d2r}", "example.email"),
            ("%{l-}", "strong.bad"),
            ("%{lr}", "strong-bad"),
            ("%{lr-}", "bad.strong"),
            ("%{l1r-}", "strong"),
            (
                "%{ir}.%{v}._spf.%{d2}",
                "3.2.0.192.in-addr._spf.example.com",
            ),
            ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ] {
            assert_eq!(
                expanded(text, "192.0.2.3", &sender).as_deref(),
                Some(expected)
            );
        }
        let ip6 = expanded("%{ir}.%{v}", "2001:db8::cb01", &sender).unwrap();
        assert_eq!(
            ip6,
            "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6"
        );
    }

    #[test]
    fn a_local_part_outside_ascii_is_not_expanded() {
        let sender = sender("büro");
        for text in ["%{s}", "a.%{L}"] {
            assert_eq!(expanded(text, "192.0.2.3", &sender), None);
        }
        assert!(expanded("%{o}", "192.0.2.3", &sender).is_some());
    }

    proptest! {
        #[test]
        fn an_expanded_target_is_always_a_valid_name(
            text in "(%[{][slodiphvSLODIPHV][0-9]{0,3}r?[.+/_=,-]{0,3}[}]|%%|%_|%-|[!-$&-~]){0,12}\
                (\\.[a-z]{1,9})?",
            local in "\\PC{0,64}",
            helo in "\\PC{0,300}",
            address: u128,
        ) {
            let sender = sender(&local);
            let client = SpfClient {
                address: IpAddr::from(address.to_be_bytes()),
                helo: &helo,
                receiver: "",
            };
            let values = Values {
                client: &client,
                sender: &sender,
                domain: &helo,
                validated: &helo,
            };
            if let Some(spec) = DomainSpec::parse(&text)
                && let Some(target) = spec.target(&values)
            {
                prop_assert!(is_name(&target) && target.is_ascii(), "{target:?}");
            }
        }
    }
}
