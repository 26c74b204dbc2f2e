//! Destinations that others name: hosts of customers' feeds, servers of strangers' domains.

use gatepost_dns::Resolver;
use gatepost_guard::Guard;
use ipnet::IpNet;
use serde::Deserialize;

/// Limits on destinations that others name.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Destinations {
    /// Networks that may be connected to although they are not public.
    pub allowed_networks: Vec<IpNet>,
}

impl Destinations {
    /// Returns the guard over such destinations, which asks this resolver.
    pub fn guard(&self, resolver: &Resolver) -> Guard {
        Guard::new(resolver.clone(), self.allowed_networks.iter().copied())
    }
}
