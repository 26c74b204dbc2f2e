//! Connections by destination: a limit on their number, and a pool of idle ones.

use std::collections::{HashMap, VecDeque};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use gatepost_model::DestinationKey;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::connection::{Connection, quit_in_background};
use crate::settings::Reuse;

/// Connections under one set of settings. Their number is shared with the pools of earlier
/// settings.
pub(crate) struct Pool {
    shared: Arc<Mutex<SharedPlaces>>,
    /// Number of these settings.
    generation: u64,
    reuse: Reuse,
}

/// State that outlives a change of the settings.
struct SharedPlaces {
    /// Destinations that have connections, or had some a moment ago.
    destinations: HashMap<DestinationKey, Arc<Places>>,
    /// Number of the active settings.
    generation: u64,
    /// Number of idle connections.
    idle: Arc<AtomicUsize>,
    /// Places where connections became idle, the longest ago at the front. Some have been taken since.
    order: VecDeque<(Instant, Weak<Places>)>,
}

/// Places for the connections to one destination.
struct Places {
    permits: Arc<Semaphore>,
    state: Mutex<PlacesState>,
    /// Idle connections, the last used one at the end: it is the most likely to be alive.
    idle: Mutex<Vec<IdleConnection>>,
}

struct PlacesState {
    /// Most connections at once.
    limit: usize,
    /// Permits in use beyond a limit that was lowered; they are dropped when they are released.
    surplus: usize,
}

struct IdleConnection {
    connection: Connection,
    since: Instant,
    _counted: CountedIdle,
}

/// One of the idle connections, for as long as it lives.
struct CountedIdle(Arc<AtomicUsize>);

impl CountedIdle {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for CountedIdle {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right to one connection to a destination. No connection is opened while there is an idle
/// one, so there are never more connections than permits.
pub(crate) struct ConnectionPermit {
    places: Arc<Places>,
    shared: Arc<Mutex<SharedPlaces>>,
    generation: u64,
    /// Most transactions on one connection.
    transactions: u32,
    /// Most idle connections to all destinations.
    most_idle: usize,
    permit: Option<OwnedSemaphorePermit>,
}

impl Pool {
    pub(crate) fn new(reuse: Reuse) -> Self {
        Self {
            shared: Arc::new(Mutex::new(SharedPlaces {
                destinations: HashMap::new(),
                generation: 0,
                idle: Arc::default(),
                order: VecDeque::new(),
            })),
            generation: 0,
            reuse,
        }
    }

    /// Makes a pool for other settings, before they are [activated](Self::activate).
    pub(crate) fn successor(&self, reuse: Reuse) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            generation: self.generation + 1,
            reuse,
        }
    }

    /// Ends the idle connections of the earlier settings. From here on the limits of these settings
    /// hold.
    pub(crate) fn activate(&self) {
        let mut shared = self.shared.lock();
        for places in shared.destinations.values() {
            let idle = std::mem::take(&mut *places.idle.lock());
            idle.into_iter()
                .for_each(|idle| quit_in_background(idle.connection));
        }
        shared.generation = self.generation;
    }

    /// Waits for a permit at this destination, which has at most `limit` connections, each for at
    /// most `transactions` where the settings do not allow fewer; `None` if there is none within
    /// that time.
    pub(crate) async fn acquire(
        &self,
        destination: &DestinationKey,
        limit: usize,
        transactions: Option<u32>,
        patience: Duration,
    ) -> Option<ConnectionPermit> {
        let limit = limit.max(1);
        let places = {
            let mut shared = self.shared.lock();
            let active = shared.generation == self.generation;
            let places = shared.destinations.entry(destination.clone());
            let places = places.or_insert_with(|| Arc::new(Places::new(limit)));
            if active {
                places.resize(limit);
            }
            Arc::clone(places)
        };
        let permit = timeout(patience, Arc::clone(&places.permits).acquire_owned()).await;
        let most = self.reuse.transactions;
        // The semaphore is never closed, so the inner error does not happen.
        permit.ok()?.ok().map(|permit| ConnectionPermit {
            places,
            shared: Arc::clone(&self.shared),
            generation: self.generation,
            transactions: transactions.map_or(most, |own| own.min(most)),
            most_idle: self.reuse.most_idle,
            permit: Some(permit),
        })
    }

    /// Ends the connections that have been idle for too long.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        self.shared.lock().destinations.retain(|_, places| {
            let mut idle = places.idle.lock();
            idle.extract_if(.., |idle| now.duration_since(idle.since) >= self.reuse.idle)
                .for_each(|idle| quit_in_background(idle.connection));
            // A permit in use or waited for holds the places, too.
            !idle.is_empty() || Arc::strong_count(places) > 1
        });
    }

    /// Ends all idle connections and waits for their QUIT.
    pub(crate) async fn close(&self) {
        let destinations = std::mem::take(&mut self.shared.lock().destinations);
        let mut quitting = tokio::task::JoinSet::new();
        for places in destinations.into_values() {
            for idle in std::mem::take(&mut *places.idle.lock()) {
                quitting.spawn(idle.connection.quit());
            }
        }
        quitting.join_all().await;
    }
}

impl SharedPlaces {
    /// Notes a connection that became idle, and ends those that have been idle for the longest
    /// time, beyond the most.
    fn became_idle(&mut self, since: Instant, places: &Arc<Places>, most: usize) {
        self.order.push_back((since, Arc::downgrade(places)));
        while self.idle.load(Ordering::Relaxed) > most {
            let Some((since, places)) = self.order.pop_front() else {
                return;
            };
            if let Some(places) = places.upgrade() {
                places.end_idle(since);
            }
        }
        if self.order.len() > 4 * most {
            self.order.retain(|(since, places)| {
                let places = places.upgrade();
                places.is_some_and(|of| of.idle.lock().iter().any(|idle| idle.since == *since))
            });
        }
    }
}

impl Places {
    /// Ends the connection that has been idle since this time, if it is idle still.
    fn end_idle(&self, since: Instant) {
        let ended = self
            .idle
            .lock()
            .extract_if(.., |idle| idle.since == since)
            .next();
        if let Some(ended) = ended {
            quit_in_background(ended.connection);
        }
    }

    fn new(limit: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(limit)),
            state: Mutex::new(PlacesState { limit, surplus: 0 }),
            idle: Mutex::default(),
        }
    }

    fn resize(&self, to: usize) {
        let mut state = self.state.lock();
        if let Some(fewer) = state.limit.checked_sub(to) {
            state.surplus += fewer - self.permits.forget_permits(fewer);
        } else {
            let more = to - state.limit;
            let kept = state.surplus.min(more);
            state.surplus -= kept;
            self.permits.add_permits(more - kept);
        }
        state.limit = to;
    }
}

impl ConnectionPermit {
    /// Returns true if other permits for this destination are in use.
    pub(crate) fn has_other_permits(&self) -> bool {
        let state = self.places.state.lock();
        self.places.permits.available_permits() + 1 < state.limit + state.surplus
    }

    /// Takes an idle connection of that identity, if there is one. If all are of others, the oldest
    /// of them makes room.
    pub(crate) fn take_idle(&self, identity: Option<&str>) -> Option<Connection> {
        let mut idle = self.places.idle.lock();
        let same = |idle: &IdleConnection| idle.connection.identity.as_deref() == identity;
        if let Some(place) = idle.iter().rposition(same) {
            return Some(idle.remove(place).connection);
        }
        if !idle.is_empty() {
            quit_in_background(idle.remove(0).connection);
        }
        None
    }

    /// Discards all idle connections: one was dead, and the others are no better.
    pub(crate) fn discard_idle(&self) {
        self.places.idle.lock().clear();
    }

    /// Returns true if the connection may carry one more transaction, by the settings and by the
    /// limit that the server has announced (RFC 9422).
    pub(crate) fn may_reuse(&self, connection: &Connection) -> bool {
        let limit = connection.session.capabilities().limits.transactions;
        let most = limit.map_or(u32::MAX, NonZero::get);
        connection.transactions < self.transactions.min(most)
    }

    /// Releases the permit and keeps the connection for reuse, unless other settings were
    /// activated.
    pub(crate) fn keep(self, connection: Connection) {
        let mut shared = self.shared.lock();
        if shared.generation != self.generation {
            return quit_in_background(connection);
        }
        let since = Instant::now();
        self.places.idle.lock().push(IdleConnection {
            connection,
            since,
            _counted: CountedIdle::new(&shared.idle),
        });
        shared.became_idle(since, &self.places, self.most_idle);
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut state = self.places.state.lock();
        if let (1.., Some(permit)) = (state.surplus, self.permit.take()) {
            state.surplus -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_active_settings_limit_the_permits() {
        let key = DestinationKey::new("mx:b.example");
        let take = async |(pool, limit): &(Pool, usize)| {
            pool.acquire(&key, *limit, None, Duration::ZERO).await
        };
        let after = |(pool, _): &(Pool, usize), limit| (pool.successor(Reuse::default()), limit);
        let first = (Pool::new(Reuse::default()), 2);
        let (one, two) = (take(&first).await, take(&first).await);
        assert!(one.is_some() && two.is_some() && take(&first).await.is_none());

        let fewer = after(&first, 1);
        drop(one);
        let one = take(&first).await;
        assert!(one.is_some(), "not in use yet");
        fewer.0.activate();
        drop(one);
        assert!(take(&fewer).await.is_none(), "one is taken still");
        drop(two);
        let one = take(&fewer).await;
        assert!(one.is_some() && take(&fewer).await.is_none());

        let more = after(&fewer, 3);
        more.0.activate();
        let others = (take(&more).await, take(&more).await);
        assert!(others.0.is_some() && others.1.is_some() && take(&more).await.is_none());

        // As many again before the surplus is used up.
        let fewer = after(&more, 1);
        fewer.0.activate();
        assert!(take(&fewer).await.is_none());
        let more = after(&fewer, 3);
        more.0.activate();
        drop((one, others));
        let again = (take(&more).await, take(&more).await, take(&more).await);
        assert!(again.0.is_some() && again.1.is_some() && again.2.is_some());
        assert!(take(&more).await.is_none());
    }
}
