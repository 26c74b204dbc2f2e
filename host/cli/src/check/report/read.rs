//! What a message says of another one, if it is a report on that.

use gatepost_message::Address;
use gatepost_reports::{Kind, MailReport, ReportedAction, ReportedRecipient, Status};
use serde::Serialize;

/// A report as it was read. The fields of a recipient beside the kind are those of the first for
/// whom things went worst.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::check) struct ReadReport {
    pub(super) kind: Kind,
    #[serde(flatten)]
    pub(super) worst: ReadRecipient,
    /// Message-ID of the message that it is about.
    pub(super) message: Option<String>,
    /// System that reports.
    reporter: Option<String>,
    /// Feedback-Type of a complaint.
    feedback_type: Option<String>,
    /// All recipients.
    pub(super) recipients: Vec<ReadRecipient>,
}

/// Recipient that a report is about.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ReadRecipient {
    /// Address that the sender gave, as far as the report says it.
    pub(super) recipient: Option<Address>,
    /// Address to which the message was forwarded, if it was.
    final_recipient: Option<Address>,
    pub(super) action: Option<ReportedAction>,
    pub(super) status: Option<Status>,
    pub(super) diagnostic: Option<String>,
}

impl ReadReport {
    /// Returns the report in a line for each recipient.
    pub(super) fn for_people(&self) -> String {
        let mut text = format!("  report: {}", self.kind.word());
        for (word, value) in [
            ("of", &self.feedback_type),
            ("by", &self.reporter),
            ("about", &self.message),
        ] {
            if let Some(value) = value {
                text.push_str(&format!(" {word} {value}"));
            }
        }
        text.push('\n');
        for of in &self.recipients {
            let recipient = of.recipient.as_ref();
            let recipient = recipient.map_or("an unknown recipient", |of| of.as_str());
            let action = of.action.map_or("", |action| action.word());
            let status = of.status.map(|status| status.to_string());
            let said = [action, status.as_deref().unwrap_or_default()].map(str::to_owned);
            let said = said.into_iter().chain(of.diagnostic.clone());
            let said: Vec<String> = said.filter(|text| !text.is_empty()).collect();
            text.push_str(&format!("    <{recipient}>: {}\n", said.join(" ")));
        }
        text
    }
}

impl From<MailReport> for ReadReport {
    fn from(report: MailReport) -> Self {
        let message = report.returned.message_id();
        let recipients = report.recipients.into_iter();
        let recipients: Vec<ReadRecipient> = recipients.map(Into::into).collect();
        Self {
            kind: report.kind,
            worst: worst(&recipients),
            message,
            reporter: report.reporter,
            feedback_type: report.feedback_type,
            recipients,
        }
    }
}

/// Returns the first recipient for whom things went as badly as for any.
fn worst(recipients: &[ReadRecipient]) -> ReadRecipient {
    let by_action = |of: &&ReadRecipient| (of.action.is_none(), of.action);
    recipients
        .iter()
        .min_by_key(by_action)
        .cloned()
        .unwrap_or_default()
}

impl From<ReportedRecipient> for ReadRecipient {
    fn from(of: ReportedRecipient) -> Self {
        let recipient = of.address().cloned();
        Self {
            final_recipient: of.last.filter(|last| Some(last) != recipient.as_ref()),
            recipient,
            action: of.action,
            status: of.status,
            diagnostic: of.diagnostic,
        }
    }
}
