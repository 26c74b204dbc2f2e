//! Reports on a probe: what a mail system says became of it.

use gatepost_connections::{DialogueStage, Profile};
use gatepost_reports::{MailReport, ReportedAction, ReportedRecipient};
use gatepost_smtp::{EnhancedCode, Reply};

use crate::attempt::reply_at_start;
use crate::{FailureReason, VerificationFailure, failure_of_reply};

/// Meaning of a report for the verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportVerdict {
    /// The probe was not delivered.
    Failed(VerificationFailure),
    /// The probe is still tried. If it stays so until the deadline, this is the failure.
    Delayed(VerificationFailure),
    /// The probe was delivered or passed on: it has to come back.
    Delivered,
    /// The report says nothing of delivery.
    Nothing,
}

/// Judges a report that came to the return path of the probe. Nobody but who had the probe knows
/// that address, so the report is about the probe, whomever it names.
pub fn judge_report(profile: &Profile, report: &MailReport) -> ReportVerdict {
    // What went worst comes first in the order of actions.
    let worst = report
        .recipients
        .iter()
        .filter(|recipient| recipient.action.is_some())
        .min_by_key(|recipient| recipient.action);
    let Some(worst) = worst else {
        return ReportVerdict::Nothing;
    };
    match worst.action {
        Some(ReportedAction::Failed) => ReportVerdict::Failed(failure(profile, worst, report)),
        Some(ReportedAction::Delayed) => ReportVerdict::Delayed(failure(profile, worst, report)),
        Some(ReportedAction::Expanded | ReportedAction::Relayed | ReportedAction::Delivered) => {
            ReportVerdict::Delivered
        }
        None => ReportVerdict::Nothing,
    }
}

fn failure(
    profile: &Profile,
    worst: &ReportedRecipient,
    report: &MailReport,
) -> VerificationFailure {
    let said = worst.diagnostic.as_deref().unwrap_or_default();
    let Some(reply) = reply_of(worst, said) else {
        let failure = VerificationFailure::of(FailureReason::Refused).with_server(said);
        return match &report.reporter {
            Some(reporter) => failure.with_detail(&format!("{reporter} reports it")),
            None => failure,
        };
    };
    let failure = failure_of_reply(profile, DialogueStage::Data, &reply);
    match said.is_empty() {
        true => failure,
        false => failure.with_server(said),
    }
}

/// Returns the reply that a report quotes, or one made of its status.
fn reply_of(recipient: &ReportedRecipient, said: &str) -> Option<Reply> {
    // "smtp; 550 5.1.1 ..." and "host mx.example said: 550 ..." have the reply behind a label.
    let starts = said.match_indices(['4', '5']).map(|(at, _)| at);
    let quoted = starts
        .filter(|at| {
            let before = said[..*at].chars().next_back();
            before.is_none_or(|c| !c.is_alphanumeric() && c != '.')
        })
        .take(16)
        .find_map(|at| reply_at_start(&said[at..]).filter(Reply::is_negative));
    let status = recipient.status;
    match (quoted, status) {
        (Some(reply), _) if reply.enhanced().is_some() => Some(reply),
        (quoted, Some(status)) => {
            let code = match (&quoted, status.class) {
                (Some(reply), class) if reply.code() / 100 == u16::from(class) => reply.code(),
                (_, 4) => 450,
                _ => 550,
            };
            let enhanced: Option<EnhancedCode> = status.to_string().parse().ok();
            let enhanced = enhanced.filter(|of| u16::from(of.class()) == code / 100);
            Reply::checked(code, enhanced, said).ok()
        }
        (quoted, None) => quoted,
    }
}
