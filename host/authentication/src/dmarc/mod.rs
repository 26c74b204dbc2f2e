//! DMARC (RFC 9989): alignment of the identifiers that pass with the author's domain, and the
//! policy of that domain for mail that fails.
//!
//! 1. The authors' domains are read from From: all that a mail reader could show
//!    ([`crate::author`]).
//! 2. For each domain, the [tree walk](walk) finds the records at and above it. One of them
//!    applies, and they determine the organisational domain ([`Discovered`]). With
//!    [`Boundary::PublicSuffixList`], that list determines it instead (RFC 7489 section 3.2).
//! 3. Identifiers that pass are [compared with it](Discovered::judge). Without any record, nothing
//!    determines the organisation: then the list is used, so that alignment is always known.
//! 4. Of several authors, the worst result [counts](of_all) (RFC 9989 section 11.5).

pub(crate) mod record;
mod suffix;
mod walk;

pub use suffix::organizational_domain as organizational_domain_by_list;

use crate::rejection::Rejection;
use crate::{
    Authentication, Boundary, DkimFact, DmarcAlignment, DmarcFact, DmarcPolicy, FromClarity,
    FromFact, SpfFact,
};
use gatepost_dns::{Dns, Found};
use record::{Alignment, DmarcRecord};
use walk::Walk;

/// Knowledge from the DNS about an author's domain.
#[derive(Debug)]
pub(crate) struct Discovered {
    domain: String,
    organization: String,
    /// Method by which the organisational domains of identifiers are found.
    boundary: Boundary,
    record: Applicable,
}

/// DmarcRecord that applies to an author's domain.
#[derive(Debug)]
enum Applicable {
    /// Absence of a record that applies, with the reason if there is one.
    None(Option<&'static str>),
    /// Record that applies, with the policy that it requests.
    Some(DmarcRecord, Requested),
    /// Lack of an answer.
    Unknown(Rejection),
}

/// Policy that a record requests, or the lack of an answer that decides which one it is.
type Requested = Result<DmarcPolicy, Rejection>;

/// Finds the record that applies to an author's domain (RFC 9989 section 4.10.1).
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
        // A question of any type tells if the name exists (RFC 8020).
        match dns.a(domain).await {
            Ok(Found::NoName) => Ok(policies.np),
            Ok(_) => Ok(policies.sp),
            Err(unavailable) => Err(unavailable.into()),
        }
    };
    Applicable::Some(record.clone(), requested)
}

/// Judges mail before it is sent as its receivers will: by the policy of an author's domain, the
/// domains that sign it, and the result of SPF for its reverse-path, which is worked out only if
/// there is a policy.
pub async fn foresee(
    dns: &impl Dns,
    author: &str,
    signers: &[&str],
    boundary: Boundary,
    spf: impl Future<Output = SpfFact>,
) -> DmarcFact {
    let discovered = discover(dns, author.to_owned(), boundary).await;
    let spf = match &discovered.record {
        Applicable::Some(..) => spf.await,
        Applicable::None(_) | Applicable::Unknown(_) => SpfFact::default(),
    };
    discovered.judge(dns, &spf, &signatures(signers)).await
}

/// Judges mail as [`foresee`] does, with its alignment where there is no policy, too.
pub async fn foresee_alignment(
    dns: &impl Dns,
    author: &str,
    signers: &[&str],
    boundary: Boundary,
    spf: &SpfFact,
) -> DmarcFact {
    let discovered = discover(dns, author.to_owned(), boundary).await;
    discovered.judge(dns, spf, &signatures(signers)).await
}

/// Returns the signatures of these domains as their receivers will find them.
fn signatures(signers: &[&str]) -> Vec<DkimFact> {
    let signed = |domain: &&str| DkimFact {
        result: Authentication::Pass,
        domain: (*domain).to_owned(),
        ..DkimFact::default()
    };
    signers.iter().map(signed).collect()
}

impl Discovered {
    /// Compares the identifiers with the author's domain. `spf` is the fact about the reverse-path.
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

    /// Returns true if an identifier passes and is aligned. Sets `uncertain` if one might be but
    /// the DNS gave no answer (RFC 9989 section 5.3.6).
    async fn any_aligned<'a>(
        &self,
        dns: &impl Dns,
        identifiers: impl Iterator<Item = (&'a String, Authentication)>,
        mode: Alignment,
        uncertain: &mut Option<Rejection>,
    ) -> bool {
        let mut aligned_temporary = false;
        for (identifier, result) in identifiers {
            if !matches!(result, Authentication::Pass | Authentication::Temperror) {
                continue;
            }
            match self.is_aligned(dns, identifier, mode).await {
                Ok(false) => {}
                Ok(true) if result == Authentication::Pass => return true,
                Ok(true) => aligned_temporary = true,
                Err(why) if why.result == Authentication::Temperror => *uncertain = Some(why),
                // The sender exceeded the message's budget: this identifier proves nothing.
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

    /// Returns true if an identifier is aligned (RFC 9989 section 4.4).
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
        // It is in the author's organisation, unless a boundary lies between.
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

/// Returns the worst fact of all authors that a reader could show (RFC 9989 section 11.5, RFC 7489
/// section 6.6.1). It has alignment only if all of them have.
pub(crate) fn of_all(facts: Vec<DmarcFact>, from: &FromFact) -> DmarcFact {
    if from.clarity == FromClarity::Unreadable {
        return DmarcFact {
            result: Authentication::Permerror,
            reason: from.doubt.clone(),
            ..DmarcFact::default()
        };
    }
    let is_aligned = |fact: &DmarcFact| fact.alignment.spf || fact.alignment.dkim;
    let all_aligned = facts.iter().all(is_aligned);
    // The first of equal facts counts.
    let worst = facts.into_iter().rev().max_by_key(severity);
    let Some(worst) = worst else {
        // All addresses are literals, for which no domain publishes a record.
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

/// Returns the severity of a result for a message.
fn severity(fact: &DmarcFact) -> u8 {
    match (fact.result, fact.applied) {
        (Authentication::Fail, Some(DmarcPolicy::Reject)) => 7,
        (Authentication::Fail, Some(DmarcPolicy::Quarantine)) => 6,
        (Authentication::Permerror, _) => 5,
        (Authentication::Temperror, _) => 4,
        (Authentication::Fail, _) => 3,
        (Authentication::Pass, _) => 0,
        // No record applies: it is worse if nothing is aligned.
        _ if !fact.alignment.spf && !fact.alignment.dkim => 2,
        _ => 1,
    }
}

fn is_at_or_below(name: &str, ancestor: &str) -> bool {
    name.strip_suffix(ancestor)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
