//! Count of the look-ups that a domain's record may cause, whichever client is checked (RFC 7208
//! section 4.6.4).
//!
//! A check ends at the first term that matches, so it shows the limits only to clients that no term
//! names. The survey goes through all terms that such a client meets: `include` and `redirect` are
//! followed, what stands behind `all` is not. A name that is made of the client or the sender
//! (`%{i}`, `%{l}` and so on) counts and is not asked for.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;

use gatepost_dns::{Dns, Found, Unavailable};

use super::evaluate::{SpfError, look_up};
use super::expand::Values;
use super::limits::{MAX_NAMES, MAX_TERMS, MAX_VOID};
use super::macros::{DomainSpec, Letter, Piece};
use super::record::{SpfMechanism, SpfRecord};
use super::{Sender, SpfClient};

/// Most terms that ask the DNS in one check.
pub const MOST_TERMS: usize = MAX_TERMS as usize;

/// Most void look-ups in one check.
pub const MOST_VOID: usize = MAX_VOID as usize;

/// Terms at which the count ends: a record can be made that has any number.
const CUT: usize = 60;

/// Client for macros that do not depend on it.
const NOBODY: SpfClient<'static> = SpfClient {
    address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    helo: "",
    receiver: "",
};

/// Count of what the record of a domain may cause.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpfSurvey {
    /// Terms that ask the DNS, of all records together.
    pub terms: usize,
    /// True if there are more terms, which were not counted.
    pub is_cut: bool,
    /// Void look-ups in a check of an IPv4 client, and of an IPv6 client.
    pub void: [usize; 2],
    /// Domains whose records are used, in the order of the terms, the first for the domain itself.
    pub domains: Vec<String>,
    /// Reasons why checks end with `permerror`, apart from the limits on terms and void look-ups.
    pub faults: Vec<String>,
}

impl SpfSurvey {
    /// Returns true if the record causes no more look-ups than a check allows.
    pub fn is_within_limits(&self) -> bool {
        self.terms <= MOST_TERMS && self.void.iter().all(|void| *void <= MOST_VOID)
    }
}

/// Counts what the record of a domain, in lower-case A-labels, may cause. A domain without a record
/// causes nothing.
///
/// # Errors
/// The DNS gives no answer about a name that the count depends on.
pub async fn survey(dns: &impl Dns, domain: &str) -> Result<SpfSurvey, Unavailable> {
    let sender = Sender {
        local: "postmaster".to_owned(),
        domain: domain.to_owned(),
    };
    let mut surveyor = Surveyor {
        dns,
        sender,
        found: SpfSurvey::default(),
        path: Vec::new(),
        asks_for_names: false,
    };
    surveyor.host(domain.to_owned(), false).await?;
    Ok(surveyor.found)
}

struct Surveyor<'a, D> {
    dns: &'a D,
    sender: Sender,
    found: SpfSurvey,
    /// Domains on the way to the record in hand, to find a loop.
    path: Vec<String>,
    /// True once `%{p}` was used, which counts as a term once in a check.
    asks_for_names: bool,
}

/// Name that a term is about.
enum Target {
    /// The same name for every client and sender of the domain.
    Name(String),
    /// No name.
    Malformed,
    /// A name that is made of the client or the sender.
    Varies,
}

type Surveyed<'s> = Pin<Box<dyn Future<Output = Result<(), Unavailable>> + Send + 's>>;

impl<D: Dns> Surveyor<'_, D> {
    /// Counts the terms of a domain's record. `is_named` is true if another record names it.
    fn host(&mut self, domain: String, is_named: bool) -> Surveyed<'_> {
        Box::pin(async move {
            if self.path.contains(&domain) {
                let way = self.path.join(" -> ");
                self.fault(format!("a loop: {way} -> {domain}"));
                return Ok(());
            }
            match look_up(self.dns, &domain).await {
                Ok(Some(record)) => {
                    self.found.domains.push(domain.clone());
                    self.path.push(domain.clone());
                    self.record(&record, &domain).await?;
                    self.path.pop();
                }
                Ok(None) if is_named => self.fault(SpfError::NoRecord(domain).to_string()),
                Ok(None) => {}
                Err(SpfError::Unavailable(unavailable)) => return Err(unavailable),
                Err(fault) => self.fault(fault.to_string()),
            }
            Ok(())
        })
    }

    async fn record(&mut self, record: &SpfRecord, domain: &str) -> Result<(), Unavailable> {
        for directive in &record.directives {
            if matches!(directive.mechanism, SpfMechanism::All) {
                // Nothing behind it is evaluated, and no redirection.
                return Ok(());
            }
            self.mechanism(&directive.mechanism, domain).await?;
            if self.found.is_cut {
                return Ok(());
            }
        }
        match &record.redirect {
            Some(target) if self.count() => self.follow(target, domain).await,
            _ => Ok(()),
        }
    }

    async fn mechanism(
        &mut self,
        mechanism: &SpfMechanism,
        domain: &str,
    ) -> Result<(), Unavailable> {
        if !matches!(mechanism, SpfMechanism::All | SpfMechanism::Ip(_)) && !self.count() {
            return Ok(());
        }
        match mechanism {
            SpfMechanism::All | SpfMechanism::Ip(_) => {}
            SpfMechanism::Include(target) => self.follow(target, domain).await?,
            SpfMechanism::A(target, _) => {
                if let Some(name) = self.name(target.as_ref(), domain) {
                    let (v4, v6) = (self.dns.a(&name).await?, self.dns.aaaa(&name).await?);
                    self.void([is_void(&v4), is_void(&v6)]);
                }
            }
            SpfMechanism::Mx(target, _) => {
                if let Some(name) = self.name(target.as_ref(), domain) {
                    let exchanges = self.dns.mx(&name).await?;
                    self.void([is_void(&exchanges); 2]);
                    if exchanges.records().len() > MAX_NAMES {
                        self.fault(SpfError::TooManyExchanges(name).to_string());
                    }
                }
            }
            // The client's reverse zone answers, once in a check.
            SpfMechanism::Ptr(target) => {
                self.name(target.as_ref(), domain);
                self.asks_for_names = true;
            }
            SpfMechanism::Exists(target) => {
                if let Some(name) = self.name(Some(target), domain) {
                    let addresses = self.dns.a(&name).await?;
                    self.void([is_void(&addresses); 2]);
                }
            }
        }
        Ok(())
    }

    /// Counts the record that `include` or `redirect` names.
    async fn follow(&mut self, target: &DomainSpec, domain: &str) -> Result<(), Unavailable> {
        match self.target(target, domain) {
            Target::Name(name) => self.host(name.to_ascii_lowercase(), true).await,
            Target::Malformed => {
                self.fault(SpfError::NoTarget(domain.to_owned()).to_string());
                Ok(())
            }
            Target::Varies => Ok(()),
        }
    }

    /// Returns the name that a mechanism asks for: its argument, or the domain.
    fn name(&mut self, target: Option<&DomainSpec>, domain: &str) -> Option<String> {
        match target.map(|target| self.target(target, domain)) {
            None => Some(domain.to_owned()),
            Some(Target::Name(name)) => Some(name),
            // Such a mechanism matches nothing, and asks nothing.
            Some(Target::Malformed | Target::Varies) => None,
        }
    }

    /// Returns the name that a term is about. The first use of `%{p}` counts as a term.
    fn target(&mut self, target: &DomainSpec, domain: &str) -> Target {
        if target.0.uses(Letter::Validated) && !std::mem::replace(&mut self.asks_for_names, true) {
            self.count();
        }
        let is_constant = |piece: &Piece| match piece {
            Piece::Text(_) => true,
            Piece::Macro(one) => matches!(one.letter, Letter::Domain | Letter::SenderDomain),
        };
        if !target.0.0.iter().all(is_constant) {
            return Target::Varies;
        }
        let name = target.target(&Values {
            client: &NOBODY,
            sender: &self.sender,
            domain,
            validated: "",
        });
        name.map_or(Target::Malformed, Target::Name)
    }

    /// Counts a term; false if the count has ended.
    fn count(&mut self) -> bool {
        self.found.is_cut |= self.found.terms >= CUT;
        if !self.found.is_cut {
            self.found.terms += 1;
        }
        !self.found.is_cut
    }

    fn void(&mut self, are_void: [bool; 2]) {
        for (count, is_void) in self.found.void.iter_mut().zip(are_void) {
            *count += usize::from(is_void);
        }
    }

    fn fault(&mut self, fault: String) {
        if !self.found.faults.contains(&fault) {
            self.found.faults.push(fault);
        }
    }
}

fn is_void<T>(found: &Found<T>) -> bool {
    found.records().is_empty()
}
