//! The record of a probe that was sent, with which what comes back is compared.

use gatepost_message::{Address, Message, Millis};
use serde::{Deserialize, Serialize};

use crate::{ProbeId, ProbeKind, ProbePlan, ReturnWay};

/// Standard fields that are compared.
const STANDARD: [&str; 6] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
];

/// Name of the field with a signature.
const SIGNATURE: &str = "DKIM-Signature";

/// Most signatures that are kept: the relay makes two at most.
const MOST_SIGNATURES: usize = 4;

/// Most octets of a value that are kept. The probe is the relay's own, and all its fields are
/// shorter.
const LONGEST: usize = 4096;

/// Field of a probe as it left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SentField {
    /// Name.
    pub name: String,
    /// Value, unfolded.
    pub value: String,
    /// True if it is one of the fields that must come back unchanged.
    #[serde(default)]
    pub must_survive: bool,
}

/// Probe as it left. The directory keeps it until the probe comes back or expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SentProbe {
    /// Id.
    pub id: ProbeId,
    /// Kind.
    pub kind: ProbeKind,
    /// Author.
    pub from: Address,
    /// Recipient.
    pub to: Address,
    /// Recipient at which it has to come back: the forwarding target, the support address, or the
    /// native address.
    pub returns_to: Address,
    /// Way by which it has to come back.
    pub way: ReturnWay,
    /// Time at which it was sent.
    pub at: Millis,
    /// Time until which it is waited for.
    pub deadline: Millis,
    /// Fields that are compared.
    pub fields: Vec<SentField>,
    /// Signatures of the relay with which it left; none where it was not signed.
    pub signatures: Vec<String>,
}

impl SentProbe {
    /// Records a probe. `message` is the form in which it leaves, after signing, if that is known.
    pub fn of(
        plan: &ProbePlan<'_>,
        message: &Message,
        returns_to: Address,
        way: ReturnWay,
        deadline: Millis,
    ) -> Self {
        let mut probe = Self {
            id: plan.token.id(),
            kind: plan.kind,
            from: plan.from.clone(),
            to: plan.to.clone(),
            returns_to,
            way,
            at: plan.at,
            deadline,
            fields: Vec::new(),
            signatures: Vec::new(),
        };
        let field = |name: &str, must_survive| {
            Some(SentField {
                name: name.to_owned(),
                value: bounded(message.header(name)?),
                must_survive,
            })
        };
        let marks = plan.marks.iter();
        let marks = marks.filter_map(|(name, _)| field(name.as_str(), true));
        let standard = STANDARD.iter().filter_map(|name| field(name, false));
        probe.fields = marks.chain(standard).collect();
        probe.left_as(message);
        probe
    }

    /// Records the signatures with which an attempt sent the probe.
    pub fn left_as(&mut self, message: &Message) {
        let signatures = message.headers_named(SIGNATURE).into_iter();
        let signatures = signatures.take(MOST_SIGNATURES).map(bounded);
        self.signatures = signatures.collect();
    }

    /// Returns true if the probe is no longer waited for.
    pub fn is_overdue(&self, now: Millis) -> bool {
        now >= self.deadline
    }
}

fn bounded(mut value: String) -> String {
    value.truncate(value.floor_char_boundary(LONGEST));
    value
}
