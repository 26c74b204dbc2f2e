//! The facts about one message as plain data: policies read them, `gatepost check` prints them, and
//! Authentication-Results tells them.

use gatepost_contract::authentication::DmarcResult;
pub use gatepost_contract::authentication::{
    ArcDkim, ArcResult as ArcFact, ArcSet, Author, DkimResult as DkimFact, DmarcPolicy,
    FromClarity, FromResult as FromFact, IprevResult as IprevFact, Outcome as Authentication,
    SpfResult as SpfFact,
};
use serde::{Deserialize, Serialize};

/// Facts about one message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Facts {
    /// SPF of the name in EHLO and of the reverse-path.
    pub spf: SpfFacts,
    /// DKIM signatures, from the top of the header section down, up to the limit.
    pub dkim: Vec<DkimFact>,
    /// DMARC of the author's domain; if readers could show several, of the one with the worst
    /// result (RFC 9989 section 11.5).
    pub dmarc: DmarcFact,
    /// Clarity of From, and the domains in it.
    pub from: FromFact,
    /// Chain of ARC sets.
    pub arc: ArcFact,
    /// Agreement of the client's address with its name.
    pub iprev: IprevFact,
    /// Authors named in From. They are no result, so they are neither printed nor stored.
    #[serde(skip)]
    pub authors: Vec<Author>,
}

impl Facts {
    /// Returns DKIM in one word: `pass` if any signature passes, else the result of the first.
    pub fn best_dkim(&self) -> Authentication {
        let results = || self.dkim.iter().map(|signature| signature.result);
        let passes = |result: &Authentication| *result == Authentication::Pass;
        let best = results().find(passes).or_else(|| results().next());
        best.unwrap_or_default()
    }
}

/// SPF of both identities (RFC 7208 section 2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SpfFacts {
    /// Result for the argument of EHLO or HELO.
    pub helo: SpfFact,
    /// Result for the reverse-path; if it is null, for `postmaster@` the HELO name.
    pub mailfrom: SpfFact,
}

/// DMARC (RFC 9989; RFC 7489 if the public suffix list is set).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DmarcFact {
    /// Result.
    pub result: Authentication,
    /// Policy that the domain requests, whatever the result: `p`, `sp` or `np`, as applies to the
    /// author's domain. `None` without a record.
    pub policy: Option<DmarcPolicy>,
    /// Policy to apply; `None` unless the result is `fail`. `t=y` softens it by one step.
    pub applied: Option<DmarcPolicy>,
    /// Author's domain, in lower-case A-labels; of several, the one with the worst result; empty
    /// if From cannot be read.
    pub domain: String,
    /// Organisational domain of `domain`: by the tree walk (RFC 9989 section 4.10.2), or the public
    /// suffix list if that is set or if there is no record.
    pub organizational_domain: String,
    /// Identifiers that pass in alignment with it, even without a record (relaxed, unless a record
    /// says otherwise).
    pub alignment: DmarcAlignment,
    /// Description of an error, or the reason why DMARC does not apply although there is a record
    /// at `_dmarc`. If From cannot be read, the result is `permerror` and this describes From.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Identifiers that pass in alignment with the author's domain.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct DmarcAlignment {
    /// True if SPF of the reverse-path does.
    pub spf: bool,
    /// True if a DKIM signature does.
    pub dkim: bool,
}

impl From<&DmarcFact> for DmarcResult {
    fn from(fact: &DmarcFact) -> Self {
        let fact = fact.clone();
        Self {
            result: fact.result,
            policy: fact.policy,
            applied: fact.applied,
            domain: fact.domain,
            organizational_domain: fact.organizational_domain,
            spf_aligned: fact.alignment.spf,
            dkim_aligned: fact.alignment.dkim,
            reason: fact.reason,
        }
    }
}

/// Takes the facts that a fixture gives.
impl From<gatepost_contract::authentication::Authentication> for Facts {
    fn from(given: gatepost_contract::authentication::Authentication) -> Self {
        let dmarc = given.dmarc;
        Self {
            spf: SpfFacts {
                helo: given.spf_helo,
                mailfrom: given.spf_mailfrom,
            },
            dkim: given.dkim,
            dmarc: DmarcFact {
                result: dmarc.result,
                policy: dmarc.policy,
                applied: dmarc.applied,
                domain: dmarc.domain,
                organizational_domain: dmarc.organizational_domain,
                alignment: DmarcAlignment {
                    spf: dmarc.spf_aligned,
                    dkim: dmarc.dkim_aligned,
                },
                reason: dmarc.reason,
            },
            from: given.from,
            arc: given.arc,
            iprev: given.iprev,
            authors: given.authors,
        }
    }
}
