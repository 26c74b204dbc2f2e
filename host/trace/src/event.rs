//! The events of a transaction.

use gatepost_authentication::Summary;
use gatepost_message::{Address, Millis, ReversePath, TransactionId};
use gatepost_model::{Destination, Judgement, NextHop, Session};
use gatepost_smtp::Reply;
use serde::{Deserialize, Deserializer, Serialize};

/// An event in the life of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Event {
    /// Transaction.
    pub id: TransactionId,
    /// Time of the event.
    pub at: Millis,
    /// Details.
    #[serde(flatten)]
    pub kind: Kind,
}

impl Event {
    /// Returns an event of this moment.
    pub fn now(id: TransactionId, kind: Kind) -> Self {
        Self {
            id,
            at: Millis::now(),
            kind,
        }
    }
}

/// Kind of an event, with its details. In JSON the field `event` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    tag = "event"
)]
pub enum Kind {
    /// A transaction began at MAIL.
    Begun {
        /// Session so far.
        session: Session,
    },
    /// MAIL was answered.
    Sender {
        /// Address of MAIL FROM.
        reverse_path: ReversePath,
        /// Reply to the client.
        reply: Reply,
    },
    /// RCPT was answered.
    Recipient {
        /// Address of RCPT TO.
        address: Address,
        /// Reply to the client.
        reply: Reply,
    },
    /// The message was authenticated, for a policy that wants the facts.
    Authenticated {
        /// Summary of the facts.
        authentication: Box<Summary>,
    },
    /// A policy was called.
    Judged {
        /// Version, verdict and reasons.
        judgement: Box<Judgement>,
    },
    /// The message was answered: at the end of data, or earlier by the 421 that ends a session, for
    /// example after a time-out.
    Replied {
        /// Reply to the client.
        reply: Reply,
        /// Octets of the message that had come.
        size: u64,
    },
    /// The client gave the transaction up, or was cut off: there was no reply.
    Aborted {
        /// Reason, in a sentence.
        reason: String,
    },
    /// It went into the queue.
    Queued {
        /// Recipients that were queued.
        recipients: Vec<Address>,
    },
    /// A recipient gets nothing.
    Suppressed {
        /// Recipient.
        address: Address,
        /// Reason.
        reason: String,
    },
    /// It was quarantined instead of queued.
    Quarantined {
        /// Reason.
        reason: String,
        /// End of the quarantine.
        expires: Millis,
    },
    /// It was released from quarantine, or its hold was lifted.
    Released,
    /// It was held by an operator.
    Held,
    /// It was made due at once by an operator.
    Retried,
    /// It was accepted and dropped, as a policy decided, or dropped from quarantine by an operator.
    Discarded,
    /// An attempt to deliver it to one recipient ended.
    Attempt {
        /// Recipient.
        address: Address,
        /// Number of the attempt at this recipient, from 1.
        attempt: u32,
        /// Destination, if there was a route.
        #[serde(default, alias = "route", deserialize_with = "destination")]
        destination: Option<Destination>,
        /// Server that answered, by name or address and port.
        server: Option<String>,
        /// Address to which reports come back, if the message left with a return path.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        return_path: Option<Address>,
        /// Reply of the server, or of the relay in its stead.
        reply: Reply,
        /// Result of the attempt.
        ending: AttemptEnd,
    },
    /// A message was a report on one that was sent.
    Report(Box<ReportRead>),
    /// A bounce told the sender of recipients that it did not reach.
    Bounced {
        /// Transaction of the notice.
        notice: TransactionId,
        /// Recipients that were not reached.
        recipients: Vec<Address>,
    },
    /// A notice told the sender about recipients that it may yet reach, or has reached.
    Notified {
        /// Transaction of the notice.
        notice: TransactionId,
        /// State of these recipients.
        of: Notified,
        /// Recipients that the notice is about.
        recipients: Vec<Address>,
    },
    /// Its time expired, in the queue or in quarantine.
    Expired {
        /// Recipients that did not get it.
        recipients: Vec<Address>,
    },
    /// It was cancelled by an operator without a notice.
    Cancelled,
}

/// Report on a message that was sent, as it was read and matched. It is on record for the report,
/// and for the message that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReportRead {
    /// Transaction of the report.
    pub report: TransactionId,
    /// Message that it is about, if that is known.
    pub about: Option<TransactionId>,
    /// Kind: `failure`, `delayed`, `delivered`, `relayed`, `expanded`, `read`, `deleted`,
    /// `complaint` or `other`.
    pub kind: String,
    /// Sign by which the message was found: `token`, `email-id` or `message-id`.
    pub by: Option<String>,
    /// True if it does not come from where it would have to, and so has no effect.
    pub forged: bool,
    /// Recipients of the message that it is about.
    pub recipients: Vec<RecipientRead>,
    /// System that reports.
    pub reporter: Option<String>,
}

/// Recipient of a message, as a report tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RecipientRead {
    /// Recipient.
    pub address: Address,
    /// Action of the mail system, such as `failed`.
    pub action: Option<String>,
    /// Status, such as `5.1.1`.
    pub status: Option<String>,
    /// Words of the server that refused.
    pub diagnostic: Option<String>,
}

/// Reads a destination, or the next hop that earlier versions recorded.
fn destination<'a, D: Deserializer<'a>>(from: D) -> Result<Option<Destination>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Recorded {
        Hop(NextHop),
        Destination(Destination),
    }
    let recorded = Option::<Recorded>::deserialize(from)?;
    Ok(recorded.map(|recorded| match recorded {
        Recorded::Hop(hop) => Destination::NextHop { hop, egress: None },
        Recorded::Destination(destination) => destination,
    }))
}

/// Content of a notice to a sender, other than a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Notified {
    /// Delivery is delayed.
    Delayed,
    /// A server took it that gives no notices itself.
    Relayed,
    /// The message is in the mailbox.
    Delivered,
    /// The message was not sent, as a policy decided.
    Suppressed,
}

/// Result of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum AttemptEnd {
    /// The next hop accepted it.
    Delivered,
    /// It will be tried again.
    Deferred {
        /// Time of the next attempt at the earliest.
        next_attempt: Millis,
    },
    /// It was given up.
    Failed,
    /// Kept for an operator: the message is damaged in the store.
    Held,
}
