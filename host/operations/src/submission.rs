//! Refusals of a submission that follow from the store: of caps and of the suppression list.

use clap::Args;
use gatepost_counters::Memory;
use gatepost_intake::pipeline::{suppressed, volume};
use gatepost_message::{Address, Millis};
use gatepost_model::Suppression;
use gatepost_smtp::Reply;
use gatepost_volume::{Measure, Subject, cap_reached};
use serde::{Deserialize, Serialize};

use crate::error::OperationError;
use crate::runtime::Runtime;

/// Most recipients that are looked at; a session takes no more in one transaction by default.
const MOST: usize = 1000;

/// Request for the replies that refuse MAIL and RCPT of a submission, if it came now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Args, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSubmission {
    /// Account that submits.
    pub account: String,
    /// Credential or user that logs in.
    pub credential: String,
    /// Domain of the reverse-path, in A-labels and lower case.
    #[arg(long)]
    pub domain: Option<String>,
    /// Recipient; may be repeated. The first thousand are looked at.
    #[arg(long = "recipient")]
    pub recipients: Vec<Address>,
}

/// Replies that refuse MAIL and RCPT.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SubmissionRefusals {
    /// Reply to MAIL; `None` if it is not refused.
    pub sender: Option<Reply>,
    /// Recipients that are refused, with the replies.
    pub recipients: Vec<(Address, Reply)>,
}

/// Returns the replies that refuse a submission. Nothing is counted and nobody is told.
///
/// # Errors
/// The store cannot be read.
pub async fn check(
    on: &Runtime,
    asked: CheckSubmission,
) -> Result<SubmissionRefusals, OperationError> {
    let now = Millis::now();
    let subjects = {
        let (site, view) = (on.site.load(), on.directory.view());
        let own = view.restriction(&asked.account);
        let own = own.map(|restriction| &restriction.caps);
        let subjects = [Subject::Account, Subject::Credential(asked.credential)];
        let domain = asked.domain.map(Subject::Domain);
        let subjects = subjects.into_iter().chain(domain);
        let in_force = |of: Subject| (of.clone(), site.caps.in_force(own, &of));
        subjects.map(in_force).collect::<Vec<_>>()
    };
    let memory = &*on.counters as &dyn Memory;
    let reached = |measure, more| {
        let reached = cap_reached(memory, &asked.account, &subjects, (measure, more), now);
        reached.map(|reached| volume::reply(&reached))
    };
    let mut refusals = SubmissionRefusals {
        sender: reached(Measure::Messages, 0),
        ..SubmissionRefusals::default()
    };
    let mut taken = 0;
    for address in asked.recipients.into_iter().take(MOST) {
        let key = Suppression::key(&address);
        let found = on.suppressions.find(&asked.account, &key).await?;
        let refusal = match found {
            Some(entry) => Some(suppressed::reply(&address, &entry)),
            None => reached(Measure::Recipients, taken),
        };
        match refusal {
            Some(reply) => refusals.recipients.push((address, reply)),
            None => taken += 1,
        }
    }
    Ok(refusals)
}
