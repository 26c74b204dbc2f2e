//! Entries for the ledgers that a report makes: events for its account, and the addresses to
//! which nothing more is sent.

use gatepost_message::{Address, Millis, TransactionId, canonical_form};
use gatepost_model::{Event, EventKind, Suppression, SuppressionCause, SuppressionChange};
use gatepost_reports::{Kind, Status};
use gatepost_spool::Ledger;
use gatepost_trace::{RecipientRead, Sent};

use super::MatchedReport;

/// Bounces that may pass after which an address is suppressed.
const SOFT_BOUNCES: u32 = 5;

impl MatchedReport {
    /// Returns the entries that are committed with the report. Only a failure and a complaint make
    /// any, and a forged report makes none.
    pub(crate) fn ledger(&self, at: Millis) -> Ledger {
        let mut ledger = Ledger::default();
        let Some(sent) = self.sent.as_ref().filter(|_| !self.read.forged) else {
            return ledger;
        };
        for recipient in &self.read.recipients {
            let failed = recipient.action.as_deref() == Some("failed");
            let kind = match self.kind {
                Kind::Complaint => EventKind::Complained {
                    feedback_type: self.feedback_type.clone().unwrap_or_default(),
                    report: self.read.report,
                },
                _ if failed => EventKind::Bounced {
                    action: "failed".to_owned(),
                    status: recipient.status.clone(),
                    diagnostic: recipient.diagnostic.clone(),
                    reporter: self.read.reporter.clone(),
                    report: self.read.report,
                },
                _ => continue,
            };
            ledger
                .events
                .push(event(sent, &recipient.address, kind, at));
            let cause = match self.kind {
                Kind::Complaint => Some(SuppressionCause::Complaint),
                _ => recipient
                    .status
                    .as_deref()
                    .and_then(Status::find)
                    .and_then(cause),
            };
            let evidence = match (&recipient.diagnostic, &recipient.status) {
                (Some(said), _) => said.clone(),
                (None, Some(status)) => status.clone(),
                (None, None) => self.feedback_type.clone().unwrap_or_default(),
            };
            let change = cause.map(|cause| change(sent, recipient, cause, evidence, at));
            ledger.suppressions.extend(change);
        }
        ledger
    }
}

fn event(sent: &Sent, recipient: &Address, kind: EventKind, at: Millis) -> Event {
    let id = sent.message_id.trim();
    let id = id.trim_start_matches('<').trim_end_matches('>');
    Event {
        account: Some(sent.account.clone()),
        address: None,
        transaction: Some(sent.id),
        message_id: Some(id.to_owned()).filter(|id| !id.is_empty()),
        recipient: Some(recipient.clone()),
        metadata: None,
        at,
        kind,
    }
}

/// Returns the cause for which an address with this status is suppressed, or its bounces counted. A
/// status that says nothing of the recipient (RFC 3463: content, policy, the system) is none.
fn cause(status: Status) -> Option<SuppressionCause> {
    match (status.class, status.subject, status.detail) {
        (5, 1, 1 | 2 | 3 | 6 | 10) | (5, 2, 1) => Some(SuppressionCause::HardBounce),
        (4, 1, 1 | 2 | 3 | 6 | 10) | (4, 2, 1) | (4 | 5, 2, 2) => Some(SuppressionCause::Counting),
        _ => None,
    }
}

fn change(
    sent: &Sent,
    recipient: &RecipientRead,
    cause: SuppressionCause,
    evidence: String,
    at: Millis,
) -> SuppressionChange {
    let by: Option<TransactionId> = Some(sent.id);
    let entry = Suppression {
        account: sent.account.clone(),
        address: canonical_form(recipient.address.as_str()),
        cause,
        evidence,
        at,
        by,
        count: 1,
    };
    match cause {
        SuppressionCause::Counting => SuppressionChange::Count {
            entry,
            limit: SOFT_BOUNCES,
        },
        _ => SuppressionChange::Suppress(entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepost_trace::ReportRead;

    fn returned(kind: Kind, action: Option<&str>, forged: bool) -> MatchedReport {
        let about = TransactionId::new();
        MatchedReport {
            read: ReportRead {
                report: TransactionId::new(),
                about: Some(about),
                kind: kind.word().to_owned(),
                by: Some("message-id".to_owned()),
                forged,
                recipients: vec![RecipientRead {
                    address: "x@b.example".parse().unwrap(),
                    action: action.map(str::to_owned),
                    status: Some("5.1.1".to_owned()),
                    diagnostic: Some("550 5.1.1 nobody".to_owned()),
                }],
                reporter: None,
            },
            sent: Some(Sent {
                id: about,
                at: Millis(1),
                account: "acme".to_owned(),
                domain: "desk.example".to_owned(),
                message_id: "<1@desk.example>".to_owned(),
                headers: Vec::new(),
            }),
            kind,
            feedback_type: None,
        }
    }

    #[test]
    fn only_a_true_failure_or_complaint_has_an_effect() {
        let failed = Some("failed");
        for (kind, action, forged, effects) in [
            (Kind::Failure, failed, false, 1),
            (Kind::Complaint, None, false, 1),
            (Kind::Failure, failed, true, 0),
            (Kind::Complaint, None, true, 0),
            (Kind::Failure, Some("delayed"), false, 0),
            (Kind::Delayed, Some("delayed"), false, 0),
            (Kind::Read, None, false, 0),
            (Kind::Deleted, None, false, 0),
            (Kind::Delivered, Some("delivered"), false, 0),
            (Kind::Other, None, false, 0),
        ] {
            let ledger = returned(kind, action, forged).ledger(Millis(2));
            assert_eq!(ledger.events.len(), effects, "{kind:?} {forged}");
            assert_eq!(ledger.suppressions.len(), effects, "{kind:?} {forged}");
        }
    }

    #[test]
    fn only_what_is_about_the_recipient_suppresses() {
        use SuppressionCause::{Counting, HardBounce};
        for (status, wanted) in [
            ("5.1.1", Some(HardBounce)),
            ("5.1.10", Some(HardBounce)),
            ("5.2.1", Some(HardBounce)),
            ("5.2.2", Some(Counting)),
            ("4.2.2", Some(Counting)),
            ("5.0.0", None),
            ("5.2.3", None),
            ("5.3.4", None),
            ("5.4.7", None),
            ("5.6.0", None),
            ("5.7.1", None),
            ("2.1.5", None),
        ] {
            assert_eq!(Status::find(status).and_then(cause), wanted, "{status}");
        }
    }
}
