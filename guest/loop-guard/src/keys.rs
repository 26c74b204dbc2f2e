//! The keys under which messages are counted and marked.

use std::borrow::Cow;

use gatepost_sdk::bounds;

/// Bytes of an address or domain as it stands in keys; a longer one is hashed, once for all its keys.
const LONGEST_NAME: usize = 48;

/// An address or domain as it stands in keys: as it is, or its hash.
pub fn name(text: &str) -> Cow<'_, str> {
    match text.len() <= LONGEST_NAME {
        true => Cow::Borrowed(text),
        false => bounds::hashed(text),
    }
}

/// A key of counts and marks: as it reads, or hashed where it is too long for one.
pub fn key(parts: &[&str]) -> String {
    let key = parts.concat();
    match bounds::key(&key) {
        Cow::Borrowed(_) => key,
        Cow::Owned(hashed) => hashed,
    }
}

/// The domain that an address is counted under, with an `@` before it: what an owner registers, as
/// far as its form tells, so that hosts below it are one (`n7.b.example`, `b.example`).
///
/// No list of public suffixes is asked: where a domain is taken for a larger one than it is, all that
/// follows is that some automatic mail is left out.
pub fn domain(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    if domain.starts_with('[') {
        return Some(format!("@{}", name(domain)));
    }
    let labels: Vec<&str> = domain.split('.').collect();
    // `example.co.uk`, `example.com.br`: a short second level below a country.
    let kept = match labels.as_slice() {
        [.., second, top] if top.len() == 2 && second.len() <= 3 => 3,
        _ => 2,
    };
    let registered = labels.get(labels.len().saturating_sub(kept)..)?.join(".");
    Some(format!("@{}", name(&registered)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_one_owner_share_a_domain() {
        for (address, expected) in [
            ("desk@b.example", "@b.example"),
            ("desk@n7.mail.b.example", "@b.example"),
            ("desk@n7.shop.co.uk", "@shop.co.uk"),
            ("desk@localhost", "@localhost"),
            ("desk@[192.0.2.1]", "@[192.0.2.1]"),
        ] {
            assert_eq!(domain(address).as_deref(), Some(expected), "{address}");
        }
        assert_eq!(domain("nobody"), None);
        let long = format!("a@{}.example", "x".repeat(63));
        assert!(domain(&long).is_some_and(|domain| domain.len() <= 60));
    }
}
