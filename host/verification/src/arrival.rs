//! A probe that came back, beside the probe that was sent.

use gatepost_authentication::{Authentication, Facts};
use gatepost_message::{Address, Domain, Message};
use serde::{Deserialize, Serialize};

use crate::compare::{compare_field, compare_signature, signer};
use crate::{
    FailureReason, FieldChange, ProbeId, ProbeKind, ProbeRemark, ProbeToken, QuotedWords,
    ReturnWay, SentProbe, TokenPlace, VerificationFailure,
};

/// Name of the author's field.
const FROM: &str = "From";

/// Most fields of one name that are compared.
const MOST_OF_A_NAME: usize = 32;

/// Most domains of signatures that a report names.
const MOST_DOMAINS: usize = 8;

/// Way by which a message arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArrivalWay {
    /// Over a session that had logged in with a credential of this domain.
    Session(Domain),
    /// From a forwarder that is known.
    Forwarded,
    /// From a server that is not known.
    Direct,
}

/// Kind of a message that has the token of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArrivalKind {
    /// The probe.
    Probe,
    /// An answer to it, such as that of an absent person.
    Answer,
    /// A report on it.
    Report,
}

impl ArrivalKind {
    /// Returns the kind. `octets` are the message or its beginning; `from_nobody` is true if its
    /// reverse-path is null.
    pub fn of(message: &Message, octets: &[u8], from_nobody: bool, token: &ProbeToken) -> Self {
        let names_probe = |field: &str| {
            let values = message.headers_named(field).into_iter();
            let mut values = values.take(MOST_OF_A_NAME);
            values.any(|value| value.to_ascii_lowercase().contains(token.as_str()))
        };
        if names_probe("In-Reply-To") || names_probe("References") {
            return match gatepost_reports::read(octets, from_nobody) {
                Some(_) => Self::Report,
                None => Self::Answer,
            };
        }
        let may_report = from_nobody || gatepost_reports::may_be(message.head());
        if may_report && gatepost_reports::read(octets, from_nobody).is_some() {
            return Self::Report;
        }
        let automatic = message.header("Auto-Submitted").unwrap_or_default();
        match automatic.to_ascii_lowercase().starts_with("auto-replied") {
            true => Self::Answer,
            false => Self::Probe,
        }
    }
}

/// A probe that came back, and how.
#[derive(Debug, Clone, Copy)]
pub struct ArrivedProbe<'a> {
    /// The message, before any edit.
    pub message: &'a Message,
    /// Recipient.
    pub recipient: &'a Address,
    /// Way by which it came.
    pub way: &'a ArrivalWay,
    /// Results of message authentication.
    pub facts: &'a Facts,
    /// Place in which its token was found.
    pub place: TokenPlace,
}

/// A field that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FieldReport {
    /// Name.
    pub name: String,
    /// True if it must come back unchanged.
    pub must_survive: bool,
    /// Change.
    pub change: FieldChange,
    /// Value that was sent; `None` if it came back as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<QuotedWords>,
    /// Value that came; `None` if it came back as it was, or not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came: Option<QuotedWords>,
}

/// Fate of the relay's DKIM signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "signature", rename_all = "kebab-case")]
pub enum SignatureReport {
    /// The probe left unsigned.
    NotSigned,
    /// It is there, and verifies.
    Valid {
        /// Its domain.
        domain: QuotedWords,
    },
    /// It is there, and could not be checked for now.
    Unchecked {
        /// Its domain.
        domain: QuotedWords,
    },
    /// It is there, and does not verify.
    Broken {
        /// Its domain.
        domain: QuotedWords,
        /// Reason, as the verifier says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<QuotedWords>,
    },
    /// It is gone, and another is there.
    Replaced {
        /// Domain of the other one, if it says one.
        by: Option<QuotedWords>,
    },
    /// It is gone.
    Lost,
}

/// Results of message authentication at arrival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AuthenticationReport {
    /// SPF of the reverse-path.
    pub spf: Authentication,
    /// Domain that SPF was checked for.
    pub spf_domain: Option<QuotedWords>,
    /// DKIM: `pass` if any signature passes.
    pub dkim: Authentication,
    /// Domains whose signatures pass.
    pub dkim_domains: Vec<QuotedWords>,
    /// DMARC.
    pub dmarc: Authentication,
    /// Domain of From, for DMARC.
    pub dmarc_domain: Option<QuotedWords>,
    /// Result of the ARC chain.
    pub arc: Authentication,
    /// Domain of the last sealer.
    pub arc_sealer: Option<QuotedWords>,
}

impl AuthenticationReport {
    fn of(facts: &Facts) -> Self {
        let passing = facts
            .dkim
            .iter()
            .filter(|of| of.result == Authentication::Pass);
        let domains = passing.filter_map(|of| QuotedWords::of(&of.domain));
        Self {
            spf: facts.spf.mailfrom.result,
            spf_domain: QuotedWords::of(&facts.spf.mailfrom.domain),
            dkim: facts.best_dkim(),
            dkim_domains: domains.take(MOST_DOMAINS).collect(),
            dmarc: facts.dmarc.result,
            dmarc_domain: QuotedWords::of(&facts.dmarc.domain),
            arc: facts.arc.result,
            arc_sealer: QuotedWords::of(&facts.arc.sealer),
        }
    }
}

/// Outcome of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum ProbeOutcome {
    /// The way works.
    Passed,
    /// It does not.
    Failed(VerificationFailure),
}

/// Comparison of a probe that came back with the probe that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ProbeReport {
    /// Id of the probe.
    pub id: ProbeId,
    /// Kind of the probe.
    pub kind: ProbeKind,
    /// Way by which it came.
    pub way: ArrivalWay,
    /// Place in which its token was found.
    pub place: TokenPlace,
    /// Fields that must survive, then the standard ones.
    pub fields: Vec<FieldReport>,
    /// The relay's signature.
    pub signature: SignatureReport,
    /// SPF, DKIM, DMARC and ARC.
    pub authentication: AuthenticationReport,
    /// Things that do no harm yet.
    pub remarks: Vec<ProbeRemark>,
    /// Outcome.
    pub outcome: ProbeOutcome,
}

/// Compares a probe that came back with the one that was sent. Of several faults the outcome names
/// the first that has to be mended: the way, the recipient, From, the fields, the signature.
pub fn judge_arrival(sent: &SentProbe, arrival: &ArrivedProbe<'_>) -> ProbeReport {
    let fields = compared_fields(sent, arrival.message);
    let signature = compared_signature(sent, arrival);
    let failure = wrong_way(sent, arrival)
        .or_else(|| wrong_recipient(sent, arrival))
        .or_else(|| rewritten_from(arrival.message, &fields))
        .or_else(|| changed_fields(&fields))
        .or_else(|| replaced_signature(&signature));
    ProbeReport {
        id: sent.id,
        kind: sent.kind,
        way: arrival.way.clone(),
        place: arrival.place,
        remarks: remarks(sent, arrival, &fields, &signature),
        authentication: AuthenticationReport::of(arrival.facts),
        fields,
        signature,
        outcome: failure.map_or(ProbeOutcome::Passed, ProbeOutcome::Failed),
    }
}

fn compared_fields(sent: &SentProbe, came: &Message) -> Vec<FieldReport> {
    let compared = sent.fields.iter().map(|field| {
        let values = values_of(came, &field.name);
        let (change, value) = compare_field(&field.name, &field.value, values);
        let shown = |value: &str| {
            let is_changed = change != FieldChange::Intact;
            is_changed.then(|| QuotedWords::of(value)).flatten()
        };
        FieldReport {
            name: field.name.clone(),
            must_survive: field.must_survive,
            change,
            sent: shown(&field.value),
            came: shown(&value),
        }
    });
    compared.collect()
}

fn values_of(message: &Message, name: &str) -> Vec<String> {
    let fields = message.named(name).take(MOST_OF_A_NAME);
    fields.map(|field| field.unfolded()).collect()
}

fn compared_signature(sent: &SentProbe, arrival: &ArrivedProbe<'_>) -> SignatureReport {
    let Some(ours) = sent.signatures.first() else {
        return SignatureReport::NotSigned;
    };
    let came = values_of(arrival.message, "DKIM-Signature");
    // Of two signatures, one that survives is enough.
    let compared = sent.signatures.iter().map(|ours| {
        let (change, value) = compare_signature(ours, &came);
        (ours, change, value)
    });
    let rank = |change| match change {
        FieldChange::Intact => 0,
        FieldChange::Altered => 1,
        FieldChange::Replaced => 2,
        FieldChange::Lost => 3,
    };
    let best = compared.min_by_key(|(_, change, _)| rank(*change));
    let (ours, change, value) = best.unwrap_or((ours, FieldChange::Lost, String::new()));
    let (domain, selector) = signer(ours);
    let shown = |domain: &Option<String>| domain.as_deref().and_then(QuotedWords::of);
    let Some(name) = shown(&domain) else {
        return SignatureReport::NotSigned;
    };
    match change {
        FieldChange::Lost => SignatureReport::Lost,
        FieldChange::Replaced => SignatureReport::Replaced {
            by: shown(&signer(&value).0),
        },
        FieldChange::Intact | FieldChange::Altered => {
            let is_ours = |of: &str, ours: &Option<String>| {
                ours.as_ref()
                    .is_some_and(|ours| ours.eq_ignore_ascii_case(of))
            };
            let mut facts = arrival.facts.dkim.iter();
            let fact =
                facts.find(|of| is_ours(&of.domain, &domain) && is_ours(&of.selector, &selector));
            match fact {
                Some(fact) if fact.result == Authentication::Pass => {
                    SignatureReport::Valid { domain: name }
                }
                Some(fact) if fact.result != Authentication::Temperror => SignatureReport::Broken {
                    domain: name,
                    why: fact.reason.as_deref().and_then(QuotedWords::of),
                },
                _ => SignatureReport::Unchecked { domain: name },
            }
        }
    }
}

/// Returns the failure of a probe that came by another way than it should have.
fn wrong_way(sent: &SentProbe, arrival: &ArrivedProbe<'_>) -> Option<VerificationFailure> {
    match (&sent.way, arrival.way) {
        (ReturnWay::Session(wanted), ArrivalWay::Session(domain)) if wanted == domain => None,
        (ReturnWay::Session(wanted), ArrivalWay::Session(domain)) => {
            let detail = format!("{} instead of {}", domain.as_ascii(), wanted.as_ascii());
            Some(
                VerificationFailure::of(FailureReason::ReturnedFromAnotherDomain)
                    .with_detail(&detail),
            )
        }
        (ReturnWay::Session(_), _) => Some(VerificationFailure::of(
            FailureReason::ReturnedUnauthenticated,
        )),
        (ReturnWay::Forwarded, _) => None,
        (ReturnWay::Delivered, _) => unproved_author(arrival.facts),
    }
}

/// Returns the failure of a probe that the smart host delivered in a name that nothing proves.
fn unproved_author(facts: &Facts) -> Option<VerificationFailure> {
    let spf = &facts.spf.mailfrom;
    let is_aligned = facts.dmarc.alignment.spf || facts.dmarc.alignment.dkim;
    let fails = facts.dmarc.result == Authentication::Fail
        || !is_aligned && spf.result == Authentication::Fail;
    if !fails {
        return None;
    }
    let results = format!(
        "SPF {} for {}, DKIM {}, DMARC {}",
        spf.result.word(),
        spf.domain,
        facts.best_dkim().word(),
        facts.dmarc.result.word(),
    );
    // The server proves a domain, only not that of From.
    let failure = match spf.result {
        Authentication::Pass => VerificationFailure::of(FailureReason::ReturnedFromAnotherDomain)
            .with_advice(
                "The smart host sends in the name of another domain: let it keep the reverse-path \
             of the message, or sign with DKIM in the domain of From.",
            ),
        _ => VerificationFailure::of(FailureReason::ReturnedUnauthenticated),
    };
    Some(failure.with_detail(&results))
}

fn wrong_recipient(sent: &SentProbe, arrival: &ArrivedProbe<'_>) -> Option<VerificationFailure> {
    let wanted = &sent.returns_to;
    let is_it = arrival.recipient.is_same_mailbox(wanted)
        || (arrival.recipient.as_str()).eq_ignore_ascii_case(wanted.as_str());
    (!is_it).then(|| {
        let detail = format!("{} instead of {wanted}", arrival.recipient);
        VerificationFailure::of(FailureReason::ReturnedToAnotherAddress).with_detail(&detail)
    })
}

fn rewritten_from(came: &Message, fields: &[FieldReport]) -> Option<VerificationFailure> {
    let from = fields.iter().find(|field| field.name == FROM)?;
    let is_alone = came.count(FROM) == 1;
    let keeps = matches!(from.change, FieldChange::Intact | FieldChange::Altered);
    (!is_alone || !keeps).then(|| {
        let detail = match (is_alone, &from.came) {
            (true, Some(came)) => came.as_str(),
            (true, None) => "there is none",
            (false, _) => "there is not one From alone",
        };
        VerificationFailure::of(FailureReason::FromRewritten).with_detail(detail)
    })
}

/// Returns the failure of a probe that lost a field or brings one with another value.
fn changed_fields(fields: &[FieldReport]) -> Option<VerificationFailure> {
    let marks = || fields.iter().filter(|field| field.must_survive);
    let lost: Vec<&str> = marks()
        .filter(|field| field.change == FieldChange::Lost)
        .map(|field| field.name.as_str())
        .collect();
    if !lost.is_empty() {
        return Some(
            VerificationFailure::of(FailureReason::HeaderLost).with_detail(&lost.join(", ")),
        );
    }
    let altered = marks().find(|field| field.change != FieldChange::Intact)?;
    let quoted = |value: &Option<QuotedWords>| {
        let value = value.as_ref().map(QuotedWords::as_str).unwrap_or_default();
        value.chars().take(80).collect::<String>()
    };
    let detail = format!(
        "{}: \"{}\" instead of \"{}\"",
        altered.name,
        quoted(&altered.came),
        quoted(&altered.sent)
    );
    Some(VerificationFailure::of(FailureReason::HeaderAltered).with_detail(&detail))
}

fn replaced_signature(signature: &SignatureReport) -> Option<VerificationFailure> {
    let SignatureReport::Replaced { by } = signature else {
        return None;
    };
    let failure = VerificationFailure::of(FailureReason::SignatureReplaced);
    Some(match by {
        Some(domain) => failure.with_detail(&format!("by one of {domain}")),
        None => failure,
    })
}

fn remarks(
    sent: &SentProbe,
    arrival: &ArrivedProbe<'_>,
    fields: &[FieldReport],
    signature: &SignatureReport,
) -> Vec<ProbeRemark> {
    let mut remarks = Vec::new();
    for field in fields {
        let Some(name) = QuotedWords::of(&field.name) else {
            continue;
        };
        match (field.must_survive, field.change) {
            (false, FieldChange::Altered) if field.name == FROM => {
                remarks.push(ProbeRemark::NameInFromChanged);
            }
            (false, change) if change != FieldChange::Intact && field.name != FROM => {
                remarks.push(ProbeRemark::StandardFieldChanged { field: name });
            }
            (true, FieldChange::Intact) if arrival.message.count(&field.name) > 1 => {
                remarks.push(ProbeRemark::FieldAdded { field: name });
            }
            _ => {}
        }
    }
    match signature {
        SignatureReport::Broken { .. } => remarks.push(ProbeRemark::SignatureBroken),
        SignatureReport::Lost => remarks.push(ProbeRemark::SignatureLost),
        _ => {}
    }
    let facts = arrival.facts;
    match sent.way {
        // The session proves more than these results.
        ReturnWay::Session(_) => {}
        ReturnWay::Forwarded => match arrival.way {
            ArrivalWay::Session(_) => remarks.push(ProbeRemark::CameBySession),
            ArrivalWay::Direct if !is_vouched_for(sent.to.domain(), facts) => {
                remarks.push(ProbeRemark::ForwarderUnproved);
            }
            _ => {}
        },
        ReturnWay::Delivered => {
            let failing = |result| result != Authentication::Pass;
            let spf = Some(facts.spf.mailfrom.result).filter(|result| failing(*result));
            let dkim = Some(facts.best_dkim()).filter(|result| failing(*result));
            let dmarc = Some(facts.dmarc.result).filter(|result| failing(*result));
            remarks.extend(spf.map(ProbeRemark::spf));
            remarks.extend(dkim.map(ProbeRemark::dkim));
            remarks.extend(dmarc.map(ProbeRemark::dmarc));
        }
    }
    remarks
}

/// Returns true if something proves that a server of the domain passed the message on.
fn is_vouched_for(domain: &str, facts: &Facts) -> bool {
    let passes = |result| result == Authentication::Pass;
    let spf = &facts.spf.mailfrom;
    let signs = |of: &&gatepost_authentication::DkimFact| {
        passes(of.result) && of.domain.eq_ignore_ascii_case(domain)
    };
    passes(spf.result) && spf.domain.eq_ignore_ascii_case(domain)
        || facts.dkim.iter().any(|of| signs(&of))
        || passes(facts.arc.result)
}
