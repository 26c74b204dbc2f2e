//! The requests and their responses.

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

/// What an operator asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// Messages of the queue.
    QueueList(Listing),
    /// One message of the queue.
    QueueShow {
        /// Which.
        id: TransactionId,
    },
    /// Something is to be done to recipients in the queue.
    QueueChange {
        /// What.
        action: Action,
        /// To which.
        choice: Choice,
    },
    /// Messages in quarantine.
    QuarantineList(Listing),
    /// One message in quarantine.
    QuarantineShow {
        /// Which.
        id: TransactionId,
    },
    /// A message is to leave quarantine for the queue.
    QuarantineRelease {
        /// Which.
        id: TransactionId,
    },
    /// A message in quarantine is to be dropped.
    QuarantineDelete {
        /// Which.
        id: TransactionId,
    },
    /// The policies and their versions.
    PolicyList,
    /// A module is to be put in use.
    PolicyActivate {
        /// Name of the policy.
        policy: String,
        /// The module; base64 in JSON.
        #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
        module: Vec<u8>,
    },
    /// The version before is to be put in use again.
    PolicyRollback {
        /// Name of the policy.
        policy: String,
    },
    /// The configuration is to be read again and put in use.
    Reload {
        /// What would change is to be said only.
        dry_run: bool,
    },
    /// Something of the directory.
    Directory(Box<DirectoryRequest>),
    /// The machines that are known.
    MachineList {
        /// To this account, by its id or native domain; to all where it is not given.
        #[serde(default)]
        account: Option<String>,
    },
    /// An address is to be known as a machine's no more.
    MachineForget {
        /// To which account, by its id or native domain.
        account: String,
        /// The address.
        address: String,
    },
    /// Something of partners.
    Partners(Box<PartnerRequest>),
    /// A feed of partners is to be fetched now.
    FeedFetch {
        /// Whose, by its id or native domain.
        account: String,
        /// Its URL.
        url: String,
    },
    /// What became of the headers of messages from a domain.
    HeadersOf {
        /// Which.
        domain: Domain,
    },
    /// What happened to a transaction.
    Trace {
        /// Which.
        id: TransactionId,
    },
}

/// What can be done to recipients in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Attempt at once.
    Retry,
    /// End without an attempt and without a bounce.
    Cancel,
    /// Attempt no more until released.
    Hold,
    /// Let held ones go on.
    Release,
}

/// Which recipients. What is absent does not restrict; nothing at all chooses everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Choice {
    /// Those of these messages.
    pub ids: Vec<TransactionId>,
    /// Those of messages of one account.
    pub account: Option<String>,
    /// One address, or all in one domain.
    pub recipient: Option<String>,
}

/// Which messages, a page at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// Those of an account.
    #[serde(default)]
    pub account: Option<String>,
    /// Those to an address or a domain.
    #[serde(default)]
    pub recipient: Option<String>,
    /// Those with a recipient in this state.
    #[serde(default)]
    pub status: Option<Status>,
    /// Those that came after this one.
    #[serde(default)]
    pub after: Option<TransactionId>,
    /// At most so many.
    pub limit: usize,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// A page of messages, in order of arrival.
    Messages(Vec<Summary>),
    /// One message.
    Message(Box<Shown>),
    /// So many recipients were changed.
    Changed(Changed),
    /// It is done.
    Done,
    /// There is no such message, or nothing is known of it.
    Unknown,
    /// Every policy.
    Policies(Vec<PolicyStatus>),
    /// A policy was swapped, until the relay starts again or is told to read its configuration.
    Swapped(Swap),
    /// What came of a request of partners.
    Partners(PartnerResponse),
    /// What became of a reload.
    Reloaded(Reloaded),
    /// What became of headers, by account and header.
    Headers(Vec<Counted>),
    /// What happened to a transaction, in order.
    Events(Vec<Event>),
    /// The machines that are known, by account and address.
    Machines(Vec<KnownMachine>),
    /// What came of a request to the directory.
    Directory(DirectoryResponse),
    /// It was not done: the relay starts, and this is what it is at.
    Starting(String),
    /// It was not done, and why.
    Failed(String),
}

/// All that is known of a message, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Shown {
    /// As in a list.
    #[serde(flatten)]
    pub summary: Summary,
    /// Session and envelope.
    pub transaction: Transaction,
    /// What kind of message it is, if a policy said so.
    pub classification: Option<Classification>,
    /// Every call of a policy that judged it.
    pub judgements: Vec<Judgement>,
    /// The client announced SMTPUTF8 (RFC 6531).
    #[serde(default)]
    pub smtputf8: bool,
    /// What the sender wants to hear of it.
    #[serde(default)]
    pub dsn: MessageRequest,
    /// Its header section; octets that are not UTF-8 are replaced.
    pub header: String,
}

/// One policy and its version in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyStatus {
    /// Its name.
    pub policy: String,
    /// Digest of the version in use.
    pub digest: String,
    /// Digest of the version before, to which a rollback goes.
    pub previous: Option<String>,
    /// The hooks that it has.
    pub hooks: Vec<String>,
    /// What becomes of a message when it fails.
    pub on_error: OnError,
    /// Whether it is called; if not, it kept failing.
    pub called: bool,
    /// For the mail of how many accounts it is not called, where it is for that of others.
    #[serde(default)]
    pub accounts_not_called: usize,
    /// When the version was loaded.
    pub loaded_at: Millis,
    /// Why the module that lies in the watched folder is not in use, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

fn to_base64<S: Serializer>(octets: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(octets))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}
