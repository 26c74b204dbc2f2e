//! Starting and stopping.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gatepost_message::Millis;
use gatepost_spool::{Owner, Spool};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::connect::Connector;
use crate::convert::Converter;
use crate::pool::Pool;
use crate::retry::Schedule;
use crate::settings::Settings;
use crate::tls::{StartError, Tls};
use crate::{Observer, Router, scheduler};

/// Delivery at work: what all its tasks share.
pub struct Delivery {
    pub(crate) spool: Arc<dyn Spool>,
    pub(crate) router: Arc<dyn Router>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) settings: Settings,
    pub(crate) owner: Owner,
    pub(crate) schedule: Schedule,
    pub(crate) connector: Connector,
    pub(crate) converter: Converter,
    pub(crate) pool: Pool,
}

impl Delivery {
    /// Starts to deliver what is and what will be in the spool, claiming it as `owner`. Needs a
    /// tokio runtime with I/O and time.
    ///
    /// # Errors
    /// If the settings name certificates that cannot be read.
    pub fn start(
        spool: Arc<dyn Spool>,
        router: Arc<dyn Router>,
        observer: Arc<dyn Observer>,
        owner: Owner,
        settings: Settings,
    ) -> Result<Handle, StartError> {
        let pool = Pool::new(settings.connections_per_next_hop, settings.reuse);
        let delivery = Arc::new(Self::new(spool, router, observer, owner, settings, pool)?);
        let (current, in_use) = watch::channel(delivery);
        let (stop, stopped) = oneshot::channel();
        Ok(Handle {
            current,
            stop,
            scheduler: tokio::spawn(scheduler::run(in_use, stopped)),
        })
    }

    fn new(
        spool: Arc<dyn Spool>,
        router: Arc<dyn Router>,
        observer: Arc<dyn Observer>,
        owner: Owner,
        settings: Settings,
        pool: Pool,
    ) -> Result<Self, StartError> {
        let tls = Tls::new(&settings.trusted)?;
        Ok(Self {
            connector: Connector::new(&settings, tls),
            converter: Converter::new(),
            pool,
            schedule: Schedule::new(settings.retry.clone()),
            spool,
            router,
            observer,
            owner,
            settings,
        })
    }

    /// Whether delivery could start with these settings.
    ///
    /// # Errors
    /// As [`Delivery::start`].
    pub fn check(settings: &Settings) -> Result<(), StartError> {
        Tls::new(&settings.trusted).map(drop)
    }

    /// The time.
    pub(crate) fn now(&self) -> Millis {
        (self.settings.clock)()
    }
}

/// Holds delivery running. Dropped, delivery stops as in a crash: what was claimed is due again
/// when its lease ends or the relay restarts.
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

/// Settings that have been checked and wait to be put in use.
pub struct Prepared(Arc<Delivery>);

impl Handle {
    /// Readies other settings.
    ///
    /// # Errors
    /// As [`Delivery::start`]; nothing has changed then.
    pub fn prepare(&self, settings: Settings) -> Result<Prepared, StartError> {
        let current = Arc::clone(&self.current.borrow());
        let pool = (current.pool).successor(settings.connections_per_next_hop, settings.reuse);
        Delivery::new(
            Arc::clone(&current.spool),
            Arc::clone(&current.router),
            Arc::clone(&current.observer),
            current.owner,
            settings,
            pool,
        )
        .map(|delivery| Prepared(Arc::new(delivery)))
    }

    /// Puts other settings in use for all attempts that begin from now on. Attempts in hand end
    /// with those that they began with, on connections of their own, which count among those that
    /// there may be.
    pub fn put_in_use(&self, Prepared(delivery): Prepared) {
        delivery.pool.put_in_use();
        self.current.send_replace(delivery);
    }

    /// Claims nothing more, gives the attempts in hand that long to end, and hands back the rest:
    /// due at once, no attempt counted. What was cut off between the end of its data and the
    /// reply may be delivered twice, as RFC 5321 section 6.1 has it; nothing is lost.
    pub async fn drain(self, within: Duration) -> Drained {
        // Nobody there to hear it: the scheduler has ended, and its result says how.
        let _ = self.stop.send(Instant::now() + within);
        self.scheduler.await.unwrap_or_default()
    }
}

/// How the drain went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Attempts that ended within the time.
    pub finished: usize,
    /// Recipients handed back.
    pub returned: usize,
}
