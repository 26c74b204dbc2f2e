//! The names of the client's address that have that address (RFC 7208 section 5.5), for `ptr` and
//! `%{p}`.

use super::evaluate::{Check, Stop};
use super::limits::NAMES;
use crate::{Dns, Found};

/// The validated names, in the order in which they were claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Validated(Vec<String>);

impl Validated {
    /// Whether one of them is the domain or below it.
    pub(super) fn within(&self, domain: &str) -> bool {
        self.0
            .iter()
            .any(|name| name == &domain.to_ascii_lowercase() || is_below(name, domain))
    }

    /// What `%{p}` is for a domain (section 7.3): the domain itself if it is among them, else one
    /// below it, else any, else `unknown`.
    pub(super) fn for_domain(&self, domain: &str) -> String {
        let same = self.0.iter().find(|name| name.eq_ignore_ascii_case(domain));
        let below = || self.0.iter().find(|name| is_below(name, domain));
        let name = same.or_else(below).or(self.0.first());
        name.map_or_else(|| "unknown".to_owned(), String::clone)
    }
}

fn is_below(name: &str, domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    name.strip_suffix(&domain)
        .is_some_and(|rest| rest.ends_with('.'))
}

impl<D: Dns> Check<'_, D> {
    /// Asks once in a check. The names of an address are its holder's to choose, not the domain's:
    /// those past the tenth are ignored, and what cannot be looked up is no match (sections 4.6.4
    /// and 5.5), nor is a name void that somebody else made up.
    pub(super) async fn validated(&mut self) -> Result<&Validated, Stop> {
        if self.validated.is_none() {
            let found = self
                .dns
                .ptr(self.address)
                .await
                .unwrap_or(Found::Records([].into()));
            let claimed = self.counted(found)?;
            let mut names = Vec::new();
            for name in claimed.iter().take(NAMES) {
                if let Ok(found) = self.addresses(name).await
                    && found.records().contains(&self.address)
                {
                    names.push(name.to_ascii_lowercase());
                }
            }
            self.validated = Some(Validated(names));
        }
        Ok(self.validated.get_or_insert(Validated(Vec::new())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_preferred() {
        let of = |names: &[&str]| Validated(names.iter().copied().map(String::from).collect());
        let names = of(&[
            "a.example.net",
            "notexample.com",
            "mx.example.com",
            "example.com",
        ]);
        assert_eq!(names.for_domain("Example.com"), "example.com");
        assert_eq!(
            of(&["a.example.net", "mx.example.com"]).for_domain("example.com"),
            "mx.example.com"
        );
        assert_eq!(
            of(&["notexample.com"]).for_domain("example.com"),
            "notexample.com"
        );
        assert_eq!(of(&[]).for_domain("example.com"), "unknown");
        assert!(names.within("Example.COM") && !of(&["notexample.com"]).within("example.com"));
    }
}
