//! Connections by next hop: a limit on their number, and a pool of idle ones.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use gatepost_model::NextHop;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::connection::{Connection, quit_in_background};
use crate::settings::Reuse;

/// Connections under one set of settings. The limit on their number is shared with the pools of
/// earlier settings.
pub(crate) struct Pool {
    shared: Arc<Mutex<SharedLimit>>,
    /// Number of these settings.
    generation: u64,
    per_hop: usize,
    reuse: Reuse,
}

/// State that outlives a change of the settings.
struct SharedLimit {
    /// Next hops that have connections, or had some a moment ago.
    hops: HashMap<NextHop, Arc<HopConnections>>,
    /// Number of the active settings.
    generation: u64,
    per_hop: usize,
}

struct HopConnections {
    permits: Arc<Semaphore>,
    /// Permits in use beyond a limit that was lowered; they are dropped when they are released.
    surplus: Mutex<usize>,
    /// IdleConnection connections, the last used one at the end: it is the most likely to be alive.
    idle: Mutex<Vec<IdleConnection>>,
}

struct IdleConnection {
    connection: Connection,
    since: Instant,
}

/// The right to one connection to a next hop. No connection is opened while there is an idle one,
/// so there are never more connections than permits.
pub(crate) struct ConnectionPermit {
    hop: Arc<HopConnections>,
    shared: Arc<Mutex<SharedLimit>>,
    generation: u64,
    per_hop: usize,
    reuse: Reuse,
    permit: Option<OwnedSemaphorePermit>,
}

impl Pool {
    pub(crate) fn new(per_hop: usize, reuse: Reuse) -> Self {
        let (generation, per_hop) = (0, per_hop.max(1));
        Self {
            shared: Arc::new(Mutex::new(SharedLimit {
                hops: HashMap::new(),
                generation,
                per_hop,
            })),
            generation,
            per_hop,
            reuse,
        }
    }

    /// Makes a pool for other settings, before they are [activated](Self::activate).
    pub(crate) fn successor(&self, per_hop: usize, reuse: Reuse) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            generation: self.generation + 1,
            per_hop: per_hop.max(1),
            reuse,
        }
    }

    /// Applies the limit of these settings, and ends the idle connections of the earlier ones.
    pub(crate) fn activate(&self) {
        let mut shared = self.shared.lock();
        for hop in shared.hops.values() {
            hop.resize(shared.per_hop, self.per_hop);
            hop.idle
                .lock()
                .drain(..)
                .for_each(|idle| quit_in_background(idle.connection));
        }
        (shared.generation, shared.per_hop) = (self.generation, self.per_hop);
    }

    /// Waits for a permit at this next hop; `None` if there is none within that time.
    pub(crate) async fn acquire(
        &self,
        hop: &NextHop,
        patience: Duration,
    ) -> Option<ConnectionPermit> {
        let hop = {
            let mut shared = self.shared.lock();
            let per_hop = shared.per_hop;
            let hop = shared.hops.entry(hop.clone());
            Arc::clone(hop.or_insert_with(|| {
                Arc::new(HopConnections {
                    permits: Arc::new(Semaphore::new(per_hop)),
                    surplus: Mutex::default(),
                    idle: Mutex::default(),
                })
            }))
        };
        let permit = timeout(patience, Arc::clone(&hop.permits).acquire_owned()).await;
        // The semaphore is never closed, so the inner error does not happen.
        permit.ok()?.ok().map(|permit| ConnectionPermit {
            hop,
            shared: Arc::clone(&self.shared),
            generation: self.generation,
            per_hop: self.per_hop,
            reuse: self.reuse,
            permit: Some(permit),
        })
    }

    /// Ends the connections that have been idle for too long.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        self.shared.lock().hops.retain(|_, hop| {
            let mut idle = hop.idle.lock();
            idle.extract_if(.., |idle| now.duration_since(idle.since) >= self.reuse.idle)
                .for_each(|idle| quit_in_background(idle.connection));
            // A permit in use or waited for holds the hop, too.
            !idle.is_empty() || Arc::strong_count(hop) > 1
        });
    }

    /// Ends all idle connections and waits for their QUIT.
    pub(crate) async fn close(&self) {
        let hops = std::mem::take(&mut self.shared.lock().hops);
        let mut quitting = tokio::task::JoinSet::new();
        for hop in hops.into_values() {
            for idle in std::mem::take(&mut *hop.idle.lock()) {
                quitting.spawn(idle.connection.quit());
            }
        }
        quitting.join_all().await;
    }
}

impl HopConnections {
    fn resize(&self, from: usize, to: usize) {
        let mut surplus = self.surplus.lock();
        if let Some(fewer) = from.checked_sub(to) {
            *surplus += fewer - self.permits.forget_permits(fewer);
        } else {
            let kept = (*surplus).min(to - from);
            *surplus -= kept;
            self.permits.add_permits(to - from - kept);
        }
    }
}

impl ConnectionPermit {
    /// Returns true if other permits for this next hop are in use.
    pub(crate) fn has_other_permits(&self) -> bool {
        self.hop.permits.available_permits() + 1 < self.per_hop
    }

    /// Takes an idle connection, if there is one.
    pub(crate) fn take_idle(&self) -> Option<Connection> {
        self.hop.idle.lock().pop().map(|idle| idle.connection)
    }

    /// Discards all idle connections: one was dead, and the others are no better.
    pub(crate) fn discard_idle(&self) {
        self.hop.idle.lock().clear();
    }

    /// Returns true if the connection may carry one more transaction, by the settings and by the
    /// limit that the next hop has announced (RFC 9422).
    pub(crate) fn may_reuse(&self, connection: &Connection) -> bool {
        let limit = connection.session.capabilities().limits.transactions;
        let most = limit.map_or(u32::MAX, NonZero::get);
        connection.transactions < self.reuse.transactions.min(most)
    }

    /// Releases the permit and keeps the connection for reuse, unless other settings were
    /// activated.
    pub(crate) fn keep(self, connection: Connection) {
        let shared = self.shared.lock();
        if shared.generation != self.generation {
            return quit_in_background(connection);
        }
        self.hop.idle.lock().push(IdleConnection {
            connection,
            since: Instant::now(),
        });
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut surplus = self.hop.surplus.lock();
        if let (1.., Some(permit)) = (*surplus, self.permit.take()) {
            *surplus -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use gatepost_model::{Protocol, TlsMode};

    use super::*;

    #[tokio::test]
    async fn the_active_settings_limit_the_permits() {
        let hop = NextHop {
            host: "b.example".to_owned(),
            port: 25,
            tls: TlsMode::None,
            protocol: Protocol::Smtp,
        };
        let first = Pool::new(2, Reuse::default());
        let take = async |pool: &Pool| pool.acquire(&hop, Duration::ZERO).await;
        let (one, two) = (take(&first).await, take(&first).await);
        assert!(one.is_some() && two.is_some() && take(&first).await.is_none());

        let fewer = first.successor(1, Reuse::default());
        drop(one);
        let one = take(&first).await;
        assert!(one.is_some(), "not in use yet");
        fewer.activate();
        drop(one);
        assert!(take(&fewer).await.is_none(), "one is taken still");
        drop(two);
        let one = take(&fewer).await;
        assert!(one.is_some() && take(&fewer).await.is_none());

        let more = fewer.successor(3, Reuse::default());
        more.activate();
        let others = (take(&more).await, take(&more).await);
        assert!(others.0.is_some() && others.1.is_some() && take(&more).await.is_none());

        // As many again before the surplus is used up.
        let fewer = more.successor(1, Reuse::default());
        fewer.activate();
        fewer.successor(3, Reuse::default()).activate();
        drop((one, others));
        let again = (take(&more).await, take(&more).await, take(&more).await);
        assert!(again.0.is_some() && again.1.is_some() && again.2.is_some());
        assert!(take(&more).await.is_none());
    }
}
