//! What can happen to a transaction.

use gatepost_authentication::Summary;
use gatepost_message::{Address, Millis, ReversePath, TransactionId};
use gatepost_model::{Judgement, NextHop, Session};
use gatepost_smtp::Reply;
use serde::{Deserialize, Serialize};

/// Something that happened to a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Event {
    /// Which one.
    pub id: TransactionId,
    /// When.
    pub at: Millis,
    /// What.
    #[serde(flatten)]
    pub kind: Kind,
}

impl Event {
    /// An event of this moment.
    pub fn now(id: TransactionId, kind: Kind) -> Self {
        Self {
            id,
            at: Millis::now(),
            kind,
        }
    }
}

/// What happened. In JSON the field `event` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    tag = "event"
)]
pub enum Kind {
    /// A transaction began: over which session.
    Begun {
        /// The connection, as far as it had got.
        session: Session,
    },
    /// MAIL was answered.
    Sender {
        /// MAIL FROM.
        reverse_path: ReversePath,
        /// The answer.
        reply: Reply,
    },
    /// RCPT was answered.
    Recipient {
        /// RCPT TO.
        address: Address,
        /// The answer.
        reply: Reply,
    },
    /// It was found out where the message came from, for a policy that wants to know.
    Authenticated {
        /// What was proved of it.
        authentication: Box<Summary>,
    },
    /// A policy was called.
    Judged {
        /// Which version, what it said and why.
        judgement: Judgement,
    },
    /// The message was answered: at the end of data, or before it with the 421 that ends a
    /// session, such as for a time-out.
    Replied {
        /// The answer.
        reply: Reply,
        /// Octets of the message that had come.
        size: u64,
    },
    /// The client gave the transaction up, or was cut off: nothing was answered.
    Aborted {
        /// How, in a sentence.
        reason: String,
    },
    /// It went into the queue.
    Queued {
        /// For whom.
        recipients: Vec<Address>,
    },
    /// A recipient gets nothing.
    Suppressed {
        /// Who.
        address: Address,
        /// Why.
        reason: String,
    },
    /// Kept apart instead of queued.
    Quarantined {
        /// Why.
        reason: String,
        /// Until when.
        expires: Millis,
    },
    /// Let out of quarantine, or a hold lifted.
    Released,
    /// Held by an operator.
    Held,
    /// Made due at once by an operator.
    Retried,
    /// Taken and dropped, as a policy decided, or dropped from quarantine by an operator.
    Discarded,
    /// An attempt to deliver it to one recipient ended.
    Attempt {
        /// Who was to get it.
        address: Address,
        /// Which attempt at this recipient, from 1.
        attempt: u32,
        /// Where the route led, if it led anywhere.
        route: Option<NextHop>,
        /// The server that answered, by name or address and port.
        server: Option<String>,
        /// What it said, or the relay in its stead.
        reply: Reply,
        /// How it ended.
        ending: Ending,
    },
    /// The sender was told of recipients that it did not reach.
    Bounced {
        /// The transaction of the notice.
        notice: TransactionId,
        /// Who was not reached.
        recipients: Vec<Address>,
    },
    /// The sender was told how it stands with recipients that it may yet reach, or has reached.
    Notified {
        /// The transaction of the notice.
        notice: TransactionId,
        /// How it stands with them.
        of: Notified,
        /// Of whom.
        recipients: Vec<Address>,
    },
    /// Time ran out, in the queue or in quarantine.
    Expired {
        /// Who did not get it.
        recipients: Vec<Address>,
    },
    /// Ended by an operator without a notice.
    Cancelled,
}

/// What a sender was told, other than a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notified {
    /// It takes long.
    Delayed,
    /// It was handed to a server that gives no notices itself.
    Relayed,
    /// It is in the mailbox.
    Delivered,
    /// It was not sent, as a policy decided.
    Suppressed,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Ending {
    /// The next hop took it.
    Delivered,
    /// To be tried again.
    Deferred {
        /// Not before this time.
        next_attempt: Millis,
    },
    /// Given up.
    Failed,
    /// Kept for an operator: the message is damaged in the store.
    Held,
}
