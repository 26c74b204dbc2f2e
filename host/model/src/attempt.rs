//! The result of an attempt at delivery, for one recipient, and the message as its attempt finds it.

use gatepost_message::{Address, Message, Millis};
use gatepost_smtp::Reply;
use serde::{Deserialize, Serialize};

use crate::MessageClass;

/// Ending of an attempt at delivery for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Accepted by the next hop.
    Delivered,
    /// Deferred: it will be tried again.
    Deferred,
    /// Refused for good.
    Failed,
    /// Given up: its time was over.
    Expired,
    /// Kept for an operator.
    Held,
}

impl Ending {
    /// Returns the ending's word in spans and fixtures.
    pub fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Held => "held",
        }
    }
}

/// Stage that an attempt had reached when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptStage {
    /// Name and address of the server, connection, greeting.
    Connect,
    /// STARTTLS or the handshake.
    Tls,
    /// AUTH.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Recipient,
    /// DATA, or the first chunk.
    Data,
    /// End of the message.
    Message,
    /// None: the relay itself decided, or delivered without a server.
    Local,
    /// Unknown.
    Other,
}

/// Result of an attempt for one recipient, as the outcome hook receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptResult {
    /// Recipient.
    pub recipient: Address,
    /// Ending of the attempt.
    pub ending: Ending,
    /// Stage that it had reached.
    pub stage: AttemptStage,
    /// Reply that ended it.
    pub reply: Reply,
    /// Step of the plan that was taken, as [`Step`](crate::Step) writes it.
    pub step: Option<String>,
    /// `host:port` of the server that was tried.
    pub server: Option<String>,
    /// Protocol and cipher; `None` in plaintext.
    pub tls: Option<String>,
    /// Address in whose name the message left, if that is not the sender's own.
    pub sent_as: Option<Address>,
    /// Message-ID of the message as it left, without angle brackets.
    pub message_id: Option<String>,
}

/// Step of a plan that was tried for a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedStep {
    /// Step, as [`Step`](crate::Step) writes it.
    pub step: String,
    /// Deferred attempts on it.
    pub failures: u32,
    /// Time of the first attempt on it.
    pub since: Millis,
}

/// Message in the queue, as an attempt at one recipient finds it: what the hooks `route` and
/// `outcome` can look up.
#[derive(Debug, Clone)]
pub struct Queued {
    /// Time of the attempt.
    pub attempt_time: Millis,
    /// Time at which the message was accepted.
    pub accepted: Millis,
    /// Time at which delivery gives up.
    pub expires: Millis,
    /// The message. Only its header section and its size are looked at.
    pub message: Message,
    /// Tags set by policies.
    pub tags: Vec<String>,
    /// Class of the message, if a policy determined it.
    pub class: Option<MessageClass>,
    /// Names and values that the application handed in with the message.
    pub metadata: Vec<(String, String)>,
    /// Reply that ended the last attempt at the recipient.
    pub last_reply: Option<Reply>,
    /// Steps that were tried for the recipient, the one in use last.
    pub steps_tried: Vec<TriedStep>,
}
