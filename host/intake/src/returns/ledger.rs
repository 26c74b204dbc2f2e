//! Entries for the ledgers that a report makes: events for its account, and the addresses to
//! which nothing more is sent.

use gatepost_delivery::Suppressing;
use gatepost_message::{Address, Millis, without_brackets};
use gatepost_model::{Event, EventKind, Suppression, SuppressionCause, SuppressionChange};
use gatepost_reports::Kind;
use gatepost_smtp::RecipientFailure;
use gatepost_spool::{EventLog, Ledger};
use gatepost_trace::{RecipientRead, Sent};

use super::MatchedReport;

impl MatchedReport {
    /// Returns the first event of the message that the report is about, if there is one: it knows
    /// what the application handed in with the message.
    pub(crate) async fn first_event(&self, events: &dyn EventLog) -> Option<Event> {
        let first = events.first_of(self.sent.as_ref()?.id).await;
        let first = first.unwrap_or_else(|error| {
            tracing::error!(%error, "the event of a bounced message cannot be read");
            None
        });
        first.map(|stored| stored.event)
    }

    /// Returns the entries that are committed with the report. Only a failure and a complaint make
    /// any, and a forged report makes none.
    pub(crate) fn ledger(&self, at: Millis, first: Option<&Event>, rules: Suppressing) -> Ledger {
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
            let event = event(sent, first, &recipient.address, kind, at);
            ledger.tell([event]);
            let change = self.change(sent, recipient, at, rules);
            ledger.suppressions.extend(change);
        }
        ledger
    }

    /// Returns the change to the suppression list: a complaint suppresses, and so does a failure
    /// that lies with the recipient, at once or after some messages.
    fn change(
        &self,
        sent: &Sent,
        recipient: &RecipientRead,
        at: Millis,
        rules: Suppressing,
    ) -> Option<SuppressionChange> {
        let said = recipient.diagnostic.as_deref().unwrap_or_default();
        let failure = || {
            let status = recipient.status.as_deref();
            let status = status.and_then(|status| status.parse().ok());
            RecipientFailure::of_report(status, said)
        };
        let cause = match self.kind {
            Kind::Complaint => SuppressionCause::Complaint,
            _ if !rules.record => return None,
            _ => match failure()? {
                RecipientFailure::Hard => SuppressionCause::HardBounce,
                RecipientFailure::Soft if rules.soft_failures == 0 => return None,
                RecipientFailure::Soft => SuppressionCause::Counting,
            },
        };
        let evidence = match (&recipient.diagnostic, &recipient.status) {
            (Some(said), _) => said.clone(),
            (None, Some(status)) => status.clone(),
            (None, None) => self.feedback_type.clone().unwrap_or_default(),
        };
        let entry = Suppression {
            account: sent.account.clone(),
            address: Suppression::key(&recipient.address),
            cause,
            evidence,
            at,
            by: Some(sent.id),
            count: 1,
        };
        Some(match cause {
            SuppressionCause::Counting => SuppressionChange::Count {
                entry,
                limit: rules.soft_failures,
                since: at - rules.soft_within,
            },
            _ => SuppressionChange::Suppress(entry),
        })
    }
}

fn event(
    sent: &Sent,
    first: Option<&Event>,
    recipient: &Address,
    kind: EventKind,
    at: Millis,
) -> Event {
    let id = without_brackets(&sent.message_id);
    Event {
        account: Some(sent.account.clone()),
        address: first.and_then(|first| first.address.clone()),
        transaction: Some(sent.id),
        message_id: Some(id.to_owned()).filter(|id| !id.is_empty()),
        recipient: Some(recipient.clone()),
        metadata: first.and_then(|first| first.metadata.clone()),
        at,
        kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepost_message::TransactionId;
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
            let ledger =
                returned(kind, action, forged).ledger(Millis(2), None, Suppressing::default());
            assert_eq!(ledger.events().len(), effects, "{kind:?} {forged}");
            assert_eq!(ledger.suppressions.len(), effects, "{kind:?} {forged}");
        }
    }
}
