//! Results of message authentication (SPF, DKIM, DMARC, ARC), as the relay has gathered them.
//!
//! The relay gathers these facts for a message only if a policy of its chain imports them, and a
//! policy imports them by calling [`authentication`]. A policy that does not call it costs no query
//! to the DNS. The facts are available in the message hook alone.
//!
//! ```
//! use gatepost_sdk::*;
//!
//! /// A policy's judgement is best a function of plain facts.
//! fn judge(facts: &Authentication) -> Verdict {
//!     match facts.dmarc.applied {
//!         Some(DmarcPolicy::Reject) => Verdict::reject(550, "5.7.1", "your domain says so"),
//!         _ if facts.has_aligned_pass() => Verdict::Accept,
//!         _ => Verdict::Pass,
//!     }
//! }
//!
//! let facts = Authentication { dkim: vec![DkimResult::default()], ..Authentication::default() };
//! assert_eq!(judge(&facts), Verdict::Pass);
//!
//! # struct Careful;
//! # impl Policy for Careful {
//! # type Settings = ();
//! # fn new((): ()) -> Result<Self, Vec<String>> { Ok(Self) }
//! fn message(&self, _: &Transaction, _: &dyn Message, _: &dyn Facts, _: &mut Decision) -> Verdict {
//!     judge(&authentication())
//! }
//! # }
//! ```

use serde::{Deserialize, Serialize};

/// A result in the registered words (RFC 8601 section 2.7).
///
/// ```
/// use gatepost_sdk::Outcome;
///
/// /// Whether it is worth coming again.
/// fn is_for_now(outcome: Outcome) -> bool {
///     outcome == Outcome::Temperror
/// }
/// assert!(!is_for_now(Outcome::default()));
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing to check.
    #[default]
    None,
    /// Checked; proves nothing either way.
    Neutral,
    /// Proved.
    Pass,
    /// Disproved.
    Fail,
    /// Probably not authorised, according to the domain (SPF `~all`).
    Softfail,
    /// Verified, but in a way that is not accepted here.
    Policy,
    /// Not verifiable for now: the DNS did not answer.
    Temperror,
    /// Not verifiable at all: what was published or signed is malformed.
    Permerror,
    /// None of these.
    Other,
}

impl Outcome {
    /// Returns the registered word.
    ///
    /// ```
    /// assert_eq!(gatepost_sdk::Outcome::Softfail.word(), "softfail");
    /// ```
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Softfail => "softfail",
            Self::Policy => "policy",
            Self::Temperror => "temperror",
            Self::Permerror => "permerror",
            Self::Other => "other",
        }
    }
}

/// All facts that were gathered about one message.
///
/// ```
/// use gatepost_sdk::{Authentication, Author};
///
/// /// One author, as there should be.
/// fn author(facts: &Authentication) -> Option<&Author> {
///     match facts.authors.as_slice() {
///         [author] => Some(author),
///         _ => None,
///     }
/// }
/// assert_eq!(author(&Authentication::default()), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authentication {
    /// SPF of the argument of EHLO or HELO.
    pub spf_helo: SpfResult,
    /// SPF of the reverse-path; of `postmaster@` the EHLO name where that is null.
    pub spf_mailfrom: SpfResult,
    /// Every DKIM signature, from the top of the header section down, up to the relay's cap.
    pub dkim: Vec<DkimResult>,
    /// DMARC of the author's domain.
    pub dmarc: DmarcResult,
    /// Chain of ARC sets.
    pub arc: ArcResult,
    /// Forward-confirmed reverse DNS of the client.
    pub iprev: IprevResult,
    /// Every author in every From field, in order. A message should have one field with at least
    /// one address.
    pub authors: Vec<Author>,
    /// Clarity of From.
    pub from: FromResult,
}

impl Authentication {
    /// Returns true if SPF or a DKIM signature passes in alignment with the author's domain, even
    /// if no DMARC record is published.
    ///
    /// ```
    /// use gatepost_sdk::{Authentication, DmarcResult};
    ///
    /// let dmarc = DmarcResult { spf_aligned: true, ..DmarcResult::default() };
    /// assert!(Authentication { dmarc, ..Authentication::default() }.has_aligned_pass());
    /// ```
    pub fn has_aligned_pass(&self) -> bool {
        self.dmarc.spf_aligned || self.dmarc.dkim_aligned
    }

    /// Returns the ARC set whose results may be believed, given the domains of `trusted` sealers:
    /// the oldest set in the unbroken run of trusted sealers from the newest downwards.
    ///
    /// The newest sealer handed the message over, so it vouches for the set below; a sealer that is
    /// not trusted vouches for nothing. `None` if the chain does not pass, or its newest sealer is
    /// not trusted.
    ///
    /// ```
    /// use gatepost_sdk::*;
    ///
    /// let set = |instance, sealer: &str| ArcSet { instance, sealer: sealer.into(), ..ArcSet::default() };
    /// let sets = vec![set(3, "list.example"), set(2, "attacker.example"), set(1, "list.example")];
    /// let arc = ArcResult { result: Outcome::Pass, sets, ..ArcResult::default() };
    /// let facts = Authentication { arc, ..Authentication::default() };
    /// assert_eq!(facts.trusted_results(&["list.example"]).unwrap().instance, 3);
    /// assert_eq!(facts.trusted_results(&["other.example"]), None);
    /// ```
    pub fn trusted_results<S: AsRef<str>>(&self, trusted: &[S]) -> Option<&ArcSet> {
        self.arc.trusted_results(trusted)
    }
}

/// Makes a record of its result alone, without details.
macro_rules! of_result {
    ($($record:ident),+) => {$(
        impl From<Outcome> for $record {
            fn from(result: Outcome) -> Self {
                Self { result, ..Self::default() }
            }
        }
    )+};
}
of_result!(SpfResult, DkimResult, DmarcResult, ArcResult, IprevResult);

/// One SPF result (RFC 7208 section 2.6).
///
/// ```
/// use gatepost_sdk::{Outcome, SpfResult};
///
/// /// What the domain itself says to who is refused.
/// fn explanation(spf: &SpfResult) -> Option<&str> {
///     spf.reason.as_deref().filter(|_| spf.result == Outcome::Fail)
/// }
/// assert_eq!(explanation(&SpfResult::default()), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SpfResult {
    /// Result of the check.
    pub result: Outcome,
    /// Domain that was checked, in lower case; empty if there was none.
    pub domain: String,
    /// With `fail`, the domain's explanation to the refused client; with an error, the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One DKIM signature (RFC 6376).
///
/// ```
/// use gatepost_sdk::{DkimResult, Outcome};
///
/// fn is_signed_by(signatures: &[DkimResult], domain: &str) -> bool {
///     let mut passing = signatures.iter().filter(|of| of.result == Outcome::Pass);
///     passing.any(|of| of.domain == domain)
/// }
/// assert!(!is_signed_by(&[DkimResult::default()], "desk.example"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DkimResult {
    /// Result of the verification.
    pub result: Outcome,
    /// Signing domain (`d=`), in lower case.
    pub domain: String,
    /// Selector (`s=`).
    pub selector: String,
    /// Algorithm (`a=`); empty if it could not be read.
    pub algorithm: String,
    /// Reason why the result is not `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Handling that a domain requests for mail that fails DMARC.
///
/// ```
/// use gatepost_sdk::{DmarcPolicy, DmarcResult};
///
/// let dmarc = DmarcResult { policy: Some(DmarcPolicy::Reject), ..DmarcResult::default() };
/// assert_eq!(dmarc.applied, None); // it did not fail
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DmarcPolicy {
    /// No handling (`p=none`).
    None,
    /// Quarantine.
    Quarantine,
    /// Refusal.
    Reject,
    /// None of these.
    Other,
}

impl DmarcPolicy {
    /// Returns the word of the record.
    ///
    /// ```
    /// assert_eq!(gatepost_sdk::DmarcPolicy::Reject.word(), "reject");
    /// ```
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
            Self::Other => "other",
        }
    }
}

/// DMARC of the author's domain (RFC 9989).
///
/// ```
/// use gatepost_sdk::DmarcResult;
///
/// /// Mail of this organisation, from whichever of its domains.
/// fn is_of(dmarc: &DmarcResult, organization: &str) -> bool {
///     (dmarc.spf_aligned || dmarc.dkim_aligned) && dmarc.organizational_domain == organization
/// }
/// assert!(!is_of(&DmarcResult::default(), "desk.example"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DmarcResult {
    /// Result of the evaluation.
    pub result: Outcome,
    /// Policy that the domain publishes, whatever the result; `None` if it publishes none.
    pub policy: Option<DmarcPolicy>,
    /// Policy to apply: only with `fail`, and softened by `t=y`.
    pub applied: Option<DmarcPolicy>,
    /// Author's domain in lower-case A-labels; empty if From has no single one.
    pub domain: String,
    /// Organisational domain of `domain`; empty when `domain` is.
    pub organizational_domain: String,
    /// True if SPF of the reverse-path passes in alignment with the author's domain, even if no
    /// DMARC record is published.
    pub spf_aligned: bool,
    /// True if a DKIM signature passes in alignment with the author's domain.
    pub dkim_aligned: bool,
    /// Cause of an error, or the contents of From if it has no single domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Chain of ARC sets (RFC 8617 section 5.2).
///
/// ```
/// let arc = gatepost_sdk::ArcResult::default();
/// assert!(arc.sets.is_empty() && arc.instances == 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ArcResult {
    /// `none`, `pass`, `fail`, or `temperror` if a key could not be fetched.
    pub result: Outcome,
    /// Number of sets.
    pub instances: u32,
    /// Domain of the newest seal (`d=`), in lower case; empty if there is none.
    pub sealer: String,
    /// Sets, newest first; empty unless the chain passes.
    pub sets: Vec<ArcSet>,
    /// Reason why the result is not `pass`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl ArcResult {
    /// Returns the set whose results may be believed, as [`Authentication::trusted_results`] does.
    ///
    /// A set that an attacker puts below a trusted seal is never believed: the trusted sealer's own
    /// results are.
    ///
    /// ```
    /// let arc = gatepost_sdk::ArcResult::default();
    /// assert_eq!(arc.trusted_results(&["list.example"]), None);
    /// ```
    pub fn trusted_results<S: AsRef<str>>(&self, trusted: &[S]) -> Option<&ArcSet> {
        let is_trusted = |set: &&ArcSet| {
            trusted
                .iter()
                .any(|sealer| sealer.as_ref().eq_ignore_ascii_case(&set.sealer))
        };
        if self.result != Outcome::Pass {
            return None;
        }
        self.sets.iter().take_while(is_trusted).last()
    }
}

/// One set of a chain that passes: its sealer, and the results that the sealer reports.
/// [`Authentication::trusted_results`] tells which set may be believed.
///
/// ```
/// use gatepost_sdk::{ArcSet, Outcome};
///
/// /// What the author was proved to be when the message was sealed.
/// fn proved_author(set: &ArcSet) -> Option<&str> {
///     set.dmarc_from.as_deref().filter(|_| set.dmarc == Some(Outcome::Pass))
/// }
/// assert_eq!(proved_author(&ArcSet::default()), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ArcSet {
    /// Instance (`i=`), from 1.
    pub instance: u32,
    /// Domain of the seal (`d=`), in lower case.
    pub sealer: String,
    /// Body of ARC-Authentication-Results as it stands, unfolded, without `i=`.
    pub results: String,
    /// Server that is said to have made the results (authserv-id); empty if it cannot be read.
    pub authserv_id: String,
    /// DMARC result of the set; `None` if it has none.
    pub dmarc: Option<Outcome>,
    /// Author's domain of that DMARC result.
    pub dmarc_from: Option<String>,
    /// First SPF result of the set.
    pub spf: Option<Outcome>,
    /// Sealer's result for the ARC sets below.
    pub arc: Option<Outcome>,
    /// Every DKIM result of the set.
    pub dkim: Vec<ArcDkim>,
}

/// DKIM result that a sealer reports.
///
/// ```
/// use gatepost_sdk::{ArcDkim, Outcome};
///
/// let seen = ArcDkim { result: Outcome::Pass, domain: "desk.example".into() };
/// assert_eq!(seen.result.word(), "pass");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ArcDkim {
    /// Result of the verification.
    pub result: Outcome,
    /// Signing domain, in lower case; may be empty.
    pub domain: String,
}

/// Forward-confirmed reverse DNS of the client (RFC 8601 section 2.7.3).
///
/// ```
/// use gatepost_sdk::{IprevResult, Outcome};
///
/// fn has_name(client: &IprevResult) -> bool {
///     client.result == Outcome::Pass
/// }
/// assert!(!has_name(&IprevResult::default()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct IprevResult {
    /// `pass` if the client's address and name agree.
    pub result: Outcome,
    /// First name that has this address; empty if there is none.
    pub name: String,
}

/// One author named in From.
///
/// ```
/// let author = gatepost_sdk::Author { name: "Ann".into(), address: "ann@x.example".into() };
/// assert!(author.address.parse::<gatepost_sdk::Address>().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Author {
    /// Display name, decoded; empty if there is none.
    pub name: String,
    /// Address without angle brackets, comments and white space, its domain in lower case; empty if
    /// there is none.
    pub address: String,
}

/// Returns the facts about the current message. Only for the message hook: a call in any other hook
/// is a fault.
///
/// In a native test, returns what the test has given.
///
/// ```
/// use gatepost_sdk::*;
///
/// let mut given = native::Given::default();
/// given.authentication.iprev.result = Outcome::Pass;
/// let _giving = given.give();
/// assert_eq!(authentication().iprev.result, Outcome::Pass);
/// ```
pub fn authentication() -> Authentication {
    #[cfg(target_arch = "wasm32")]
    {
        use crate::bindings::gatepost::policy::authentication as asked;

        // The contract has the chain and its sets apart, so that who needs none copies none.
        let arc = |of: asked::ArcResult, sets| ArcResult {
            result: of.result,
            instances: of.instances,
            sealer: of.sealer,
            sets,
            reason: of.reason,
        };
        Authentication {
            spf_helo: asked::spf_helo(),
            spf_mailfrom: asked::spf_mailfrom(),
            dkim: asked::dkim(),
            dmarc: asked::dmarc(),
            arc: arc(asked::arc(), asked::arc_sets()),
            iprev: asked::iprev(),
            authors: asked::authors(),
            from: asked::from_field(),
        }
    }
    #[cfg(not(target_arch = "wasm32"))]
    crate::answers::answer(|known| known.authentication.clone())
}

/// Agreement of mail readers about the author that From names.
///
/// ```
/// use gatepost_sdk::{Authentication, FromClarity};
///
/// /// Nobody knows in whose name it comes.
/// fn is_in_nobodys_name(facts: &Authentication) -> bool {
///     facts.from.clarity == FromClarity::Unreadable
/// }
/// assert!(!is_in_nobodys_name(&Authentication::default()));
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FromClarity {
    /// All readers show the same author.
    #[default]
    Unequivocal,
    /// Readers may differ; every domain that one of them could show was judged.
    Equivocal,
    /// The domains that readers could show cannot be determined, or they show no address.
    Unreadable,
    /// None of these.
    Other,
}

/// Clarity of From, and the domains that it may show.
///
/// ```
/// use gatepost_sdk::FromResult;
///
/// let from = FromResult { domains: vec!["x.example".into()], ..FromResult::default() };
/// assert_eq!(from.domains.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FromResult {
    /// Agreement of mail readers.
    pub clarity: FromClarity,
    /// Every domain that a reader could show as the author's, in lower-case A-labels, each once.
    pub domains: Vec<String>,
    /// Cause of a difference between readers; `None` if they agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

/// Way by which a message came to one of its recipients.
///
/// ```
/// use gatepost_sdk::*;
///
/// /// Mail past the customer's own server is not taken.
/// fn judge(recipient: &str) -> Verdict {
///     match arrival(recipient) {
///         Arrival::PastRelay => Verdict::reject(550, "5.7.1", "send it to the domain's own server"),
///         _ => Verdict::Pass,
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Arrival {
    /// Straight from the world.
    Direct,
    /// From the customer's own server, with a credential of the recipient's domain.
    Relayed,
    /// Straight from the world, although the recipient's domain is two-way and verified: its own
    /// server should have relayed it.
    PastRelay,
    /// Handed over by a known forwarder of the recipient's domain, without credentials.
    Forwarded,
    /// To the forwarding target of the recipient, from nobody who is known to forward for it.
    UnknownForwarder,
    /// Made by the relay itself.
    Internal,
    /// None of these: a submission, an address at which the account does not receive, or a
    /// credential that is not for it.
    Other,
}

/// Returns the way by which the message came to one of its recipients: by the client's credential,
/// its network, and what was proved of the message. As the facts, it is known in the message hook
/// alone.
///
/// In a native test, returns what follows from the facts that the test has given.
///
/// ```
/// use gatepost_sdk::*;
///
/// let domain = directory::ReceivingDomain {
///     kind: DomainKind::TwoWay,
///     ..Default::default()
/// };
/// let mut given = native::Given::default();
/// given.client = "192.0.2.7".parse().ok();
/// given.directory.destinations = [("help@customer.example".to_owned(), domain)].into();
/// let _given = given.give();
/// assert_eq!(arrival("help@customer.example"), Arrival::PastRelay);
/// assert_eq!(arrival("help@other.example"), Arrival::Other);
/// ```
pub fn arrival(recipient: &str) -> Arrival {
    look_up!(authentication::arrival_of(recipient), |known| known
        .arrival(recipient))
}

by_number! {
    Outcome { None, Neutral, Pass, Fail, Softfail, Policy, Temperror, Permerror, Other }
    DmarcPolicy { None, Quarantine, Reject, Other }
    FromClarity { Unequivocal, Equivocal, Unreadable, Other }
    Arrival { Direct, Relayed, PastRelay, Forwarded, UnknownForwarder, Internal, Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(sealers_newest_first: &[&str]) -> ArcResult {
        let instances = sealers_newest_first.len() as u32;
        let set = |(position, sealer): (usize, &&str)| ArcSet {
            instance: instances - position as u32,
            sealer: (*sealer).to_owned(),
            ..ArcSet::default()
        };
        ArcResult {
            result: Outcome::Pass,
            instances,
            sets: sealers_newest_first.iter().enumerate().map(set).collect(),
            ..ArcResult::default()
        }
    }

    fn believed(arc: &ArcResult) -> Option<u32> {
        arc.trusted_results(&["list.example", "Forwarder.example"])
            .map(|set| set.instance)
    }

    #[test]
    fn the_oldest_set_of_the_unbroken_run_of_trusted_sealers_is_believed() {
        assert_eq!(
            believed(&chain(&["list.example", "forwarder.example"])),
            Some(1)
        );
        let forged = chain(&["list.example", "attacker.example", "forwarder.example"]);
        assert_eq!(believed(&forged), Some(3));
        assert_eq!(
            believed(&chain(&["attacker.example", "list.example"])),
            None
        );
        assert_eq!(believed(&chain(&[])), None);
    }

    #[test]
    fn no_set_of_a_broken_chain_is_believed() {
        let broken = ArcResult {
            result: Outcome::Fail,
            ..chain(&["list.example"])
        };
        assert_eq!(believed(&broken), None);
    }
}
