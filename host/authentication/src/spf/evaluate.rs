//! The evaluation of a domain's record, and of those that it leads to (RFC 7208 sections 4 to 6).

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use super::expand::Values;
use super::limits::{Limits, NAMES};
use super::macros::{DomainSpec, Letter, MacroString};
use super::network::Prefixes;
use super::record::{Malformed, Mechanism, Qualifier, Record, is_record};
use super::validated::Validated;
use super::{Sender, SpfClient};
use crate::{Authentication, Dns, Found, Unavailable};

/// One check under way.
pub(super) struct Check<'a, D> {
    pub(super) dns: &'a D,
    pub(super) client: &'a SpfClient<'a>,
    pub(super) sender: &'a Sender,
    /// The client's address in its own family: one of IPv4 in IPv6 is of IPv4 (section 5).
    pub(super) address: IpAddr,
    pub(super) limits: Limits,
    /// The names that the address has, once they were asked for.
    pub(super) validated: Option<Validated>,
}

/// What a domain says of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) qualifier: Qualifier,
    /// Where it explains a `fail`, if it does.
    pub(super) explanation: Option<Explained>,
}

/// The modifier `exp`, and in whose record it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Explained {
    pub(super) by: DomainSpec,
    pub(super) domain: String,
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// Section 2.6.6: it may succeed later.
    #[error("{0}")]
    Unavailable(#[from] Unavailable),
    /// All others are of section 2.6.7: somebody has to mend the record.
    #[error("{domain}: malformed term {}", .term.0)]
    Malformed { domain: String, term: Malformed },
    #[error("{0} has several SPF records")]
    SeveralRecords(String),
    #[error("{0} has no SPF record, but another refers to it")]
    NoRecord(String),
    #[error("{0} refers to what is no domain name")]
    NoTarget(String),
    #[error("more than 10 terms that ask the DNS")]
    TooManyTerms,
    #[error("more than 2 void look-ups")]
    TooManyVoid,
    #[error("{0} has more than 10 exchanges")]
    TooManyExchanges(String),
}

impl Stop {
    pub(super) fn result(&self) -> Authentication {
        match self {
            // Section 4.6.4: what asks for too much is not asked again either.
            Self::Unavailable(unavailable) if unavailable.beyond_budget => {
                Authentication::PermError
            }
            Self::Unavailable(_) => Authentication::TempError,
            _ => Authentication::PermError,
        }
    }
}

/// A verdict, or that the domain says nothing: `none`.
type Evaluated = Result<Option<Verdict>, Stop>;

impl<'a, D: Dns> Check<'a, D> {
    pub(super) fn new(dns: &'a D, client: &'a SpfClient<'a>, sender: &'a Sender) -> Self {
        Self {
            dns,
            client,
            sender,
            address: client.address.to_canonical(),
            limits: Limits::new(),
            validated: None,
        }
    }

    /// `check_host()` for a domain (section 4).
    pub(super) async fn host(&mut self, mut domain: String) -> Evaluated {
        let mut redirected = false;
        loop {
            let Some(record) = self.record(&domain).await? else {
                // Section 6.1: a redirection has to lead somewhere.
                return match redirected {
                    true => Err(Stop::NoRecord(domain)),
                    false => Ok(None),
                };
            };
            // Section 4.6.2: the first that matches decides.
            for directive in &record.directives {
                if self.matches(&directive.mechanism, &domain).await? {
                    let by = record.explanation;
                    return Ok(Some(Verdict {
                        qualifier: directive.qualifier,
                        explanation: by.map(|by| Explained { by, domain }),
                    }));
                }
            }
            let Some(redirect) = &record.redirect else {
                // Section 4.7.
                return Ok(Some(Verdict {
                    qualifier: Qualifier::Neutral,
                    explanation: None,
                }));
            };
            // Section 6.1: as if it had been asked first, its own `exp` included.
            self.limits.term()?;
            let target = self.target(redirect, &domain).await?;
            domain = target.ok_or(Stop::NoTarget(domain))?;
            redirected = true;
        }
    }

    /// [`Check::host`] from within itself.
    fn included(&mut self, domain: String) -> Pin<Box<dyn Future<Output = Evaluated> + Send + '_>> {
        Box::pin(self.host(domain))
    }

    /// The one SPF record of a domain (sections 4.4 and 4.5).
    async fn record(&self, domain: &str) -> Result<Option<Record>, Stop> {
        let found = self.dns.txt(domain).await?;
        let mut records = found.records().iter().filter(|text| is_record(text));
        let Some(record) = records.next() else {
            return Ok(None);
        };
        if records.next().is_some() {
            return Err(Stop::SeveralRecords(domain.to_owned()));
        }
        let malformed = |term| Stop::Malformed {
            domain: domain.to_owned(),
            term,
        };
        Record::parse(record).map(Some).map_err(malformed)
    }

    /// Section 5.
    async fn matches(&mut self, mechanism: &Mechanism, domain: &str) -> Result<bool, Stop> {
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip(network) => Ok(network.contains(self.address)),
            Mechanism::Include(by) => {
                self.limits.term()?;
                self.include(by, domain).await
            }
            Mechanism::A(by, prefixes) => {
                self.limits.term()?;
                match self.target_or(by.as_ref(), domain).await? {
                    Some(target) => self.a(&target, *prefixes).await,
                    None => Ok(false),
                }
            }
            Mechanism::Mx(by, prefixes) => {
                self.limits.term()?;
                match self.target_or(by.as_ref(), domain).await? {
                    Some(target) => self.mx(&target, *prefixes).await,
                    None => Ok(false),
                }
            }
            Mechanism::Ptr(by) => {
                self.limits.term()?;
                match self.target_or(by.as_ref(), domain).await? {
                    Some(target) => Ok(self.validated().await?.within(&target)),
                    None => Ok(false),
                }
            }
            Mechanism::Exists(by) => {
                self.limits.term()?;
                match self.target(by, domain).await? {
                    // Section 5.7: A, whatever the client's family.
                    Some(target) => {
                        let found = self.dns.a(&target).await?;
                        Ok(!self.counted(found)?.is_empty())
                    }
                    None => Ok(false),
                }
            }
        }
    }

    /// Section 5.2: the target's verdict is a match or none; it never decides by itself.
    async fn include(&mut self, by: &DomainSpec, domain: &str) -> Result<bool, Stop> {
        let Some(target) = self.target(by, domain).await? else {
            return Err(Stop::NoTarget(domain.to_owned()));
        };
        match self.included(target.clone()).await? {
            Some(verdict) => Ok(verdict.qualifier == Qualifier::Pass),
            None => Err(Stop::NoRecord(target)),
        }
    }

    /// Section 5.3.
    async fn a(&mut self, target: &str, prefixes: Prefixes) -> Result<bool, Stop> {
        let found = self.addresses(target).await?;
        let addresses = self.counted(found)?;
        Ok(self.among(&addresses, prefixes))
    }

    /// Section 5.4. A target without exchanges is not its own (as it would be for mail).
    async fn mx(&mut self, target: &str, prefixes: Prefixes) -> Result<bool, Stop> {
        let found = self.dns.mx(target).await?;
        let exchanges = self.counted(found)?;
        if exchanges.len() > NAMES {
            return Err(Stop::TooManyExchanges(target.to_owned()));
        }
        for exchange in exchanges.iter().filter(|exchange| !exchange.is_empty()) {
            let found = self.addresses(exchange).await?;
            if self.among(found.records(), prefixes) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn among(&self, addresses: &[IpAddr], prefixes: Prefixes) -> bool {
        let hold = |address: &IpAddr| prefixes.hold(*address, self.address);
        addresses.iter().any(hold)
    }

    /// The addresses of a name in the client's family (section 5: A or AAAA as it connects).
    pub(super) async fn addresses(&self, name: &str) -> Result<Found<IpAddr>, Unavailable> {
        Ok(match self.address {
            IpAddr::V4(_) => self.dns.a(name).await?.map(|address| IpAddr::V4(*address)),
            IpAddr::V6(_) => self
                .dns
                .aaaa(name)
                .await?
                .map(|address| IpAddr::V6(*address)),
        })
    }

    /// What a term's own question found, counted if it is nothing (section 4.6.4).
    pub(super) fn counted<T>(&mut self, found: Found<T>) -> Result<Arc<[T]>, Stop> {
        match found {
            Found::Records(records) => Ok(records),
            Found::NoData | Found::NoName => self.limits.void().map(|()| Arc::from([])),
        }
    }

    /// The name that a mechanism is about: the one it is given, or the domain.
    async fn target_or(
        &mut self,
        by: Option<&DomainSpec>,
        domain: &str,
    ) -> Result<Option<String>, Stop> {
        match by {
            Some(by) => self.target(by, domain).await,
            None => Ok(Some(domain.to_owned())),
        }
    }

    /// The name that comes of a `domain-spec`, if one does (section 4.8).
    async fn target(&mut self, by: &DomainSpec, domain: &str) -> Result<Option<String>, Stop> {
        let validated = self.validated_for(&by.0, domain).await?;
        Ok(by.target(&self.values(domain, &validated)))
    }

    /// What `%{p}` is, where it is used. The first in a check is a term like `ptr`.
    async fn validated_for(&mut self, text: &MacroString, domain: &str) -> Result<String, Stop> {
        if !text.uses(Letter::Validated) {
            return Ok(String::new());
        }
        if self.validated.is_none() {
            self.limits.term()?;
        }
        Ok(self.validated().await?.for_domain(domain))
    }

    pub(super) fn values<'v>(&'v self, domain: &'v str, validated: &'v str) -> Values<'v> {
        Values {
            client: self.client,
            sender: self.sender,
            domain,
            validated,
        }
    }
}
