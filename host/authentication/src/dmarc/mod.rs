//! DMARC (RFC 9989): whether what passed is the author's own, and what the author's domain asks
//! for where it is not.
//!
//! 1. The authors' domains are read from From: every one that a mail reader could show
//!    ([`crate::author`]).
//! 2. The [tree walk](walk) finds the records above it, and among them the one that counts, and
//!    the organisational domain ([`Discovered`]). With [`Boundary::PublicSuffixList`] that list
//!    says what an organisation is instead (RFC 7489 section 3.2).
//! 3. Identifiers that pass are [held against it](Discovered::judge). Where no record is found,
//!    nothing says what an organisation is: the list stands in, so that alignment is known in any
//!    case.
//! 4. Of several authors the worst result [counts](of_all) (RFC 9989 section 11.5).

pub(crate) mod record;
mod suffix;
mod walk;

pub use suffix::organizational_domain as organizational_domain_by_list;

use crate::rejection::Rejection;
use crate::{
    Authentication, Boundary, DkimFact, DmarcAlignment, DmarcFact, DmarcPolicy, Dns, Found,
    FromClarity, FromFact, SpfFact,
};
use record::{Alignment, Record};
use walk::Walk;

/// What the DNS says about an author's domain.
#[derive(Debug)]
pub(crate) struct Discovered {
    domain: String,
    organization: String,
    /// How the organisational domains of others are found.
    boundary: Boundary,
    record: Applicable,
}

/// The record that counts.
#[derive(Debug)]
enum Applicable {
    /// There is none, and perhaps why.
    None(Option<&'static str>),
    /// The record, and what it asks for.
    Some(Record, Requested),
    /// It could not be had.
    Unknown(Rejection),
}

/// What is asked for: known, or not to be had.
type Requested = Result<DmarcPolicy, Rejection>;

/// Finds the record that counts for an author's domain (RFC 9989 section 4.10.1).
pub(crate) async fn discover(dns: &impl Dns, domain: String, boundary: Boundary) -> Discovered {
    let by_list = suffix::organizational_domain(&domain).unwrap_or_else(|| domain.clone());
    let walk = match boundary {
        Boundary::TreeWalk => Walk::up(dns, &domain).await,
        Boundary::PublicSuffixList => Walk::of(dns, [domain.as_str(), by_list.as_str()]).await,
    };
    let (record, organization, boundary) = match walk {
        Err(rejection) => (Applicable::Unknown(rejection), by_list, boundary),
        Ok(walk) => {
            let (organization, boundary) = match boundary {
                Boundary::TreeWalk if !walk.is_empty() => {
                    (walk.organizational_domain().to_owned(), boundary)
                }
                _ => (by_list, Boundary::PublicSuffixList),
            };
            let record = applicable(dns, &walk, &domain, &organization).await;
            (record, organization, boundary)
        }
    };
    Discovered {
        domain,
        organization,
        boundary,
        record,
    }
}

async fn applicable(dns: &impl Dns, walk: &Walk, domain: &str, organization: &str) -> Applicable {
    if walk.several_at_start {
        return Applicable::None(Some("the author's domain publishes several DMARC records"));
    }
    let own = walk.at(domain);
    let Some(record) = own
        .or_else(|| walk.at(organization))
        .or_else(|| walk.last())
    else {
        return Applicable::None(None);
    };
    let Some(policies) = record.policies() else {
        return Applicable::None(Some(
            "the DMARC record has no valid policy and no address for reports",
        ));
    };
    let requested = if own.is_some() {
        Ok(policies.p)
    } else if policies.np == policies.sp {
        Ok(policies.sp)
    } else {
        // Any type tells whether the name exists (RFC 8020).
        match dns.a(domain).await {
            Ok(Found::NoName) => Ok(policies.np),
            Ok(_) => Ok(policies.sp),
            Err(unavailable) => Err(unavailable.into()),
        }
    };
    Applicable::Some(record.clone(), requested)
}

impl Discovered {
    /// The verdict over what passed. `spf` is that of the reverse-path.
    pub(crate) async fn judge(
        &self,
        dns: &impl Dns,
        spf: &SpfFact,
        dkim: &[DkimFact],
    ) -> DmarcFact {
        let modes = match &self.record {
            Applicable::Some(record, _) => (record.aspf, record.adkim),
            _ => (Alignment::Relaxed, Alignment::Relaxed),
        };
        let mut uncertain = None;
        let mut alignment = DmarcAlignment::default();
        let spf = std::iter::once((&spf.domain, spf.result));
        alignment.spf = self.any_aligned(dns, spf, modes.0, &mut uncertain).await;
        let dkim = dkim.iter().map(|one| (&one.domain, one.result));
        alignment.dkim = self.any_aligned(dns, dkim, modes.1, &mut uncertain).await;

        let fact = DmarcFact {
            domain: self.domain.clone(),
            organizational_domain: self.organization.clone(),
            alignment,
            ..DmarcFact::default()
        };
        let error = |why: &Rejection, policy| DmarcFact {
            result: why.result,
            reason: Some(why.reason.clone()),
            policy,
            ..fact.clone()
        };
        let (record, requested) = match &self.record {
            Applicable::Unknown(why) => return error(why, None),
            Applicable::None(reason) => {
                return DmarcFact {
                    reason: reason.map(str::to_owned),
                    ..fact
                };
            }
            Applicable::Some(record, requested) => (record, requested),
        };
        let policy = requested.as_ref().ok().copied();
        if alignment.spf || alignment.dkim {
            return DmarcFact {
                result: Authentication::Pass,
                policy,
                ..fact
            };
        }
        match (requested, uncertain) {
            (_, Some(why)) => error(&why, policy),
            (Err(why), None) => error(why, None),
            (Ok(requested), None) => DmarcFact {
                result: Authentication::Fail,
                policy,
                applied: Some(record.applied(*requested)),
                ..fact
            },
        }
    }

    /// Whether an identifier passes and is aligned. `uncertain` is set where one might, were the
    /// DNS to answer (RFC 9989 section 5.3.6).
    async fn any_aligned<'a>(
        &self,
        dns: &impl Dns,
        identifiers: impl Iterator<Item = (&'a String, Authentication)>,
        mode: Alignment,
        uncertain: &mut Option<Rejection>,
    ) -> bool {
        let mut aligned_temporary = false;
        for (identifier, result) in identifiers {
            if !matches!(result, Authentication::Pass | Authentication::TempError) {
                continue;
            }
            match self.is_aligned(dns, identifier, mode).await {
                Ok(false) => {}
                Ok(true) if result == Authentication::Pass => return true,
                Ok(true) => aligned_temporary = true,
                Err(why) if why.result == Authentication::TempError => *uncertain = Some(why),
                // Beyond what a message may ask, which is the sender's doing: it proves nothing.
                Err(_) => {}
            }
        }
        if aligned_temporary {
            *uncertain = Some(Rejection::temporary(
                "an aligned identifier could not be checked for now",
            ));
        }
        false
    }

    /// RFC 9989 section 4.4.
    async fn is_aligned(
        &self,
        dns: &impl Dns,
        identifier: &str,
        mode: Alignment,
    ) -> Result<bool, Rejection> {
        if identifier == self.domain {
            return Ok(true);
        }
        if mode == Alignment::Strict || !is_at_or_below(identifier, &self.organization) {
            return Ok(false);
        }
        // Within the author's organisation, unless a boundary runs between.
        Ok(match self.boundary {
            Boundary::PublicSuffixList => {
                suffix::organizational_domain(identifier).as_ref() == Some(&self.organization)
            }
            Boundary::TreeWalk => {
                let walk = Walk::up(dns, identifier).await?;
                walk.organizational_domain() == self.organization
            }
        })
    }
}

/// The verdict over all authors that a reader could show: the worst of theirs (RFC 9989 section
/// 11.5, RFC 7489 section 6.6.1). Aligned is only what is so for each of them.
pub(crate) fn of_all(facts: Vec<DmarcFact>, from: &FromFact) -> DmarcFact {
    if from.clarity == FromClarity::Unreadable {
        return DmarcFact {
            result: Authentication::PermError,
            reason: from.doubt.clone(),
            ..DmarcFact::default()
        };
    }
    let is_aligned = |fact: &DmarcFact| fact.alignment.spf || fact.alignment.dkim;
    let all_aligned = facts.iter().all(is_aligned);
    // Of equals the first counts.
    let worst = facts.into_iter().rev().max_by_key(severity);
    let Some(worst) = worst else {
        // All addresses are literals, and nothing is published about those.
        return DmarcFact::default();
    };
    DmarcFact {
        alignment: match all_aligned {
            true => worst.alignment,
            false => DmarcAlignment::default(),
        },
        ..worst
    }
}

/// How bad a result is for a message.
fn severity(fact: &DmarcFact) -> u8 {
    match (fact.result, fact.applied) {
        (Authentication::Fail, Some(DmarcPolicy::Reject)) => 7,
        (Authentication::Fail, Some(DmarcPolicy::Quarantine)) => 6,
        (Authentication::PermError, _) => 5,
        (Authentication::TempError, _) => 4,
        (Authentication::Fail, _) => 3,
        (Authentication::Pass, _) => 0,
        // Nothing is published: worse where nothing is aligned.
        _ if !fact.alignment.spf && !fact.alignment.dkim => 2,
        _ => 1,
    }
}

fn is_at_or_below(name: &str, ancestor: &str) -> bool {
    name.strip_suffix(ancestor)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
