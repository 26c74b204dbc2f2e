//! Requests of operators, and their responses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_message::{Domain, Millis, TransactionId};
use gatepost_model::{Classification, Judgement, Transaction};
use gatepost_policy::OnError;
use gatepost_smtp::dsn::MessageRequest;
use gatepost_spool::{Changed, KnownMachine, Status, Summary};
use gatepost_trace::{Counted, Event};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::directory::{DirectoryRequest, DirectoryResponse};
use super::partners::{PartnerRequest, PartnerResponse};
use crate::reload::Reloaded;
use gatepost_policy_set::Swap;

/// Request of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// Lists messages of the queue.
    QueueList(Listing),
    /// Shows one message of the queue.
    QueueShow {
        /// Id of the message.
        id: TransactionId,
    },
    /// Changes recipients in the queue.
    QueueChange {
        /// Action on the recipients.
        action: Action,
        /// Recipients that are changed.
        choice: Choice,
    },
    /// Lists messages in quarantine.
    QuarantineList(Listing),
    /// Shows one message in quarantine.
    QuarantineShow {
        /// Id of the message.
        id: TransactionId,
    },
    /// Releases a message from quarantine into the queue.
    QuarantineRelease {
        /// Id of the message.
        id: TransactionId,
    },
    /// Drops a message in quarantine.
    QuarantineDelete {
        /// Id of the message.
        id: TransactionId,
    },
    /// Lists the policies and their versions.
    PolicyList,
    /// Activates a module.
    PolicyActivate {
        /// Name of the policy.
        policy: String,
        /// Module, in base64 in JSON.
        #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
        module: Vec<u8>,
    },
    /// Activates the previous version again.
    PolicyRollback {
        /// Name of the policy.
        policy: String,
    },
    /// Reads the configuration again and activates it.
    Reload {
        /// True if the changes are only reported.
        dry_run: bool,
    },
    /// Executes a request to the directory.
    Directory(Box<DirectoryRequest>),
    /// Lists the known machines.
    MachineList {
        /// Account by its id or native domain; all accounts if absent.
        #[serde(default)]
        account: Option<String>,
    },
    /// Forgets that an address is a machine's.
    MachineForget {
        /// Account by its id or native domain.
        account: String,
        /// Address to forget.
        address: String,
    },
    /// Executes a request about partners.
    Partners(Box<PartnerRequest>),
    /// Fetches a feed of partner addresses now.
    FeedFetch {
        /// Account by its id or native domain.
        account: String,
        /// URL of the feed.
        url: String,
    },
    /// Counts the outcomes of header fields in messages from a domain.
    HeadersOf {
        /// Domain of the messages.
        domain: Domain,
    },
    /// Shows the events of a transaction.
    Trace {
        /// Id of the transaction.
        id: TransactionId,
    },
}

/// Action on recipients in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Attempts delivery at once.
    Retry,
    /// Ends delivery without an attempt and without a bounce.
    Cancel,
    /// Stops attempts until released.
    Hold,
    /// Releases held recipients.
    Release,
}

/// Selection of recipients. Absent criteria do not restrict it; an empty selection is all
/// recipients.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Choice {
    /// Ids of messages.
    pub ids: Vec<TransactionId>,
    /// Account of the message.
    pub account: Option<String>,
    /// Address of a recipient, or a domain of recipients.
    pub recipient: Option<String>,
}

/// Selection of messages, a page at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// Account of the message.
    #[serde(default)]
    pub account: Option<String>,
    /// Address or domain of a recipient.
    #[serde(default)]
    pub recipient: Option<String>,
    /// Status of at least one recipient.
    #[serde(default)]
    pub status: Option<Status>,
    /// Last message of the page before.
    #[serde(default)]
    pub after: Option<TransactionId>,
    /// Maximum number of messages.
    pub limit: usize,
}

/// Response to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// Page of messages, in order of arrival.
    Messages(Vec<Summary>),
    /// Details of a message.
    Message(Box<Shown>),
    /// Number of recipients that were changed.
    Changed(Changed),
    /// The request was executed.
    Done,
    /// There is no such item.
    Unknown,
    /// Policies with their versions.
    Policies(Vec<PolicyStatus>),
    /// The policy was swapped, until the relay restarts or reloads its configuration.
    Swapped(Swap),
    /// Response to a request about partners.
    Partners(PartnerResponse),
    /// Outcome of a reload.
    Reloaded(Reloaded),
    /// Outcomes of header fields, by account and field.
    Headers(Vec<Counted>),
    /// Events of a transaction, in order.
    Events(Vec<Event>),
    /// Known machines, by account and address.
    Machines(Vec<KnownMachine>),
    /// Response to a request to the directory.
    Directory(DirectoryResponse),
    /// The request was not executed: the relay starts, and is at this step.
    Starting(String),
    /// The request was not executed, for this reason.
    Failed(String),
}

/// Details of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Shown {
    /// Summary, as in a list.
    #[serde(flatten)]
    pub summary: Summary,
    /// Session and envelope.
    pub transaction: Transaction,
    /// Class of the message, if a policy determined it.
    pub classification: Option<Classification>,
    /// Judgements of all policies.
    pub judgements: Vec<Judgement>,
    /// True if the client announced SMTPUTF8 (RFC 6531).
    #[serde(default)]
    pub smtputf8: bool,
    /// Delivery status notifications that the sender asked for.
    #[serde(default)]
    pub dsn: MessageRequest,
    /// Header section; bytes that are not UTF-8 are replaced.
    pub header: String,
}

/// Policy with its active version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyStatus {
    /// Name of the policy.
    pub policy: String,
    /// Digest of the active version.
    pub digest: String,
    /// Digest of the previous version, to which a rollback returns.
    pub previous: Option<String>,
    /// Hooks that it exports.
    pub hooks: Vec<String>,
    /// Treatment of a message when it fails.
    pub on_error: OnError,
    /// False if the circuit breaker is open, because it kept failing.
    pub called: bool,
    /// Number of accounts for which it is not called, while it is called for others.
    #[serde(default)]
    pub accounts_not_called: usize,
    /// Time when the version was loaded.
    pub loaded_at: Millis,
    /// Reason why the module in the watched folder is not active, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

fn to_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}
