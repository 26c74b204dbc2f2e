//! Requests of operators, and their responses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_message::{Domain, Millis, TransactionId};
use gatepost_policy::OnError;
use gatepost_spool::KnownMachine;
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

/// Response to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
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
