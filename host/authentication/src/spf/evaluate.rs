//! The evaluation of a domain's record and of the records that it names (RFC 7208 sections 4 to 6).

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use super::expand::Values;
use super::limits::{LookUpLimits, MAX_NAMES};
use super::macros::{DomainSpec, Letter, MacroString};
use super::network::Prefixes;
use super::record::{MalformedTerm, Qualifier, SpfMechanism, SpfRecord, is_record};
use super::validated::Validated;
use super::{Sender, SpfClient};
use crate::Authentication;
use gatepost_dns::{Dns, Found, Unavailable};

/// State of one check.
pub(super) struct SpfCheck<'a, D> {
    pub(super) dns: &'a D,
    pub(super) client: &'a SpfClient<'a>,
    pub(super) sender: &'a Sender,
    /// Client's address in its own family: an IPv4-mapped IPv6 address is IPv4 (section 5).
    pub(super) address: IpAddr,
    pub(super) limits: LookUpLimits,
    /// Validated names of the address, once they were looked up.
    pub(super) validated: Option<Validated>,
}

/// SpfVerdict of a domain on the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SpfVerdict {
    pub(super) qualifier: Qualifier,
    /// Source of the explanation of a `fail`, if there is one.
    pub(super) explanation: Option<ExplanationSource>,
}

/// Modifier `exp`, and the domain of its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExplanationSource {
    pub(super) by: DomainSpec,
    pub(super) domain: String,
}

/// Error that ends a check without a verdict.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpfError {
    /// Temporary error: a later check may succeed (section 2.6.6).
    #[error("{0}")]
    Unavailable(#[from] Unavailable),
    /// Permanent error, as all that follow: the domain has to mend its record (section 2.6.7).
    #[error("{domain}: malformed term {}", .term.0)]
    Malformed { domain: String, term: MalformedTerm },
    #[error("{0} has several SPF records")]
    SeveralRecords(String),
    #[error("{0} has no SPF record, but another refers to it")]
    NoRecord(String),
    #[error("{0} refers to a malformed domain name")]
    NoTarget(String),
    #[error("more than 10 terms that ask the DNS")]
    TooManyTerms,
    #[error("more than 2 void look-ups")]
    TooManyVoid,
    #[error("{0} has more than 10 exchanges")]
    TooManyExchanges(String),
}

impl SpfError {
    pub(super) fn result(&self) -> Authentication {
        match self {
            // Section 4.6.4: exceeded limits are a permanent error.
            Self::Unavailable(unavailable) if unavailable.beyond_budget => {
                Authentication::Permerror
            }
            Self::Unavailable(_) => Authentication::Temperror,
            _ => Authentication::Permerror,
        }
    }
}

/// SpfVerdict, or `None` for a domain without a record.
type Evaluated = Result<Option<SpfVerdict>, SpfError>;

/// Looks up the only SPF record of a domain (sections 4.4 and 4.5).
pub(super) async fn look_up(dns: &impl Dns, domain: &str) -> Result<Option<SpfRecord>, SpfError> {
    let found = dns.txt(domain).await?;
    let mut records = found.records().iter().filter(|text| is_record(text));
    let Some(record) = records.next() else {
        return Ok(None);
    };
    if records.next().is_some() {
        return Err(SpfError::SeveralRecords(domain.to_owned()));
    }
    let malformed = |term| SpfError::Malformed {
        domain: domain.to_owned(),
        term,
    };
    SpfRecord::parse(record).map(Some).map_err(malformed)
}

impl<'a, D: Dns> SpfCheck<'a, D> {
    pub(super) fn new(dns: &'a D, client: &'a SpfClient<'a>, sender: &'a Sender) -> Self {
        Self {
            dns,
            client,
            sender,
            address: client.address.to_canonical(),
            limits: LookUpLimits::new(),
            validated: None,
        }
    }

    /// Evaluates `check_host()` for a domain (section 4).
    pub(super) async fn host(&mut self, mut domain: String) -> Evaluated {
        let mut redirected = false;
        loop {
            let Some(record) = look_up(self.dns, &domain).await? else {
                // Section 6.1: the target of a redirection has to have a record.
                return match redirected {
                    true => Err(SpfError::NoRecord(domain)),
                    false => Ok(None),
                };
            };
            // Section 4.6.2: the first match decides.
            for directive in &record.directives {
                if self.matches(&directive.mechanism, &domain).await? {
                    let by = record.explanation;
                    return Ok(Some(SpfVerdict {
                        qualifier: directive.qualifier,
                        explanation: by.map(|by| ExplanationSource { by, domain }),
                    }));
                }
            }
            let Some(redirect) = &record.redirect else {
                // Section 4.7: without a match, the result is `neutral`.
                return Ok(Some(SpfVerdict {
                    qualifier: Qualifier::Neutral,
                    explanation: None,
                }));
            };
            // Section 6.1: the target's record replaces this one, including its `exp`.
            self.limits.count_term()?;
            let target = self.target(redirect, &domain).await?;
            domain = target.ok_or(SpfError::NoTarget(domain))?;
            redirected = true;
        }
    }

    /// Calls [`SpfCheck::host`] recursively.
    fn included(&mut self, domain: String) -> Pin<Box<dyn Future<Output = Evaluated> + Send + '_>> {
        Box::pin(self.host(domain))
    }

    /// Returns true if a mechanism matches (section 5).
    async fn matches(&mut self, mechanism: &SpfMechanism, domain: &str) -> Result<bool, SpfError> {
        match mechanism {
            SpfMechanism::All => Ok(true),
            SpfMechanism::Ip(network) => Ok(network.contains(self.address)),
            SpfMechanism::Include(by) => {
                self.limits.count_term()?;
                self.include(by, domain).await
            }
            SpfMechanism::A(by, prefixes) => {
                self.limits.count_term()?;
                match self.target_or(by.as_ref(), domain).await? {
                    Some(target) => self.a(&target, *prefixes).await,
                    None => Ok(false),
                }
            }
            SpfMechanism::Mx(by, prefixes) => {
                self.limits.count_term()?;
                match self.target_or(by.as_ref(), domain).await? {
                    Some(target) => self.mx(&target, *prefixes).await,
                    None => Ok(false),
                }
            }
            SpfMechanism::Ptr(by) => {
                self.limits.count_term()?;
                match self.target_or(by.as_ref(), domain).await? {
                    Some(target) => Ok(self.validated().await?.within(&target)),
                    None => Ok(false),
                }
            }
            SpfMechanism::Exists(by) => {
                self.limits.count_term()?;
                match self.target(by, domain).await? {
                    // Section 5.7: the question is always for A, whatever the client's family.
                    Some(target) => {
                        let found = self.dns.a(&target).await?;
                        Ok(!self.records_or_void(found)?.is_empty())
                    }
                    None => Ok(false),
                }
            }
        }
    }

    /// Evaluates `include` (section 5.2): it matches if the target's verdict is `pass`.
    async fn include(&mut self, by: &DomainSpec, domain: &str) -> Result<bool, SpfError> {
        let Some(target) = self.target(by, domain).await? else {
            return Err(SpfError::NoTarget(domain.to_owned()));
        };
        match self.included(target.clone()).await? {
            Some(verdict) => Ok(verdict.qualifier == Qualifier::Pass),
            None => Err(SpfError::NoRecord(target)),
        }
    }

    /// Evaluates `a` (section 5.3).
    async fn a(&mut self, target: &str, prefixes: Prefixes) -> Result<bool, SpfError> {
        let found = self.addresses(target).await?;
        let addresses = self.records_or_void(found)?;
        Ok(self.any_in_network(&addresses, prefixes))
    }

    /// Evaluates `mx` (section 5.4). Unlike for mail, a target without exchanges is not its own.
    async fn mx(&mut self, target: &str, prefixes: Prefixes) -> Result<bool, SpfError> {
        let found = self.dns.mx(target).await?;
        let exchanges = self.records_or_void(found)?;
        if exchanges.len() > MAX_NAMES {
            return Err(SpfError::TooManyExchanges(target.to_owned()));
        }
        let hosts = exchanges.iter().map(|exchange| exchange.host.as_str());
        for host in hosts.filter(|host| !host.is_empty()) {
            let found = self.addresses(host).await?;
            if self.any_in_network(found.records(), prefixes) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn any_in_network(&self, addresses: &[IpAddr], prefixes: Prefixes) -> bool {
        let contain = |address: &IpAddr| prefixes.contain(*address, self.address);
        addresses.iter().any(contain)
    }

    /// Looks up the addresses of a name in the client's family (section 5).
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

    /// Returns the records of a term's own question, and counts a void look-up (section 4.6.4).
    pub(super) fn records_or_void<T>(&mut self, found: Found<T>) -> Result<Arc<[T]>, SpfError> {
        match found {
            Found::Records(records) => Ok(records),
            Found::NoData | Found::NoName => self.limits.count_void().map(|()| Arc::from([])),
        }
    }

    /// Returns the name that a mechanism is about: its argument, or the domain.
    async fn target_or(
        &mut self,
        by: Option<&DomainSpec>,
        domain: &str,
    ) -> Result<Option<String>, SpfError> {
        match by {
            Some(by) => self.target(by, domain).await,
            None => Ok(Some(domain.to_owned())),
        }
    }

    /// Expands a `domain-spec` to a name; `None` if the result is no name (section 4.8).
    async fn target(&mut self, by: &DomainSpec, domain: &str) -> Result<Option<String>, SpfError> {
        let validated = self.value_of_p(&by.0, domain).await?;
        Ok(by.target(&self.values(domain, &validated)))
    }

    /// Returns the value of `%{p}` if the text uses it. The first use in a check counts as a term,
    /// like `ptr`.
    async fn value_of_p(&mut self, text: &MacroString, domain: &str) -> Result<String, SpfError> {
        if !text.uses(Letter::Validated) {
            return Ok(String::new());
        }
        if self.validated.is_none() {
            self.limits.count_term()?;
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
