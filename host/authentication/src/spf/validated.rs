//! The names of the client's address that have that address (RFC 7208 section 5.5), for `ptr` and
//! `%{p}`.

use super::evaluate::{SpfCheck, SpfError};
use super::limits::MAX_NAMES;
use gatepost_dns::{Dns, Found};

/// Validated names, in the order of the PTR records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Validated(Vec<String>);

impl Validated {
    /// Returns true if one of them is at or below the domain.
    pub(super) fn within(&self, domain: &str) -> bool {
        self.0
            .iter()
            .any(|name| name == &domain.to_ascii_lowercase() || is_below(name, domain))
    }

    /// Returns the value of `%{p}` for a domain (section 7.3): the domain itself if it is among
    /// them, else a name below it, else any name, else `unknown`.
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

impl<D: Dns> SpfCheck<'_, D> {
    /// Looks the names up once in a check. The address's holder chooses them, not the domain: names
    /// past the tenth are ignored, a name without an answer does not match (sections 4.6.4 and
    /// 5.5), and a name that does not resolve is not counted as a void look-up.
    pub(super) async fn validated(&mut self) -> Result<&Validated, SpfError> {
        if self.validated.is_none() {
            let found = self
                .dns
                .ptr(self.address)
                .await
                .unwrap_or(Found::Records([].into()));
            let claimed = self.records_or_void(found)?;
            let mut names = Vec::new();
            for name in claimed.iter().take(MAX_NAMES) {
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
    fn the_value_of_p_is_the_name_nearest_to_the_domain() {
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
