//! Reports on our mail that come back: what one says, which message it is about, and whether it
//! can be believed.
//!
//! The message is found by the token of the return path that the report came to, by an email id of
//! ours in the header section that it returns, or by the Message-ID. A token proves the report:
//! only who got the message, or carried it, knows it. Without one, the report has to come from a
//! server that can have the message from us alone. Any other may be made up by somebody who has
//! seen the message: it is forged, goes on as it is, and has no effect.

mod ledger;

use std::sync::Arc;

use gatepost_dns::Resolver;
use gatepost_message::{Address, Message, TransactionId};
use gatepost_model::{Flow, Transaction};
use gatepost_reports::{Kind, MailReport};
use gatepost_trace::{Kind as TraceKind, RecipientRead, ReportRead, Sent, Trace, TraceError};

use crate::integrity::{self, ReturnSource};
use crate::look_ups::AccountView;

/// A report, read and matched to its message.
#[derive(Debug)]
pub(crate) struct MatchedReport {
    /// Contents, for the record.
    pub(crate) read: ReportRead,
    /// Message that it is about, if that is known.
    pub(crate) sent: Option<Sent>,
    /// Kind.
    pub(crate) kind: Kind,
    /// Feedback-Type of a complaint.
    pub(crate) feedback_type: Option<String>,
}

impl MatchedReport {
    /// Returns the tags of a message that is a report: its kind, and `report-forged` if it may not
    /// be believed.
    pub(crate) fn tags(&self) -> impl Iterator<Item = String> {
        let forged = self.read.forged.then(|| "report-forged".to_owned());
        std::iter::once(kind_tag(self.kind)).chain(forged)
    }

    /// Returns the account that sent the message.
    pub(crate) fn account(&self) -> Option<&str> {
        self.sent.as_ref().map(|sent| sent.account.as_str())
    }

    /// Records the report, and what it says of the message that it is about.
    pub(crate) fn record(self, trace: &Trace) {
        let kind = self.kind.word();
        let forged = if self.read.forged { "true" } else { "false" };
        metrics::counter!("gatepost_reports_total", "kind" => kind, "forged" => forged)
            .increment(1);
        let about = self.read.about.filter(|_| !self.read.forged);
        let read = Box::new(self.read);
        let record =
            |id, read| trace.record(gatepost_trace::Event::now(id, TraceKind::Report(read)));
        if let Some(about) = about.filter(|about| *about != read.report) {
            record(about, read.clone());
        }
        record(read.report, read);
    }
}

/// Returns the tag of a message that is a report of this kind.
pub(crate) fn kind_tag(kind: Kind) -> String {
    format!("report-{}", kind.word())
}

/// Reads a message that came in, and finds the message that it is about; `None` if it is no report.
/// What comes to the return path of a message (`token`) always is one.
pub(crate) async fn examine(
    trace: &Arc<Trace>,
    (accounts, resolver): (AccountView, Resolver),
    transaction: &Transaction,
    token: Option<TransactionId>,
    message: Message,
) -> Option<MatchedReport> {
    let inbound = transaction.session.flow == Flow::Inbound;
    let from_nobody = transaction.reverse_path.is_null();
    let may_be = || from_nobody || gatepost_reports::may_be(message.head());
    if !inbound || !(token.is_some() || may_be()) {
        return None;
    }
    let source = ReturnSource::of(&transaction.session, accounts, resolver);
    let (trace, report) = (Arc::clone(trace), transaction.id);
    let examined = tokio::task::spawn_blocking(move || {
        let octets = integrity::beginning(&message)?;
        let read = gatepost_reports::read(&octets, from_nobody || token.is_some());
        let found = match (read, token) {
            (None, None) => return None,
            (read, token) => matched(&trace, &source, report, read, token),
        };
        found
            .inspect_err(
                |error| tracing::warn!(%error, "a report cannot be matched to its message"),
            )
            .ok()
    });
    examined.await.ok().flatten()
}

fn matched(
    trace: &Trace,
    source: &ReturnSource,
    id: TransactionId,
    report: Option<MailReport>,
    token: Option<TransactionId>,
) -> Result<MatchedReport, TraceError> {
    let found = match (token, &report) {
        (Some(token), _) => trace.sent_by_id(token)?.map(|sent| (sent, "token")),
        (None, Some(report)) => integrity::find(trace, source.view(), &report.returned)?,
        (None, None) => None,
    };
    let (sent, by) = found.unzip();
    let forged = match &sent {
        Some(sent) if token.is_none() => !source.has_received_it_from_us(trace, sent)?,
        _ => false,
    };
    let recipients = match (&sent, &report) {
        (Some(sent), Some(report)) => recipients(report, &sent_to(trace, sent.id)?),
        _ => Vec::new(),
    };
    let kind = report.as_ref().map_or(Kind::Other, |report| report.kind);
    let about = token.or(sent.as_ref().map(|sent| sent.id));
    let (reporter, feedback_type) = match report {
        Some(report) => (report.reporter, report.feedback_type),
        None => (None, None),
    };
    if forged {
        tracing::info!(
            %id, about = ?about, client = ?source.client(),
            "a report does not come from where its message was sent, and has no effect"
        );
    }
    Ok(MatchedReport {
        read: ReportRead {
            report: id,
            about,
            kind: kind.word().to_owned(),
            by: by.or(token.map(|_| "token")).map(ToOwned::to_owned),
            forged,
            recipients,
            reporter,
        },
        sent,
        kind,
        feedback_type,
    })
}

/// Returns the recipients to which a message was sent.
fn sent_to(trace: &Trace, id: TransactionId) -> Result<Vec<Address>, TraceError> {
    let mut all = Vec::new();
    for event in trace.of(id)? {
        if let TraceKind::Queued { recipients } = event.kind {
            all.extend(recipients);
        }
    }
    Ok(all)
}

/// Returns those recipients of a message that a report is about. A report says nothing of anybody
/// to whom the message was not sent. If it was sent to one alone, the report is about that one,
/// whatever address it was forwarded to.
fn recipients(report: &MailReport, sent_to: &[Address]) -> Vec<RecipientRead> {
    let told = |address: &Address, of: Option<&gatepost_reports::ReportedRecipient>| {
        let of_kind = || match report.kind {
            Kind::Failure => Some("failed"),
            Kind::Delayed => Some("delayed"),
            _ => None,
        };
        RecipientRead {
            address: address.clone(),
            action: match of {
                Some(of) => of.action.map(|action| action.word().to_owned()),
                None => of_kind().map(ToOwned::to_owned),
            },
            status: of.and_then(|of| of.status).map(|status| status.to_string()),
            diagnostic: of.and_then(|of| of.diagnostic.clone()),
        }
    };
    if let ([alone], [] | [_]) = (sent_to, report.recipients.as_slice()) {
        return vec![told(alone, report.recipients.first())];
    }
    let named = sent_to.iter().filter_map(|address| {
        let of = report.recipients.iter().find(|of| of.is(address))?;
        Some(told(address, Some(of)))
    });
    named.collect()
}
