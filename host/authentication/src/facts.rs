//! What was found out about one message, as plain data: the same that a policy reads, that
//! `gatepost check` prints and that Authentication-Results tells.

use serde::{Deserialize, Serialize};

use crate::{Author, FromFact};

/// A result in the registered words (RFC 8601 section 2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// There was nothing to check.
    #[default]
    None,
    /// Checked, and it proves nothing either way.
    Neutral,
    /// Proved.
    Pass,
    /// Disproved.
    Fail,
    /// Probably not authorised, says the domain (SPF `~all`).
    SoftFail,
    /// It verifies, but in a way that is not accepted here.
    Policy,
    /// It could not be checked for now: the DNS did not answer.
    TempError,
    /// It cannot be checked ever: what was published or signed is malformed.
    PermError,
}

impl Authentication {
    /// The registered word.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::Policy => "policy",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// All that was gathered about one message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Facts {
    /// SPF of the name in EHLO and of the reverse-path.
    pub spf: SpfFacts,
    /// Each DKIM signature, from the top of the header section down, up to the cap.
    pub dkim: Vec<DkimFact>,
    /// DMARC of the author's domain; where readers could show several, of the one that fares worst
    /// (RFC 9989 section 11.5).
    pub dmarc: DmarcFact,
    /// How From reads.
    pub from: FromFact,
    /// The chain of ARC sets.
    pub arc: ArcFact,
    /// Whether the client's address has a name that has this address.
    pub iprev: IprevFact,
    /// Who is named in From; no result, so neither printed nor kept.
    #[serde(skip)]
    pub authors: Vec<Author>,
}

impl Facts {
    /// DKIM in one word: `pass` where any signature passes, else what the first came to.
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
    /// Of the argument of EHLO or HELO.
    pub helo: SpfFact,
    /// Of the reverse-path; of `postmaster@` the HELO name where it is null.
    pub mailfrom: SpfFact,
}

/// One SPF result.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SpfFact {
    /// The result (RFC 7208 section 2.6).
    pub result: Authentication,
    /// The domain that was checked, in lower case; empty where there was none.
    pub domain: String,
    /// With `fail`, what the domain says to who was refused (RFC 7208 section 6.2), where it
    /// says anything that may be repeated; with an error, what was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One DKIM signature.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DkimFact {
    /// The result.
    pub result: Authentication,
    /// The signing domain (`d=`), in lower case.
    pub domain: String,
    /// The selector (`s=`).
    pub selector: String,
    /// The algorithm (`a=`), such as `rsa-sha256`; empty where it could not be read.
    pub algorithm: String,
    /// Why it is not `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// DMARC (RFC 9989; RFC 7489 where the public suffix list is set).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DmarcFact {
    /// The result.
    pub result: Authentication,
    /// What the domain asks for, whatever the result: `p`, `sp` or `np`, as applies to the
    /// author's domain. None without a record.
    pub policy: Option<DmarcPolicy>,
    /// What is to be done by that policy: none unless the result is `fail`; `t=y` softens it by
    /// one step.
    pub applied: Option<DmarcPolicy>,
    /// The author's domain, in lower case A-labels; of several, the one that fares worst; empty
    /// where From cannot be read.
    pub domain: String,
    /// Its organisational domain: by the tree walk (RFC 9989 section 4.10.2), or by the public
    /// suffix list where that is set or where no record says anything.
    pub organizational_domain: String,
    /// Which of the author's identifiers are aligned with it and pass, whether or not a record
    /// is published (relaxed, where none says otherwise).
    pub alignment: DmarcAlignment,
    /// Why it is an error, or why DMARC does not apply although there is something at `_dmarc`.
    /// Where From cannot be read, the result is `permerror` and this says what it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Which identifiers pass in alignment with the author's domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DmarcAlignment {
    /// SPF of the reverse-path.
    pub spf: bool,
    /// A DKIM signature.
    pub dkim: bool,
}

/// What a domain owner asks for with mail that fails (RFC 9989 section 4.7, `p`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DmarcPolicy {
    /// Nothing.
    None,
    /// Keep it apart.
    Quarantine,
    /// Refuse it.
    Reject,
}

/// The ARC chain (RFC 8617).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ArcFact {
    /// The chain's result (RFC 8617 section 5.2): `none`, `pass` or `fail`, or `temperror`
    /// where a key could not be had.
    pub result: Authentication,
    /// How many sets there are.
    pub instances: u32,
    /// The domain of the newest seal (`d=`); empty where there is none.
    pub sealer: String,
    /// The sets, newest first, where the chain passes.
    pub sets: Vec<ArcSet>,
    /// Why it is not `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One set of a chain that passes: who sealed it, and what they say they saw.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ArcSet {
    /// `i=`, from 1.
    pub instance: u32,
    /// The sealer's domain (`d=` of the ARC-Seal), in lower case.
    pub sealer: String,
    /// What ARC-Authentication-Results of the set says, as it stands, unfolded, without `i=`.
    pub results: String,
    /// Whose results they are said to be (RFC 8601 section 2.5); empty where it cannot be told.
    pub authserv_id: String,
    /// DMARC's result in it, read out; none where it says nothing of DMARC.
    pub dmarc: Option<Authentication>,
    /// The author's domain that DMARC was about (`header.from`), in lower case. Where it is not
    /// the author's domain now, the result is about another author.
    pub dmarc_from: Option<String>,
    /// SPF's first result in it.
    pub spf: Option<Authentication>,
    /// ARC's result in it: what the sealer made of the sets below.
    pub arc: Option<Authentication>,
    /// Every result of DKIM in it.
    pub dkim: Vec<ArcDkim>,
}

/// A DKIM result that a sealer claims to have seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ArcDkim {
    /// The result.
    pub result: Authentication,
    /// The signing domain (`header.d`, or that of `header.i`), in lower case; may be empty.
    pub domain: String,
}

/// Whether the client's address and name agree (RFC 8601 section 2.7.3).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IprevFact {
    /// `pass`, `fail`, `temperror` or `permerror`.
    pub result: Authentication,
    /// The first name that has this address; empty without one.
    pub name: String,
}
