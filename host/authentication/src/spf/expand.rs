//! What comes of macros (RFC 7208 sections 7.2 to 7.4), and of domain names made with them.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::macros::{DomainSpec, Letter, Macro, MacroString, Piece};
use super::{Sender, SpfClient};

/// The most characters of a name in text (RFC 7208 section 7.3, RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;
/// The most octets of a label.
const LONGEST_LABEL: usize = 63;

/// What the macros stand for, but for `%{p}`, which takes questions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) client: &'a SpfClient<'a>,
    pub(super) sender: &'a Sender,
    /// The domain whose record is evaluated, which changes with `include` and `redirect`.
    pub(super) domain: &'a str,
    /// What `%{p}` is.
    pub(super) validated: &'a str,
}

impl MacroString {
    /// The string with its macros replaced; none if it would not be ASCII, as with a local part
    /// in other characters (RFC 8616 section 4).
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
    /// The `target-name` (section 4.8), without its final dot and cut on the left to the longest
    /// that a name may be (section 7.3). None if no name comes of it: nothing is to match then.
    pub(super) fn target(&self, values: &Values<'_>) -> Option<String> {
        let expanded = self.0.expand(values)?;
        let mut name = expanded.strip_suffix('.').unwrap_or(&expanded);
        while name.len() > LONGEST_NAME {
            (_, name) = name.split_once('.')?;
        }
        is_name(name).then(|| name.to_owned())
    }
}

/// Whether a question can be asked about it: labels of 1 to 63 octets, 253 in all.
pub(super) fn is_name(name: &str) -> bool {
    let label = |label: &str| (1..=LONGEST_LABEL).contains(&label.len());
    name.len() <= LONGEST_NAME && name.split('.').all(label)
}

impl Values<'_> {
    /// Section 7.2.
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

/// An address as names have it: IPv6 in nibbles, with dots (section 7.3).
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
    /// Splits, reverses, keeps so many parts from the right, joins with dots (section 7.3).
    fn transform(&self, value: &str, into: &mut String) {
        let at = |c: char| u8::try_from(c).is_ok_and(|octet| self.delimiters.contains(&octet));
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

/// As in a URL: what is not `unreserved` there (RFC 3986 section 2.3) is in hexadecimal.
fn escape(text: &str, into: &mut String) {
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            into.push(char::from(octet));
        } else {
            into.push_str(&format!("%{octet:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::macros::Place;
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
        MacroString::parse(text, Place::Explanation)?.expand(&values)
    }

    /// Those of RFC 7208 section 7.4.
    #[test]
    fn the_examples_of_the_rfc() {
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
    fn nothing_comes_of_a_local_part_outside_ascii() {
        let sender = sender("büro");
        for text in ["%{s}", "a.%{L}"] {
            assert_eq!(expanded(text, "192.0.2.3", &sender), None);
        }
        assert!(expanded("%{o}", "192.0.2.3", &sender).is_some());
    }

    proptest! {
        #[test]
        fn a_target_is_a_name_whatever_it_is_made_of(
            text in "(%[{][slodiphvSLODIPHV][0-9]{0,3}r?[.+/_=,-]{0,3}[}]|%%|%_|%-|[!-$&-~]){0,12}(\\.[a-z]{1,9})?",
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
            let values = Values { client: &client, sender: &sender, domain: &helo, validated: &helo };
            if let Some(spec) = DomainSpec::parse(&text)
                && let Some(target) = spec.target(&values)
            {
                prop_assert!(is_name(&target) && target.is_ascii(), "{target:?}");
            }
        }
    }
}
