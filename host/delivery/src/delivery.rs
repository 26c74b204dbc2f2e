//! Start and stop of delivery.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gatepost_message::Millis;
use gatepost_model::DestinationKey;
use gatepost_smtp::Reply;
use gatepost_spool::{Owner, Queue};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::connect::Connector;
use crate::convert::Converter;
use crate::lane::LaneLimits;
use crate::lanes::Lanes;
use crate::pool::Pool;
use crate::retry::Schedule;
use crate::settings::Settings;
use crate::tls::StartError;
use crate::{Observer, OpeningTerms, Router, Signing, Target, Ways, scheduler};

/// Parts of the relay that delivery asks and tells.
pub struct Callers {
    /// Chooses routes.
    pub router: Arc<dyn Router>,
    /// Knows what routes come to.
    pub ways: Arc<dyn Ways>,
    /// Knows the keys that sign.
    pub signing: Arc<dyn Signing>,
    /// Is told of outcomes and notices.
    pub observer: Arc<dyn Observer>,
}

/// State that all tasks of delivery share.
pub struct Delivery {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) router: Arc<dyn Router>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) settings: Settings,
    pub(crate) owner: Owner,
    pub(crate) schedule: Schedule,
    pub(crate) connector: Connector,
    pub(crate) converter: Converter,
    pub(crate) pool: Pool,
    pub(crate) ways: Arc<dyn Ways>,
    pub(crate) signing: Arc<dyn Signing>,
    pub(crate) lanes: Arc<Lanes>,
}

impl Delivery {
    /// Starts to deliver the messages that are and will be in the queue, and claims them as
    /// `owner`. Needs a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// If the settings name certificates that cannot be read.
    pub fn start(
        queue: Arc<dyn Queue>,
        callers: Callers,
        owner: Owner,
        settings: Settings,
    ) -> Result<Handle, StartError> {
        let pool = Pool::new(settings.reuse);
        let lanes = Arc::default();
        let delivery = Arc::new(Self::new(queue, callers, owner, settings, (pool, lanes))?);
        let (current, in_use) = watch::channel(delivery);
        let (stop, stopped) = oneshot::channel();
        Ok(Handle {
            current,
            stop,
            scheduler: tokio::spawn(scheduler::run(in_use, stopped)),
        })
    }

    fn new(
        queue: Arc<dyn Queue>,
        callers: Callers,
        owner: Owner,
        settings: Settings,
        (pool, lanes): (Pool, Arc<Lanes>),
    ) -> Result<Self, StartError> {
        let Callers {
            router,
            ways,
            signing,
            observer,
        } = callers;
        Ok(Self {
            connector: Connector::new(&settings)?,
            converter: Converter::new(),
            pool,
            lanes,
            ways,
            signing,
            schedule: Schedule::new(settings.retry.clone()),
            queue,
            router,
            observer,
            owner,
            settings,
        })
    }

    /// Checks that delivery could start with these settings.
    ///
    /// # Errors
    /// As [`Delivery::start`].
    pub fn check(settings: &Settings) -> Result<(), StartError> {
        Connector::new(settings).map(drop)
    }

    /// Returns the limits of the lane to that target. The queue may hand out more than there are
    /// connections, so that none waits while results go to the disk.
    pub(crate) fn limits(&self, target: &Target) -> LaneLimits {
        let usual = self.settings.connections_per_next_hop;
        let (in_hand, is_set, a_minute) = match target {
            Target::Server(server) => {
                let own = server.limits.connections;
                let connections = own.unwrap_or(usual).max(1);
                let a_minute = server.limits.messages_a_minute;
                (connections * 2, own.is_some(), a_minute)
            }
            // Each message has a request of its own.
            Target::Application(_) => (usual.max(1), false, None),
        };
        LaneLimits {
            is_set,
            in_hand: u32::try_from(in_hand).unwrap_or(u32::MAX),
            a_minute,
        }
    }

    /// Returns the time of the configured clock.
    pub(crate) fn now(&self) -> Millis {
        (self.settings.clock)()
    }
}

/// Handle of running delivery. If it is dropped, delivery stops as in a crash: claimed messages are
/// due again when their lease ends or the relay restarts.
#[must_use = "delivery stops when its handle is dropped"]
pub struct Handle {
    current: watch::Sender<Arc<Delivery>>,
    stop: oneshot::Sender<Instant>,
    scheduler: JoinHandle<Drained>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

/// Settings that have been checked and can be activated.
pub struct Prepared(Arc<Delivery>);

impl Handle {
    /// Prepares other settings.
    ///
    /// # Errors
    /// As [`Delivery::start`]; nothing has changed then.
    pub fn prepare(&self, settings: Settings) -> Result<Prepared, StartError> {
        let current = Arc::clone(&self.current.borrow());
        let pool = current.pool.successor(settings.reuse);
        Delivery::new(
            Arc::clone(&current.queue),
            Callers {
                router: Arc::clone(&current.router),
                ways: Arc::clone(&current.ways),
                signing: Arc::clone(&current.signing),
                observer: Arc::clone(&current.observer),
            },
            current.owner,
            settings,
            (pool, Arc::clone(&current.lanes)),
        )
        .map(|delivery| Prepared(Arc::new(delivery)))
    }

    /// Activates other settings for all attempts that begin from now on. Running attempts end with
    /// the settings that they began with, on connections of their own, which count towards the
    /// limit.
    pub fn activate(&self, Prepared(delivery): Prepared) {
        delivery.pool.activate();
        self.current.send_replace(delivery);
    }

    /// Returns a function that opens a closed destination for one probe at once. What waits there
    /// has to be due, too.
    pub fn reopener(&self) -> impl Fn(&DestinationKey) + Send + Sync + use<> {
        let current = Arc::clone(&self.current.borrow());
        let (queue, lanes) = (Arc::clone(&current.queue), Arc::clone(&current.lanes));
        move |destination| lanes.reopen(&*queue, destination)
    }

    /// Returns a function that tells the reply that closed a destination, with its time.
    pub fn closing_replies(
        &self,
    ) -> impl Fn(&DestinationKey) -> Option<(Millis, Reply)> + Send + Sync + use<> {
        let lanes = Arc::clone(&self.current.borrow().lanes);
        move |destination| lanes.reason(destination)
    }

    /// Returns a function that tells the terms of a session under the active settings.
    pub fn terms(&self) -> impl Fn() -> OpeningTerms + Send + Sync + use<> {
        let current = self.current.subscribe();
        move || current.borrow().connector.terms().clone()
    }

    /// Claims nothing more, lets running attempts end within the time, and returns the other
    /// recipients to the queue: due at once, no attempt counted. A message that was cut off between
    /// the end of its data and the reply may be delivered twice (RFC 5321 section 6.1); nothing is
    /// lost.
    pub async fn drain(self, within: Duration) -> Drained {
        // If nobody receives it, the scheduler has ended, and its result is returned.
        let _ = self.stop.send(Instant::now() + within);
        self.scheduler.await.unwrap_or_default()
    }
}

/// Result of a drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Number of attempts that ended within the time.
    pub finished: usize,
    /// Number of recipients returned to the queue.
    pub returned: usize,
}
