//! The way of a message from MAIL to the "250".
//!
//! The story of one transaction:
//!
//! 1. A [`Dialogue`] answers what the SMTP session asks. MAIL begins a transaction: it gets its
//!    id, and the [configuration](crate::live) and the versions of the policies that it keeps to
//!    its end. Where one of them is
//!    newer than what judged the connection, the connect hooks are asked again.
//! 2. [`admission`] says who may send to whom: the host's own rules first (this relay is open to
//!    nobody), then the policies' connect, sender and recipient hooks.
//! 3. The octets of DATA are taken in as they arrive: in memory while they are few, else in a
//!    file of the spool.
//! 4. At the end of data [`judge`] finds out [where the message came from](crate::origin), if a
//!    policy wants to know, takes out what [claims to be ours](crate::edits::verdict_fields), asks the
//!    message hooks, applies the [rules of the
//!    host](crate::edits::host_rules), which no policy can soften, and puts the [trace
//!    field](crate::edits::received) on top, below it what a [submission](crate::edits::submission) lacks. It changes nothing outside: `gatepost check` calls the same
//!    function.
//! 5. Then the decision is carried out: message, effects and whatever else goes with it are on
//!    disk before the client is told.
//!
//! All that happened is in the trace, refused transactions too, under the id that the client was
//! told.
//!
//! Metrics: `gatepost_transactions_total{listener,verdict}`, verdict being `accept`, `reject`,
//! `tempfail`, `quarantine`, `discard` or `aborted`; `gatepost_authentication_failures_total`;
//! `gatepost_authentication_limited_total`, of log-ins that were not looked at after too many;
//! `gatepost_message_octets_total{listener}`, of the messages that were answered;
//! `gatepost_spool_full_total`, of refusals for want of room.

pub mod admission;
mod commit;
mod dialogue;
mod findings;
mod intake;
pub mod judge;
mod memory;

use std::sync::Arc;

use gatepost_authentication::Sasl;
use gatepost_delivery::Notifications;
use gatepost_directory::{Directory, View};
use gatepost_message::TransactionId;
use gatepost_model::{Flow, Session};
use gatepost_policy::{Chain, Memory, Pinned};
use gatepost_smtp::Reply;
use gatepost_spool::{Spool, SpoolError};
use gatepost_trace::{Event, Kind, Trace};
use tokio::sync::Semaphore;

pub use self::dialogue::Dialogue;
pub use self::findings::{Findings, none_yet};
pub use self::memory::SpoolMemory;
use crate::log_ins::LogIns;
use crate::look_ups::Accounts;
use crate::origin::Origin;
use crate::ownership::Ownership;
use gatepost_config::Config;
use gatepost_observability::Spans;

/// What the sessions of one listener share on the way of their messages.
#[derive(Clone)]
pub struct Pipeline {
    /// The whole configuration: accounts, users, times.
    pub config: Arc<Config>,
    /// Whose addresses and credentials are whose.
    pub directory: Arc<Directory>,
    /// Who may log in.
    pub log_ins: Arc<LogIns>,
    /// Name of the listener.
    pub listener: String,
    /// Which way its mail travels.
    pub flow: Flow,
    /// The listener's policies.
    pub chain: Chain,
    /// What policies look counts and marks up in.
    pub memory: Arc<dyn Memory>,
    /// Where accepted messages go.
    pub spool: Arc<dyn Spool>,
    /// Where it is put on record what happened.
    pub trace: Arc<Trace>,
    /// Where it is told how long each step took.
    pub spans: Spans,
    /// Those who may write a large message to the disk at this moment, on all listeners together.
    pub writers: Arc<Semaphore>,
    /// Who finds out where messages came from.
    pub origin: Origin,
    /// What senders are told.
    pub notifications: Arc<Notifications>,
}

impl Pipeline {
    /// The places for writers of large messages, one set for all listeners.
    pub fn writers() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(intake::WRITERS))
    }

    /// Fixes what one transaction is judged by: the versions of its policies, and what they look
    /// things up in.
    fn policies(&self) -> Pinned {
        self.chain
            .begin(self.accounts().and(Arc::clone(&self.memory)))
            .within(self.config.limits.sizes())
    }

    fn accounts(&self) -> Accounts {
        Accounts {
            config: Arc::clone(&self.config),
            directory: self.directory.view(),
        }
    }

    /// Who has authenticated in a session, for the record.
    fn sasl(&self, session: &Session) -> Option<Sasl> {
        session
            .user
            .as_deref()
            .map(|user| self.accounts().sasl(user))
    }

    /// Whose is what, by the configuration and this view of the directory.
    fn ownership<'a>(&'a self, directory: &'a View) -> Ownership<'a> {
        Ownership {
            config: &self.config,
            directory,
        }
    }

    fn record(&self, id: TransactionId, kind: Kind) {
        self.trace.record(Event::now(id, kind));
    }

    fn count(&self, verdict: &'static str) {
        let listener = self.listener.clone();
        metrics::counter!("gatepost_transactions_total", "listener" => listener, "verdict" => verdict)
            .increment(1);
    }
}

/// A reply with the transaction's id at its end, by which a sender can ask the postmaster.
fn with_id(reply: Reply, id: TransactionId) -> Reply {
    reply.labelled(id)
}

/// What a client is told when the spool does not take its message.
fn spool_refusal(error: &SpoolError) -> Reply {
    match error {
        SpoolError::Full { .. } => no_room(error),
        _ => {
            tracing::error!(%error, "the spool failed");
            local_error()
        }
    }
}

/// What a client is told when the disk is nearly full.
fn no_room(error: &dyn std::error::Error) -> Reply {
    metrics::counter!("gatepost_spool_full_total").increment(1);
    tracing::warn!(%error, "no room for mail");
    Reply::new(452, "4.3.1", "Insufficient system storage, try again later")
}

/// What a client is told when something of ours has failed.
fn local_error() -> Reply {
    Reply::new(451, "4.3.0", "Local error, try again later")
}
