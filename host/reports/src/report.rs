//! A report, as it was understood.

use gatepost_message::Address;
use serde::Serialize;

use crate::bounds::{LONGEST_DIAGNOSTIC, LONGEST_TEXT, MOST_RECIPIENTS, line};
use crate::{Returned, Status};

/// Report on a message that was sent.
#[derive(Debug, Clone)]
pub struct MailReport {
    /// Kind: that of the recipient for whom things went worst.
    pub kind: Kind,
    /// Recipients that it reports on; none where it names none.
    pub recipients: Vec<ReportedRecipient>,
    /// Name of the system that reports.
    pub reporter: Option<String>,
    /// Returned header section, or what is known of the message without one.
    pub returned: Returned,
    /// Feedback-Type of a complaint (RFC 5965 section 3.1).
    pub feedback_type: Option<String>,
}

/// Subject of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The message was not delivered.
    Failure,
    /// The message is still tried.
    Delayed,
    /// The message was delivered.
    Delivered,
    /// The message went on to a system that reports no more (RFC 3464 section 2.3.3).
    Relayed,
    /// The message was delivered to a list, which sends it on.
    Expanded,
    /// A reader has displayed the message (RFC 8098 section 3.2.6.2).
    Read,
    /// The message was deleted, read or not.
    Deleted,
    /// The recipient complains of the message.
    Complaint,
    /// Something else.
    Other,
}

impl Kind {
    /// Returns the word for it in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Expanded => "expanded",
            Self::Read => "read",
            Self::Deleted => "deleted",
            Self::Complaint => "complaint",
            Self::Other => "other",
        }
    }
}

/// Action of a mail system for a recipient (RFC 3464 section 2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportedAction {
    /// Not delivered.
    Failed,
    /// Still tried.
    Delayed,
    /// Delivered to a list.
    Expanded,
    /// Passed on.
    Relayed,
    /// Delivered.
    Delivered,
}

impl ReportedAction {
    /// Returns the kind of a report on a recipient with this action.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Failed => Kind::Failure,
            Self::Delayed => Kind::Delayed,
            Self::Expanded => Kind::Expanded,
            Self::Relayed => Kind::Relayed,
            Self::Delivered => Kind::Delivered,
        }
    }

    /// Returns the word for it (RFC 3464 section 2.3.3).
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Expanded => "expanded",
            Self::Relayed => "relayed",
            Self::Delivered => "delivered",
        }
    }
}

/// A recipient that a report is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedRecipient {
    /// Address that the sender gave, where it is not the final one.
    pub original: Option<Address>,
    /// Address to which the mail system tried to deliver.
    pub last: Option<Address>,
    /// Action of the mail system; `None` where the report is no delivery report.
    pub action: Option<ReportedAction>,
    /// Status (RFC 3463), as the report says it or as its diagnostic does.
    pub status: Option<Status>,
    /// Words of the server that refused, or of the system that reports.
    pub diagnostic: Option<String>,
}

impl ReportedRecipient {
    /// Returns a recipient of whom nothing but the address is known.
    pub(crate) fn of(address: Address) -> Self {
        Self {
            original: None,
            last: Some(address),
            action: None,
            status: None,
            diagnostic: None,
        }
    }

    /// Returns the address that the sender most likely gave.
    pub fn address(&self) -> Option<&Address> {
        self.original.as_ref().or(self.last.as_ref())
    }

    /// Returns true if this is that mailbox, as the sender named it or finally. Mail systems often
    /// repeat a local part in another case.
    pub fn is(&self, address: &Address) -> bool {
        let mut named = self.original.iter().chain(&self.last);
        named.any(|named| {
            named.is_same_mailbox(address) || named.as_str().eq_ignore_ascii_case(address.as_str())
        })
    }
}

impl MailReport {
    /// Returns the report on delivery to these recipients.
    pub(crate) fn of_delivery(recipients: Vec<ReportedRecipient>, returned: Returned) -> Self {
        let worst = recipients.iter().filter_map(|of| of.action).min();
        Self {
            kind: worst.map_or(Kind::Other, ReportedAction::kind),
            recipients,
            reporter: None,
            returned,
            feedback_type: None,
        }
    }

    /// Returns the report with everything within its bounds.
    pub(crate) fn bounded(mut self) -> Self {
        self.recipients.truncate(MOST_RECIPIENTS);
        for recipient in &mut self.recipients {
            let text = recipient.diagnostic.take();
            let text = text.map(|text| line(&text, LONGEST_DIAGNOSTIC));
            recipient.diagnostic = text.filter(|text| !text.is_empty());
        }
        let short = |text: String| line(&text, LONGEST_TEXT);
        self.reporter = (self.reporter.map(short)).filter(|text| !text.is_empty());
        self.feedback_type = self.feedback_type.map(short);
        self
    }
}
