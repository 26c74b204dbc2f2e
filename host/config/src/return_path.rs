//! Return paths: the domains to which reports on our mail come back.

use std::time::Duration;

use serde::Deserialize;

use super::{Domain, units};

/// Settings of the reverse-paths that the relay writes itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReturnPath {
    /// Domain of the reverse-paths of mail by MX; without one, the account's native domain.
    pub domain: Option<Domain>,
    /// Domains in place of that, by the domain that the mail is sent from.
    pub custom: Vec<CustomReturnPath>,
    /// Time after the acceptance of a message for which reports on it are taken.
    #[serde(deserialize_with = "units::duration")]
    pub life: Duration,
}

/// Return path of one customer's domain, which shows it in SPF as its own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CustomReturnPath {
    /// Domain that mail is sent from.
    pub sender: Domain,
    /// Domain of its reverse-paths, whose mail comes to this relay.
    pub domain: Domain,
}

impl Default for ReturnPath {
    fn default() -> Self {
        Self {
            domain: None,
            custom: Vec::new(),
            life: Duration::from_hours(14 * 24),
        }
    }
}

impl ReturnPath {
    /// Returns the domain of the reverse-paths of mail that is sent from a domain, where the
    /// configuration names one.
    pub fn of_sender(&self, domain: &str) -> Option<&Domain> {
        let custom = self.custom.iter().find(|of| of.sender.matches(domain));
        custom.map(|of| &of.domain).or(self.domain.as_ref())
    }

    /// Returns true if a domain is one of return paths alone.
    pub fn has(&self, domain: &str) -> bool {
        let mut all = self
            .domain
            .iter()
            .chain(self.custom.iter().map(|of| &of.domain));
        all.any(|of| of.matches(domain))
    }
}
