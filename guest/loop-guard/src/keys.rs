//! Keys under which messages are counted and marked.

use std::borrow::Cow;

use gatepost_sdk::bounds;

/// Most bytes of an address or domain in keys; a longer one is hashed, once for all its keys.
const LONGEST_NAME: usize = 48;

/// Returns an address or domain as it stands in keys: itself, or its hash if it is too long.
pub fn name(text: &str) -> Cow<'_, str> {
    match text.len() <= LONGEST_NAME {
        true => Cow::Borrowed(text),
        false => bounds::hashed(text),
    }
}

/// Returns a key of counts and marks: the parts together, or their hash if they are too long.
pub fn key(parts: &[&str]) -> String {
    let key = parts.concat();
    match bounds::key(&key) {
        Cow::Borrowed(_) => key,
        Cow::Owned(hashed) => hashed,
    }
}

/// Returns the domain that an address is counted under, with an `@` before it: the registered
/// domain, as far as its form tells, so that hosts below it count as one (`n7.b.example`,
/// `b.example`).
///
/// No list of public suffixes is read: if a public suffix is taken for a registered domain, all
/// that follows is that some automatic mail is left out.
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
