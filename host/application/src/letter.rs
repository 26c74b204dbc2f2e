//! A message and the facts that go with it.

use std::net::IpAddr;

use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::MessageClass;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A message on its way to the application, with its envelope and what the relay knows of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Letter<'a> {
    /// Transaction, by which reply, log, queue and trace name the message.
    pub transaction: TransactionId,
    /// Message-ID, if the message has one.
    pub message_id: Option<&'a str>,
    /// Account that the message belongs to.
    pub account: Option<&'a str>,
    /// Time of acceptance, in milliseconds since 1970.
    pub received: Millis,
    /// MAIL FROM; empty for the null one.
    #[serde(serialize_with = "as_text")]
    pub mail_from: &'a ReversePath,
    /// Recipients to deliver to.
    pub rcpt_to: &'a [LetterRecipient<'a>],
    /// Person who asks something of the application, if that is known.
    pub requester: Option<&'a str>,
    /// Class, if a policy determined it.
    pub class: Option<MessageClass>,
    /// Tags of policies.
    pub tags: &'a [TagWithReasons<'a>],
    /// Message authentication, as the relay records it.
    pub authentication: Option<&'a Value>,
    /// Transaction of the account that this message answers, if that is known.
    #[serde(skip)]
    pub thread: Option<TransactionId>,
    /// Address of the client that handed the message in.
    #[serde(skip)]
    pub client: Option<IpAddr>,
    /// The message. It is no fact, and follows the facts.
    #[serde(skip)]
    pub message: &'a Message,
}

/// Recipient of a letter.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LetterRecipient<'a> {
    /// Address that the message is delivered to.
    pub address: &'a Address,
    /// Address that the sender wrote to, if it is another.
    pub original: Option<&'a Address>,
    /// Way by which the message came to it.
    pub arrival: Arrival,
    /// Facts of the directory, for the form `json` alone.
    #[serde(skip)]
    pub owner: RecipientFacts<'a>,
}

/// Facts of the directory about a recipient.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecipientFacts<'a> {
    /// Support address as it was entered.
    pub support_address: Option<&'a str>,
    /// Brand of the account whose address it is.
    pub brand: Option<&'a str>,
    /// Connector of its domain.
    pub connector: Option<&'a str>,
}

/// Tag of a policy, with its reasons.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TagWithReasons<'a> {
    /// The tag.
    pub tag: &'a str,
    /// Name of the policy that set it, if that is known.
    pub policy: Option<&'a str>,
    /// Reasons that the policy gave in the same call.
    pub reasons: &'a [String],
}

/// Way by which a message came to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrival {
    /// From the sender's server.
    Direct,
    /// Through the customer's server.
    Relayed,
    /// Past the customer's server, which should have relayed it.
    PastRelay,
    /// Through a forwarder.
    Forwarded,
    /// To a forwarding target, through nobody who is known to forward there.
    UnknownForwarder,
    /// From the relay itself or one of its accounts.
    Internal,
    /// Unknown.
    Other,
}

fn as_text<S: Serializer>(path: &&ReversePath, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(path)
}
