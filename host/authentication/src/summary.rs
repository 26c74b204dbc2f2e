//! What is printed and kept of the facts: the results and whose they are, without what others
//! claim.

use serde::{Deserialize, Serialize};

use crate::{Authentication, DkimFact, DmarcAlignment, DmarcPolicy, Facts, FromFact, SpfFact};

/// The facts about one message in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// SPF of both identities.
    pub spf: SpfSummary,
    /// Each DKIM signature that was looked at, top to bottom.
    pub dkim: Vec<DkimSummary>,
    /// DMARC of the author's domain.
    pub dmarc: DmarcSummary,
    /// The chain of ARC sets.
    pub arc: ArcSummary,
    /// Whether the client's address and name agree.
    pub iprev: IprevSummary,
    /// Who has authenticated, if somebody has.
    pub sasl: Option<Sasl>,
}

/// SPF of both identities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SpfSummary {
    /// Of the argument of EHLO or HELO.
    pub helo: SpfResult,
    /// Of the reverse-path.
    pub mailfrom: SpfResult,
}

/// One SPF result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SpfResult {
    /// The result.
    pub result: Authentication,
    /// The domain that was checked; empty where there was none.
    pub domain: String,
    /// What the domain says to who fails, or what was wrong.
    #[serde(default)]
    pub reason: Option<String>,
}

/// One DKIM signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DkimSummary {
    /// The result.
    pub result: Authentication,
    /// `d=`.
    pub domain: String,
    /// `s=`.
    pub selector: String,
    /// Why it is not `pass`.
    pub reason: Option<String>,
}

/// DMARC of the author's domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DmarcSummary {
    /// The result.
    pub result: Authentication,
    /// What the domain asks for, whatever the result.
    pub policy: Option<DmarcPolicy>,
    /// What is to be done by that policy.
    pub applied: Option<DmarcPolicy>,
    /// The author's domain; of several the one that fares worst; empty where From cannot be read.
    pub domain: String,
    /// Its organisational domain.
    pub organizational_domain: String,
    /// Which of the author's identifiers pass in alignment with it.
    pub alignment: DmarcAlignment,
    /// Why it is an error, or why there is no policy.
    #[serde(default)]
    pub reason: Option<String>,
    /// How From reads.
    #[serde(default)]
    pub from: FromFact,
}

/// The chain of ARC sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ArcSummary {
    /// The chain's result.
    pub result: Authentication,
    /// How many sets there are.
    pub instances: u32,
    /// `d=` of the newest seal; empty where there is none.
    pub sealer: String,
    /// Why it is not `pass`.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Whether the client's address and name agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IprevSummary {
    /// The result.
    pub result: Authentication,
}

/// Who has authenticated (RFC 4954).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sasl {
    /// The user name.
    pub user: String,
    /// The domain for which the credential relays; none for a submission.
    pub domain: Option<String>,
}

impl Facts {
    /// In a few words, with who has authenticated.
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
