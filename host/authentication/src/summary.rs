//! The summary of the facts that is printed and stored: results with their domains, without the
//! claims of others.

use serde::{Deserialize, Serialize};

use crate::{Authentication, DkimFact, DmarcAlignment, DmarcPolicy, Facts, FromFact, SpfFact};

/// Summary of the facts about one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "AuthenticationSummary")]
pub struct Summary {
    /// SPF of both identities.
    pub spf: SpfSummary,
    /// DKIM signatures that were checked, from the top down.
    pub dkim: Vec<DkimSummary>,
    /// DMARC of the author's domain.
    pub dmarc: DmarcSummary,
    /// Chain of ARC sets.
    pub arc: ArcSummary,
    /// Agreement of the client's address with its name.
    pub iprev: IprevSummary,
    /// Authenticated user, if there is one.
    pub sasl: Option<Sasl>,
}

/// SPF of both identities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SpfSummary {
    /// Result for the argument of EHLO or HELO.
    pub helo: SpfResult,
    /// Result for the reverse-path.
    pub mailfrom: SpfResult,
}

/// SPF of one identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SpfResult {
    /// Result.
    pub result: Authentication,
    /// Domain that was checked; empty if there was none.
    pub domain: String,
    /// Explanation of the domain, or description of an error.
    #[serde(default)]
    pub reason: Option<String>,
}

/// One DKIM signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DkimSummary {
    /// Result.
    pub result: Authentication,
    /// Signing domain (`d=`).
    pub domain: String,
    /// Selector (`s=`).
    pub selector: String,
    /// Reason for another result than `pass`.
    pub reason: Option<String>,
}

/// DMARC of the author's domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DmarcSummary {
    /// Result.
    pub result: Authentication,
    /// Policy that the domain requests, whatever the result.
    pub policy: Option<DmarcPolicy>,
    /// Policy to apply.
    pub applied: Option<DmarcPolicy>,
    /// Author's domain; of several, the one with the worst result; empty if From cannot be read.
    pub domain: String,
    /// Organisational domain of `domain`.
    pub organizational_domain: String,
    /// Identifiers that pass in alignment with it.
    pub alignment: DmarcAlignment,
    /// Description of an error, or the reason why there is no policy.
    #[serde(default)]
    pub reason: Option<String>,
    /// Clarity of From, and the domains in it.
    #[serde(default)]
    pub from: FromFact,
}

/// Chain of ARC sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ArcSummary {
    /// Result of the chain.
    pub result: Authentication,
    /// Number of sets.
    pub instances: u32,
    /// Domain of the newest seal (`d=`); empty if there is none.
    pub sealer: String,
    /// Reason for another result than `pass`.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Agreement of the client's address with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct IprevSummary {
    /// Result.
    pub result: Authentication,
}

/// Authenticated user (RFC 4954).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Sasl {
    /// User name.
    pub user: String,
    /// Domain for which the credential relays; `None` for a submission.
    pub domain: Option<String>,
}

impl Facts {
    /// Summarises the facts, with the authenticated user.
    pub fn summary(&self, sasl: Option<Sasl>) -> Summary {
        let spf = |fact: &SpfFact| SpfResult {
            result: fact.result,
            domain: fact.domain.clone(),
            reason: fact.reason.clone(),
        };
        let dkim = |fact: &DkimFact| DkimSummary {
            result: fact.result,
            domain: fact.domain.clone(),
            selector: fact.selector.clone(),
            reason: fact.reason.clone(),
        };
        Summary {
            spf: SpfSummary {
                helo: spf(&self.spf.helo),
                mailfrom: spf(&self.spf.mailfrom),
            },
            dkim: self.dkim.iter().map(dkim).collect(),
            dmarc: DmarcSummary {
                result: self.dmarc.result,
                policy: self.dmarc.policy,
                applied: self.dmarc.applied,
                domain: self.dmarc.domain.clone(),
                organizational_domain: self.dmarc.organizational_domain.clone(),
                alignment: self.dmarc.alignment,
                reason: self.dmarc.reason.clone(),
                from: self.from.clone(),
            },
            arc: ArcSummary {
                result: self.arc.result,
                instances: self.arc.instances,
                sealer: self.arc.sealer.clone(),
                reason: self.arc.reason.clone(),
            },
            iprev: IprevSummary {
                result: self.iprev.result,
            },
            sasl,
        }
    }
}
