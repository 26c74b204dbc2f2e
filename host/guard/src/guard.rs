//! The check of a host and of each of its addresses.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future;
use gatepost_dns::{Dns, Found, Resolver, Unavailable};
use ipnet::IpNet;

use crate::{Host, preferred_first, special_use};

/// Most addresses of one host that are looked at.
const ADDRESSES: usize = 16;

/// Most characters of a wrong host that an error repeats.
const SHOWN: usize = 100;

/// Guard with a resolver, and the networks that the operator allows.
#[derive(Clone)]
pub struct Guard<D = Resolver> {
    dns: D,
    allowed: Arc<[IpNet]>,
}

/// Reason why nothing of a host may be connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReachable {
    /// The text is neither a name nor an address.
    #[error("{0:?} is neither a host name nor an address")]
    NoHost(String),
    /// None of the addresses is public, nor allowed by the operator.
    #[error(
        "{host} leads to {address}, which is {what}; the operator may allow it by \
         destinations.allowed-networks"
    )]
    Refused {
        /// Host as it is resolved.
        host: String,
        /// First of the refused addresses.
        address: IpAddr,
        /// Use of the address.
        what: &'static str,
    },
    /// The name has no address.
    #[error("{0} has no address")]
    NoAddress(String),
    /// The DNS gave no answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Guard {
    /// Returns a guard with the same resolver, cache and networks, and a limit of its own on open
    /// questions.
    #[must_use]
    pub fn beside(&self, concurrent: usize) -> Self {
        Self {
            dns: self.dns.beside(concurrent),
            allowed: Arc::clone(&self.allowed),
        }
    }
}

impl<D: Dns> Guard<D> {
    /// Makes a guard that lets through public addresses and these networks.
    pub fn new(dns: D, allowed: impl IntoIterator<Item = IpNet>) -> Self {
        Self {
            dns,
            allowed: allowed.into_iter().collect(),
        }
    }

    /// Returns the DNS that the guard asks.
    pub fn dns(&self) -> &D {
        &self.dns
    }

    /// Returns the addresses of a host that may be connected to, at least one, in the order in
    /// which to try them. Addresses that may not are left out.
    ///
    /// # Errors
    /// There is none.
    pub async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, NotReachable> {
        let addresses = self.all_addresses(host).await?;
        self.permitted(host, addresses)
    }

    /// Returns the addresses of a host, permitted or not: to be compared, and not connected to. An
    /// answer about one family is enough.
    ///
    /// # Errors
    /// There is none.
    pub async fn all_addresses(&self, host: &str) -> Result<Vec<IpAddr>, NotReachable> {
        let name = match Host::parse(host) {
            Some(Host::Address(address)) => return Ok(vec![address]),
            Some(Host::Name(name)) => name,
            None => return Err(NotReachable::NoHost(host.chars().take(SHOWN).collect())),
        };
        let (v6, v4) = future::join(self.dns.aaaa(&name), self.dns.a(&name)).await;
        let v6 = v6.map(|found| found.map(|address| IpAddr::V6(*address)));
        let v4 = v4.map(|found| found.map(|address| IpAddr::V4(*address)));
        let known = |found: &Result<Found<IpAddr>, Unavailable>| -> Vec<IpAddr> {
            let records = found.iter().flat_map(|found| found.records());
            records.take(ADDRESSES / 2).copied().collect()
        };
        let addresses = [known(&v6), known(&v4)].concat();
        if addresses.is_empty() {
            v6?;
            v4?;
            return Err(NotReachable::NoAddress(name));
        }
        Ok(addresses)
    }

    /// Returns those addresses of a host that may be connected to, at least one, in the order in
    /// which to try them.
    ///
    /// # Errors
    /// There is none.
    pub fn permitted(
        &self,
        host: &str,
        addresses: Vec<IpAddr>,
    ) -> Result<Vec<IpAddr>, NotReachable> {
        let mut refused = None;
        let mut permitted = addresses;
        permitted.retain(|address| match self.refuses(*address) {
            None => true,
            Some(what) => {
                refused = refused.or(Some((*address, what)));
                false
            }
        });
        let host = host.to_owned();
        match (permitted.is_empty(), refused) {
            (false, _) => Ok(preferred_first(permitted)),
            (true, None) => Err(NotReachable::NoAddress(host)),
            (true, Some((address, what))) => Err(NotReachable::Refused {
                host,
                address,
                what,
            }),
        }
    }

    /// Returns the use of an address because of which it may not be connected to.
    pub fn refuses(&self, address: IpAddr) -> Option<&'static str> {
        let is_allowed = self
            .allowed
            .iter()
            .any(|network| network.contains(&address));
        special_use(address).filter(|_| !is_allowed)
    }
}
