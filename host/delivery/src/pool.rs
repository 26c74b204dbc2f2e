//! Connections by next hop: how many at once, and which lie idle.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_policy::NextHop;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::connection::{Connection, part};
use crate::settings::Reuse;

/// All next hops that somebody is being connected to, or was a moment ago.
pub(crate) struct Pool {
    hops: Mutex<HashMap<NextHop, Arc<Hop>>>,
    per_hop: usize,
    reuse: Reuse,
}

struct Hop {
    places: Arc<Semaphore>,
    /// The one last used at the end: it is the one most likely to be alive.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// The right to one connection to a next hop. While there is an idle one nobody opens another, so
/// there are never more connections than places.
pub(crate) struct Place {
    hop: Arc<Hop>,
    per_hop: usize,
    reuse: Reuse,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(crate) fn new(per_hop: usize, reuse: Reuse) -> Self {
        Self {
            hops: Mutex::default(),
            per_hop: per_hop.max(1),
            reuse,
        }
    }

    /// A place at this next hop, or `None` if none gets free in that time.
    pub(crate) async fn place(&self, hop: &NextHop, patience: Duration) -> Option<Place> {
        let hop = Arc::clone(lock(&self.hops).entry(hop.clone()).or_insert_with(|| {
            Arc::new(Hop {
                places: Arc::new(Semaphore::new(self.per_hop)),
                idle: Mutex::default(),
            })
        }));
        let permit = timeout(patience, Arc::clone(&hop.places).acquire_owned()).await;
        // The semaphore is never closed, so the inner error does not come up.
        permit.ok()?.ok().map(|permit| Place {
            hop,
            per_hop: self.per_hop,
            reuse: self.reuse,
            _permit: permit,
        })
    }

    /// Parts with the connections that have lain idle for too long.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        lock(&self.hops).retain(|_, hop| {
            let mut idle = lock(&hop.idle);
            idle.extract_if(.., |idle| now.duration_since(idle.since) >= self.reuse.idle)
                .for_each(|idle| part(idle.connection));
            // A place in use or waited for holds the hop, too.
            !idle.is_empty() || Arc::strong_count(hop) > 1
        });
    }

    /// Whether no connection lies idle and none is in use.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.hops).is_empty()
    }

    /// Parts with all idle connections and waits for their good-byes.
    pub(crate) async fn close(&self) {
        let hops = std::mem::take(&mut *lock(&self.hops));
        let mut parting = tokio::task::JoinSet::new();
        for hop in hops.into_values() {
            for idle in std::mem::take(&mut *lock(&hop.idle)) {
                parting.spawn(idle.connection.quit());
            }
        }
        parting.join_all().await;
    }
}

impl Place {
    /// Whether others have places at this next hop, too.
    pub(crate) fn has_company(&self) -> bool {
        self.hop.places.available_permits() + 1 < self.per_hop
    }

    /// A connection that was used before, if one is at hand.
    pub(crate) fn idle(&self) -> Option<Connection> {
        lock(&self.hop.idle).pop().map(|idle| idle.connection)
    }

    /// One idle connection has turned out dead: the others are no better.
    pub(crate) fn distrust_idle(&self) {
        lock(&self.hop.idle).clear();
    }

    /// Whether the connection may carry one more transaction, by the settings and by the limit
    /// that the next hop has named (RFC 9422).
    pub(crate) fn may_reuse(&self, connection: &Connection) -> bool {
        let limit = connection.session.capabilities().limits.transactions;
        let most = limit.map_or(u32::MAX, NonZero::get);
        connection.transactions < self.reuse.transactions.min(most)
    }

    /// Gives the place free and keeps the connection for the next.
    pub(crate) fn keep(self, connection: Connection) {
        lock(&self.hop.idle).push(Idle {
            connection,
            since: Instant::now(),
        });
    }
}

/// The locks are held for a moment and nothing in there panics half way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
