//! The way of a message from MAIL to the "250".
//!
//! The steps of one transaction:
//!
//! 1. A [`TransactionDriver`] answers the questions of the SMTP session. MAIL begins a transaction:
//!    it gets its id, and the [configuration](crate::active_config) and the policy versions that it
//!    keeps to its end. If a version is newer than the one that judged the connection, the connect
//!    hooks are asked again.
//! 2. `admission` decides who may send to whom: the host's own rules first (this relay is not
//!    open), then the policies' connect, sender and recipient hooks. A submission passes the
//!    [caps](gatepost_volume) on its account, domain and credential before them.
//! 3. The octets of DATA are stored as they arrive: in memory up to a bound, else in a file of the
//!    spool.
//! 4. At the end of data [`judge`] gathers the [authentication
//!    facts](crate::message_authentication) if a policy wants them, removes [fields in the relay's
//!    name](crate::edits::verdict_fields), asks the message hooks, applies the [rules of the
//!    host](crate::edits::host_rules), which no policy can soften, and puts the [trace
//!    field](crate::edits::received) on top, below it the fields that a
//!    [submission](crate::edits::submission) lacks.
//! 5. Then the decision is carried out: message and effects are on disk before the client is told.
//!
//! Steps 2 and 4 are an [`evaluation`], which changes nothing outside: a [dry run](crate::dry_run)
//! walks a transaction through the same.
//!
//! All of it is in the trace, refused transactions too, under the id that the client was told.
//!
//! Metrics: `gatepost_transactions_total{listener,verdict}`, verdict being `accept`, `reject`,
//! `tempfail`, `quarantine`, `discard`, `record` or `aborted`;
//! `gatepost_authentication_failures_total`;
//! `gatepost_authentication_limited_total`, of attempts that were refused unchecked after too many
//! failures; `gatepost_message_octets_total{listener}`, of the messages that were answered;
//! `gatepost_spool_full_total`, of refusals for want of disk space;
//! `gatepost_suppressed_recipients_total`, of recipients refused because they are on a suppression
//! list.

mod admission;
pub mod answered;
mod arrival_way;
mod by_target;
mod commit;
pub mod connection;
mod described;
pub mod evaluation;
mod incoming_data;
pub mod judge;
mod probe;
mod replied;
pub mod suppressed;
mod told;
mod transaction_driver;
pub mod volume;

use std::sync::Arc;

use gatepost_authentication::Sasl;
use gatepost_delivery::Notifications;
use gatepost_directory::{Directory, View};
use gatepost_message::TransactionId;
use gatepost_model::{Flow, Judgement, Session};
use gatepost_policy::{Chain, Memory, Pinned};
use gatepost_probes::Probes;
use gatepost_record::PolicyRecord;
use gatepost_smtp::Reply;
use gatepost_spool::{
    BodyStore, EventLog, KeyedAnswers, LearntIds, Queue, SpoolError, Suppressions,
};
use gatepost_trace::{Event, Kind, Trace};
use gatepost_volume::VolumeGate;
use tokio::sync::Semaphore;

pub(crate) use self::commit::DeliveryTimes;
pub use self::transaction_driver::TransactionDriver;
use crate::authenticator::Authenticator;
use crate::http_submission::KeysInHand;
use crate::incidents::Incidents;
use crate::look_ups::AccountView;
use crate::message_authentication::MessageAuthentication;
use crate::ownership::Ownership;
use gatepost_config::Config;
use gatepost_observability::Spans;

/// Settings and stores that the sessions of one listener share for their messages.
#[derive(Clone)]
pub struct Pipeline {
    /// Whole configuration: accounts, users, times.
    pub config: Arc<Config>,
    /// AccountView, addresses and credentials of the directory.
    pub directory: Arc<Directory>,
    /// Users, and the check of their secrets.
    pub authenticator: Arc<Authenticator>,
    /// Name of the listener.
    pub listener: String,
    /// Direction of its mail.
    pub flow: Flow,
    /// The listener's policies.
    pub chain: Chain,
    /// Counts and marks that policies look up.
    pub memory: Arc<dyn Memory>,
    /// Gate by the caps on submissions.
    pub volume: Arc<VolumeGate>,
    /// Queue of accepted messages.
    pub queue: Arc<dyn Queue>,
    /// Incidents that were told lately, shared by all listeners.
    pub incidents: Arc<Incidents>,
    /// Events of what becomes of mail.
    pub events: Arc<dyn EventLog>,
    /// Addresses to which accounts send nothing any more.
    pub suppressions: Arc<dyn Suppressions>,
    /// Message-IDs that services gave messages of ours.
    pub learnt: Arc<dyn LearntIds>,
    /// Answers to programs under their keys.
    pub answers: Arc<dyn KeyedAnswers>,
    /// Keys of the programs' requests that are under way, shared by all listeners.
    pub keys_in_hand: Arc<KeysInHand>,
    /// Store of large bodies.
    pub bodies: Arc<dyn BodyStore>,
    /// Record of all transactions.
    pub trace: Arc<Trace>,
    /// Record of what policies are asked.
    pub policy_record: Option<Arc<PolicyRecord>>,
    /// Exporter of spans, with the duration of each step.
    pub spans: Spans,
    /// Permits to write a large message to disk, shared by all listeners.
    pub writers: Arc<Semaphore>,
    /// Gatherer of authentication facts.
    pub authentication: MessageAuthentication,
    /// Templates of notifications to senders.
    pub notifications: Arc<Notifications>,
    /// Probes that are on their way.
    pub probes: Arc<Probes>,
}

impl Pipeline {
    /// Returns the permits for writers of large messages, to be shared by all listeners.
    pub fn writers() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(incoming_data::WRITERS))
    }

    /// Fixes the policy versions and look-ups of one transaction.
    fn policies(&self) -> Pinned {
        self.chain
            .begin(self.accounts().policy_context(Arc::clone(&self.memory)))
            .within(self.config.limits.sizes())
    }

    fn accounts(&self) -> AccountView {
        AccountView {
            config: Arc::clone(&self.config),
            directory: self.directory.view(),
        }
    }

    /// Returns the authenticated user of a session, for the record.
    fn sasl(&self, session: &Session) -> Option<Sasl> {
        session
            .user
            .as_deref()
            .map(|user| self.accounts().sasl(user))
    }

    /// Returns the ownership by the configuration and this view of the directory.
    fn ownership<'a>(&'a self, directory: &'a View) -> Ownership<'a> {
        Ownership {
            config: &self.config,
            directory,
        }
    }

    fn record(&self, id: TransactionId, kind: Kind) {
        self.trace.record(Event::now(id, kind));
    }

    fn record_all(&self, id: TransactionId, judgements: &[Judgement]) {
        for judgement in judgements {
            let judgement = Box::new(judgement.clone());
            self.record(id, Kind::Judged { judgement });
        }
    }

    fn count(&self, verdict: &'static str) {
        let listener = self.listener.clone();
        metrics::counter!("gatepost_transactions_total", "listener" => listener, "verdict" => verdict)
            .increment(1);
    }
}

/// Appends the transaction's id to a reply, so that a sender can ask the postmaster about it.
fn with_id(reply: Reply, id: TransactionId) -> Reply {
    reply.labelled(id)
}

/// Returns the reply for a message that the spool does not take.
pub(crate) fn spool_refusal(error: &SpoolError) -> Reply {
    match error {
        SpoolError::Full { .. } => no_room(error),
        _ => {
            tracing::error!(%error, "the spool failed");
            local_error()
        }
    }
}

/// Returns the reply for a nearly full disk.
fn no_room(error: &dyn std::error::Error) -> Reply {
    metrics::counter!("gatepost_spool_full_total").increment(1);
    tracing::warn!(%error, "no room for mail");
    Reply::new(452, "4.3.1", "Insufficient system storage, try again later")
}

/// Returns the reply for a failure of ours.
pub(crate) fn local_error() -> Reply {
    Reply::new(451, "4.3.0", "Local error, try again later")
}
