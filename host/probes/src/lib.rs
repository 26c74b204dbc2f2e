//! Probes of a running relay: verification mails that are sent, come back, and say whether the mail
//! of a support address goes its way.
//!
//! What a probe is, and what its fate says, is in [`gatepost_verification`], which does no I/O. This
//! crate has the rest:
//!
//! 1. [`Probes::send`] writes the probe into the directory, sets the directions that it proves to
//!    pending, and queues its message as mail of the relay's own ([`is_probe`]). By its
//!    reverse-path the relay knows which way it leaves: a native one leaves by the default route,
//!    any other through the connection that serves it.
//! 2. Delivery tells the result of each attempt ([`Probes::attempted`]).
//! 3. Intake asks for each incoming message whether it has the token of a probe that is on its way
//!    ([`Probes::recognise`]). Such a message goes to nobody.
//!    Of one that was forwarded as it should, the relay learns by what its forwarder is known.
//! 4. [`Probes::expire`] ends what has not come back in time.
//!
//! Whatever ends a probe takes it out of the directory in the commit that records the finding
//! ([`next_state`]), so that it proves something once. The account hears of a failure by a notice.
//!
//! Metrics: `gatepost_probes_total{kind,result}`, result being `passed`, or the code of a reason.

#![forbid(unsafe_code)]

mod arrival;
mod attempt;
mod direction;
mod forwarder;
mod live;
mod record;
mod send;
mod settle;
mod silence;
mod state;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gatepost_connections::{ConnectionStates, Connections, Profile, Profiles};
use gatepost_directory::{Directory, DirectoryError, Probe, View};
use gatepost_message::{Address, Millis, TransactionId};
use gatepost_model::{Destination, Flow, Transaction};
use gatepost_spool::{EventLog, Queue, QueueAdmin};
use gatepost_verification::ProbeTokens;
use tokio::sync::{Notify, watch};

pub use self::arrival::{ArrivedBy, ProbeOrigin, Recognised, mailbox};
pub use self::direction::{ProbedDirection, directions, kinds_for};
pub use self::send::{ProbeError, ProbeOrder};
pub use self::settle::ProbeFinding;
pub use self::silence::Due;
pub use self::state::next_state;

/// Name that stands in the place of a listener in the transaction of a probe.
pub const LISTENER: &str = "verification";

/// Stores that probes are kept in, and what their way is known by.
pub struct Stores {
    /// Directory, which has the probes.
    pub directory: Arc<Directory>,
    /// Queue that takes their messages.
    pub queue: Arc<dyn Queue>,
    /// The same queue, for what ends before it is delivered.
    pub admin: Arc<dyn QueueAdmin>,
    /// Events, for notices to accounts.
    pub events: Arc<dyn EventLog>,
    /// Connections, whose profiles say what a reply means.
    pub connections: Arc<dyn Connections>,
    /// States of the connections.
    pub states: Arc<ConnectionStates>,
}

/// Settings of verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeSettings {
    /// Time for which a probe is waited for.
    pub wait: Duration,
    /// Interval at which an address is verified again; zero for never.
    pub every: Duration,
    /// Most probes on their way at which the schedule sends another one.
    pub at_once: usize,
}

/// Probes of a running relay.
pub struct Probes {
    stores: Stores,
    settings: ArcSwap<ProbeSettings>,
    generic: Arc<Profile>,
    /// Number that grows whenever the record of a probe changes or a probe ends.
    changes: watch::Sender<u64>,
    /// Wakes whoever sends what is due.
    looks: Notify,
}

impl Probes {
    /// Makes the probes of a relay with these stores.
    pub fn new(stores: Stores, settings: ProbeSettings) -> Self {
        Self {
            stores,
            settings: ArcSwap::from_pointee(settings),
            generic: Arc::clone(Profiles::default().get_or_generic(Profiles::GENERIC)),
            changes: watch::channel(0).0,
            looks: Notify::new(),
        }
    }

    /// Sets the settings that hold from now on.
    pub fn set_settings(&self, settings: ProbeSettings) {
        self.settings.store(Arc::new(settings));
    }

    /// Returns the settings.
    pub fn settings(&self) -> ProbeSettings {
        **self.settings.load()
    }

    /// Returns a receiver of the number that grows whenever a probe changes or ends.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Has the schedule looked at now: a connection was changed, and has to prove itself.
    pub fn look_now(&self) {
        self.looks.notify_one();
    }

    /// Waits until the schedule is to be looked at before its time.
    pub async fn looked_for(&self) {
        self.looks.notified().await;
    }

    /// Waits until the probes of these ids have ended, for this time at most.
    pub async fn ended(&self, ids: &[gatepost_directory::ProbeId], within: Duration) {
        let mut changes = self.changes();
        let all_ended = |_: &u64| {
            let view = self.stores.directory.view();
            ids.iter().all(|id| view.probe(id).is_none())
        };
        // Whoever asked looks again.
        let _ = tokio::time::timeout(within, changes.wait_for(all_ended)).await;
    }

    fn changed(&self) {
        self.changes.send_modify(|number| *number += 1);
    }

    /// Returns the profile of the service that a message leaves by.
    fn profile(&self, destination: Option<&Destination>) -> Arc<Profile> {
        let found = match destination {
            Some(Destination::Connection { account, name }) => {
                (self.stores.connections).find(account.as_deref(), name)
            }
            _ => None,
        };
        found.map_or_else(|| Arc::clone(&self.generic), |found| found.profile)
    }

    /// Does work on the directory that waits for the disk.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Directory) -> Result<T, DirectoryError> + Send + 'static,
    ) -> Result<T, DirectoryError> {
        let directory = Arc::clone(&self.stores.directory);
        let done = tokio::task::spawn_blocking(move || work(&directory)).await;
        self.changed();
        done.unwrap_or_else(|_| Err(DirectoryError::Thread(std::io::Error::other("it panicked"))))
    }
}

/// Returns the issuer and verifier of tokens by the keys of the directory.
fn tokens(view: &View) -> ProbeTokens {
    ProbeTokens::new(view.probe_keys().to_vec())
}

/// Returns the probe with this transaction.
fn of_transaction(view: &View, id: TransactionId) -> Option<&Probe> {
    let id = id.to_string();
    let mut probes = view.probes();
    probes.find(|probe| probe.transaction.as_deref() == Some(id.as_str()))
}

/// Returns the sender of a probe's message; `None` for any other message. A notice, which is the
/// relay's own as well, has the null reverse-path.
pub fn is_probe(transaction: &Transaction) -> Option<&Address> {
    let session = &transaction.session;
    let is_own = session.is_own() && session.flow == Flow::Internal;
    transaction.reverse_path.address().filter(|_| is_own)
}

/// Returns true if a probe is waited for at this time.
fn is_alive(probe: &Probe, now: Millis) -> bool {
    now < probe.expires
}
