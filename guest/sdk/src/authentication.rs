//! What was proved about where the message came from, as the relay has gathered it.
//!
//! The relay gathers for a message only where a policy of its chain imports the facts, and a policy
//! imports them by calling [`authentication`]: one that does not call it costs no question to the
//! DNS. They are there in the message hook alone.
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

/// A result in the registered words (RFC 8601 section 2.7).
///
/// ```
/// use gatepost_sdk::Outcome;
///
/// /// Whether it is worth coming again.
/// fn is_for_now(outcome: Outcome) -> bool {
///     outcome == Outcome::TempError
/// }
/// assert!(!is_for_now(Outcome::default()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Outcome {
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

impl Outcome {
    /// The registered word.
    ///
    /// ```
    /// assert_eq!(gatepost_sdk::Outcome::SoftFail.word(), "softfail");
    /// ```
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

/// Everything that was gathered about one message.
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
    /// Each DKIM signature from the top of the header section down, up to the relay's cap.
    pub dkim: Vec<DkimResult>,
    /// DMARC of the author's domain.
    pub dmarc: DmarcResult,
    /// The chain of ARC sets.
    pub arc: ArcResult,
    /// Whether the client's address and name agree.
    pub iprev: IprevResult,
    /// Everyone in every From field, in order. One field with at least one address is what a
    /// message should have.
    pub authors: Vec<Author>,
    /// How From reads.
    pub from: FromResult,
}

impl Authentication {
    /// Whether SPF or a DKIM signature passes in alignment with the author's domain, be a DMARC
    /// record published or not.
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

    /// The ARC set whose results may be believed, where `trusted` are domains whose seals are: the
    /// oldest in the unbroken run of trusted sealers from the newest downwards.
    ///
    /// The newest sealer handed the message over, so it vouches for the set below; a sealer that is
    /// not trusted vouches for nothing. `None` where the chain does not pass, or its newest sealer
    /// is not trusted.
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
        let is_trusted = |set: &&ArcSet| {
            trusted
                .iter()
                .any(|sealer| sealer.as_ref().eq_ignore_ascii_case(&set.sealer))
        };
        if self.arc.result != Outcome::Pass {
            return None;
        }
        self.arc.sets.iter().take_while(is_trusted).last()
    }
}

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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpfResult {
    /// The result.
    pub result: Outcome,
    /// The domain that was checked, in lower case; empty where there was none.
    pub domain: String,
    /// With `fail` what the domain says to who was refused; with an error what was wrong.
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DkimResult {
    /// The result.
    pub result: Outcome,
    /// `d=`, in lower case.
    pub domain: String,
    /// `s=`.
    pub selector: String,
    /// `a=`; empty where it could not be read.
    pub algorithm: String,
    /// Why it is not `pass`.
    pub reason: Option<String>,
}

/// What a domain asks for with mail that fails DMARC.
///
/// ```
/// use gatepost_sdk::{DmarcPolicy, DmarcResult};
///
/// let dmarc = DmarcResult { policy: Some(DmarcPolicy::Reject), ..DmarcResult::default() };
/// assert_eq!(dmarc.applied, None); // it did not fail
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DmarcPolicy {
    /// Nothing.
    None,
    /// Keep it apart.
    Quarantine,
    /// Refuse it.
    Reject,
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DmarcResult {
    /// The result.
    pub result: Outcome,
    /// What the domain asks for, whatever the result; `None` where it publishes nothing.
    pub policy: Option<DmarcPolicy>,
    /// What is to be done by that policy: only with `fail`, and softened by `t=y`.
    pub applied: Option<DmarcPolicy>,
    /// The author's domain in lower-case A-labels; empty where From has no single one.
    pub domain: String,
    /// Its organisational domain; empty as `domain` is.
    pub organizational_domain: String,
    /// Whether SPF of the reverse-path passes in alignment with the author's domain, published or
    /// not.
    pub spf_aligned: bool,
    /// Whether a DKIM signature does.
    pub dkim_aligned: bool,
    /// Why it is an error, or what From has where it has no single domain.
    pub reason: Option<String>,
}

/// The chain of ARC sets (RFC 8617 section 5.2).
///
/// ```
/// let arc = gatepost_sdk::ArcResult::default();
/// assert!(arc.sets.is_empty() && arc.instances == 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArcResult {
    /// `none`, `pass`, `fail`, or `temperror` where a key could not be had.
    pub result: Outcome,
    /// How many sets there are.
    pub instances: u32,
    /// `d=` of the newest seal, in lower case; empty where there is none.
    pub sealer: String,
    /// The sets, newest first; empty unless the chain passes.
    pub sets: Vec<ArcSet>,
    /// Why it is not `pass`.
    pub reason: Option<String>,
}

/// One set of a chain that passes: who sealed it, and what it says was seen there.
/// [`Authentication::trusted_results`] tells which may be believed.
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArcSet {
    /// `i=`, from 1.
    pub instance: u32,
    /// `d=` of the seal, in lower case.
    pub sealer: String,
    /// ARC-Authentication-Results as it stands, unfolded, without `i=`.
    pub results: String,
    /// Whose results they are said to be; empty where it cannot be told.
    pub authserv_id: String,
    /// DMARC's result in it; `None` where it says nothing of DMARC.
    pub dmarc: Option<Outcome>,
    /// The author's domain that DMARC was about.
    pub dmarc_from: Option<String>,
    /// SPF's first result in it.
    pub spf: Option<Outcome>,
    /// What the sealer made of the sets below.
    pub arc: Option<Outcome>,
    /// Every result of DKIM in it.
    pub dkim: Vec<ArcDkim>,
}

/// A DKIM result that a sealer says it saw.
///
/// ```
/// use gatepost_sdk::{ArcDkim, Outcome};
///
/// let seen = ArcDkim { result: Outcome::Pass, domain: "desk.example".into() };
/// assert_eq!(seen.result.word(), "pass");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArcDkim {
    /// The result.
    pub result: Outcome,
    /// The signing domain, in lower case; may be empty.
    pub domain: String,
}

/// Whether the client's address and name agree (RFC 8601 section 2.7.3).
///
/// ```
/// use gatepost_sdk::{IprevResult, Outcome};
///
/// fn has_name(client: &IprevResult) -> bool {
///     client.result == Outcome::Pass
/// }
/// assert!(!has_name(&IprevResult::default()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IprevResult {
    /// The result.
    pub result: Outcome,
    /// The first name that has this address; empty without one.
    pub name: String,
}

/// One who is named in From.
///
/// ```
/// let author = gatepost_sdk::Author { name: "Ann".into(), address: "ann@x.example".into() };
/// assert!(author.address.parse::<gatepost_sdk::Address>().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Author {
    /// The display name, decoded; empty without one.
    pub name: String,
    /// The address without angle brackets, comments and white space, its domain in lower case; empty
    /// where there is none.
    pub address: String,
}

/// What was gathered about the message in hand. To be called in the message hook: anywhere else it
/// is a fault.
///
/// Natively it is what a test has [given](crate::native::Given).
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
    return crate::glue::authentication();
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::given(|given| given.authentication.clone())
}

/// Whether all mail readers agree about whom From names.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FromClarity {
    /// They do.
    #[default]
    Unequivocal,
    /// They may not; all that one of them could show was judged.
    Equivocal,
    /// Nobody can tell all that they could show, or they show no address.
    Unreadable,
}

/// How From reads.
///
/// ```
/// use gatepost_sdk::FromResult;
///
/// let from = FromResult { domains: vec!["x.example".into()], ..FromResult::default() };
/// assert_eq!(from.domains.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FromResult {
    /// Whether all readers agree.
    pub clarity: FromClarity,
    /// Every domain that a reader could show as the author's, in lower-case A-labels, each once.
    pub domains: Vec<String>,
    /// In what readers may differ; `None` where they agree.
    pub doubt: Option<String>,
}
