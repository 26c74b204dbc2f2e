//! The facts about one message as plain data: policies read them, `gatepost check` prints them, and
//! Authentication-Results tells them.

use serde::{Deserialize, Serialize};

use crate::{Author, FromFact};

/// Result in the registered words (RFC 8601 section 2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// Nothing to check.
    #[default]
    None,
    /// Checked, without proof either way.
    Neutral,
    /// Proved.
    Pass,
    /// Disproved.
    Fail,
    /// Probably not authorised, according to the domain (SPF `~all`).
    SoftFail,
    /// Verified, but not accepted by this relay.
    Policy,
    /// Temporarily impossible to check: the DNS did not answer.
    TempError,
    /// Permanently impossible to check: a record or signature is malformed.
    PermError,
}

impl Authentication {
    /// Returns the registered word.
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

/// SPF of one identity.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SpfFact {
    /// Result (RFC 7208 section 2.6).
    pub result: Authentication,
    /// Domain that was checked, in lower case; empty if there was none.
    pub domain: String,
    /// Explanation of the domain with `fail` (RFC 7208 section 6.2), if it may be repeated;
    /// description of an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One DKIM signature.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DkimFact {
    /// Result.
    pub result: Authentication,
    /// Signing domain (`d=`), in lower case.
    pub domain: String,
    /// Selector (`s=`).
    pub selector: String,
    /// Algorithm (`a=`), such as `rsa-sha256`; empty if it could not be read.
    pub algorithm: String,
    /// Reason for another result than `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DmarcAlignment {
    /// True if SPF of the reverse-path does.
    pub spf: bool,
    /// True if a DKIM signature does.
    pub dkim: bool,
}

/// Handling that a domain owner requests for mail that fails (RFC 9989 section 4.7, `p`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DmarcPolicy {
    /// Delivery without special handling.
    None,
    /// Quarantine.
    Quarantine,
    /// Refusal.
    Reject,
}

/// ARC chain (RFC 8617).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ArcFact {
    /// Result of the chain (RFC 8617 section 5.2): `none`, `pass` or `fail`; `temperror` if the DNS
    /// gave no answer about a key.
    pub result: Authentication,
    /// Number of sets.
    pub instances: u32,
    /// Domain of the newest seal (`d=`); empty if there is none.
    pub sealer: String,
    /// Sets, newest first, if the chain passes.
    pub sets: Vec<ArcSet>,
    /// Reason for another result than `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One set of a chain that passes: its sealer and the results that the sealer claims.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ArcSet {
    /// `i=`, from 1.
    pub instance: u32,
    /// Sealer's domain (`d=` of the ARC-Seal), in lower case.
    pub sealer: String,
    /// Body of the set's ARC-Authentication-Results, unfolded, without `i=`.
    pub results: String,
    /// Authserv-id of these results (RFC 8601 section 2.5); empty if it cannot be read.
    pub authserv_id: String,
    /// DMARC's result in it; `None` if it has none.
    pub dmarc: Option<Authentication>,
    /// Author's domain that DMARC was about (`header.from`), in lower case. If it is not the
    /// author's domain now, the result is about another author.
    pub dmarc_from: Option<String>,
    /// First result of SPF in it.
    pub spf: Option<Authentication>,
    /// ARC's result in it: the sealer's result for the sets below.
    pub arc: Option<Authentication>,
    /// All results of DKIM in it.
    pub dkim: Vec<ArcDkim>,
}

/// DKIM result that a sealer claims.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ArcDkim {
    /// Result.
    pub result: Authentication,
    /// Signing domain (`header.d`, or that of `header.i`), in lower case; may be empty.
    pub domain: String,
}

/// Agreement of the client's address with its name (RFC 8601 section 2.7.3).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IprevFact {
    /// Result: `pass`, `fail`, `temperror` or `permerror`.
    pub result: Authentication,
    /// First name that has this address; empty without one.
    pub name: String,
}
