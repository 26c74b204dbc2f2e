//! Connections by next hop: how many at once, and which lie idle.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_model::NextHop;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::connection::{Connection, part};
use crate::settings::Reuse;

/// The connections of those who deliver by the same settings. What they share with those who
/// began by former ones is how many there may be at once.
pub(crate) struct Pool {
    shared: Arc<Mutex<Shared>>,
    /// Which settings these are.
    generation: u64,
    per_hop: usize,
    reuse: Reuse,
}

/// What stays over a change of the settings.
struct Shared {
    /// All next hops that somebody is being connected to, or was a moment ago.
    hops: HashMap<NextHop, Arc<Hop>>,
    /// The settings in use.
    generation: u64,
    per_hop: usize,
}

struct Hop {
    places: Arc<Semaphore>,
    /// Places in use that are one too many since there may be fewer: they go when they get free.
    surplus: Mutex<usize>,
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
    shared: Arc<Mutex<Shared>>,
    generation: u64,
    per_hop: usize,
    reuse: Reuse,
    permit: Option<OwnedSemaphorePermit>,
}

impl Pool {
    pub(crate) fn new(per_hop: usize, reuse: Reuse) -> Self {
        let (generation, per_hop) = (0, per_hop.max(1));
        Self {
            shared: Arc::new(Mutex::new(Shared {
                hops: HashMap::new(),
                generation,
                per_hop,
            })),
            generation,
            per_hop,
            reuse,
        }
    }

    /// One for other settings, before they are [put in use](Self::put_in_use).
    pub(crate) fn successor(&self, per_hop: usize, reuse: Reuse) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            generation: self.generation + 1,
            per_hop: per_hop.max(1),
            reuse,
        }
    }

    /// From now on there are as many places as these settings say, and connections that were made
    /// by others are parted with as they fall idle.
    pub(crate) fn put_in_use(&self) {
        let mut shared = lock(&self.shared);
        for hop in shared.hops.values() {
            hop.resize(shared.per_hop, self.per_hop);
            lock(&hop.idle)
                .drain(..)
                .for_each(|idle| part(idle.connection));
        }
        (shared.generation, shared.per_hop) = (self.generation, self.per_hop);
    }

    /// A place at this next hop, or `None` if none gets free in that time.
    pub(crate) async fn place(&self, hop: &NextHop, patience: Duration) -> Option<Place> {
        let hop = {
            let mut shared = lock(&self.shared);
            let per_hop = shared.per_hop;
            let hop = shared.hops.entry(hop.clone());
            Arc::clone(hop.or_insert_with(|| {
                Arc::new(Hop {
                    places: Arc::new(Semaphore::new(per_hop)),
                    surplus: Mutex::default(),
                    idle: Mutex::default(),
                })
            }))
        };
        let permit = timeout(patience, Arc::clone(&hop.places).acquire_owned()).await;
        // The semaphore is never closed, so the inner error does not come up.
        permit.ok()?.ok().map(|permit| Place {
            hop,
            shared: Arc::clone(&self.shared),
            generation: self.generation,
            per_hop: self.per_hop,
            reuse: self.reuse,
            permit: Some(permit),
        })
    }

    /// Parts with the connections that have lain idle for too long.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        lock(&self.shared).hops.retain(|_, hop| {
            let mut idle = lock(&hop.idle);
            idle.extract_if(.., |idle| now.duration_since(idle.since) >= self.reuse.idle)
                .for_each(|idle| part(idle.connection));
            // A place in use or waited for holds the hop, too.
            !idle.is_empty() || Arc::strong_count(hop) > 1
        });
    }

    /// Parts with all idle connections and waits for their good-byes.
    pub(crate) async fn close(&self) {
        let hops = std::mem::take(&mut lock(&self.shared).hops);
        let mut parting = tokio::task::JoinSet::new();
        for hop in hops.into_values() {
            for idle in std::mem::take(&mut *lock(&hop.idle)) {
                parting.spawn(idle.connection.quit());
            }
        }
        parting.join_all().await;
    }
}

impl Hop {
    fn resize(&self, from: usize, to: usize) {
        let mut surplus = lock(&self.surplus);
        if let Some(fewer) = from.checked_sub(to) {
            *surplus += fewer - self.places.forget_permits(fewer);
        } else {
            let kept = (*surplus).min(to - from);
            *surplus -= kept;
            self.places.add_permits(to - from - kept);
        }
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

    /// Gives the place free and keeps the connection for the next, unless the settings have changed
    /// since by which it was made.
    pub(crate) fn keep(self, connection: Connection) {
        let shared = lock(&self.shared);
        if shared.generation != self.generation {
            return part(connection);
        }
        lock(&self.hop.idle).push(Idle {
            connection,
            since: Instant::now(),
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut surplus = lock(&self.hop.surplus);
        if let (1.., Some(permit)) = (*surplus, self.permit.take()) {
            *surplus -= 1;
            permit.forget();
        }
    }
}

/// The locks are held for a moment and nothing in there panics half way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use gatepost_model::{Protocol, TlsMode};

    use super::*;

    #[tokio::test]
    async fn there_are_as_many_places_as_the_settings_in_use_say() {
        let hop = NextHop {
            host: "b.example".to_owned(),
            port: 25,
            tls: TlsMode::None,
            protocol: Protocol::Smtp,
        };
        let first = Pool::new(2, Reuse::default());
        let take = async |pool: &Pool| pool.place(&hop, Duration::ZERO).await;
        let (one, two) = (take(&first).await, take(&first).await);
        assert!(one.is_some() && two.is_some() && take(&first).await.is_none());

        let fewer = first.successor(1, Reuse::default());
        drop(one);
        let one = take(&first).await;
        assert!(one.is_some(), "not in use yet");
        fewer.put_in_use();
        drop(one);
        assert!(take(&fewer).await.is_none(), "one is taken still");
        drop(two);
        let one = take(&fewer).await;
        assert!(one.is_some() && take(&fewer).await.is_none());

        let more = fewer.successor(3, Reuse::default());
        more.put_in_use();
        let others = (take(&more).await, take(&more).await);
        assert!(others.0.is_some() && others.1.is_some() && take(&more).await.is_none());

        // As many again before the surplus is gone.
        let fewer = more.successor(1, Reuse::default());
        fewer.put_in_use();
        fewer.successor(3, Reuse::default()).put_in_use();
        drop((one, others));
        let again = (take(&more).await, take(&more).await, take(&more).await);
        assert!(again.0.is_some() && again.1.is_some() && again.2.is_some());
        assert!(take(&more).await.is_none());
    }
}
