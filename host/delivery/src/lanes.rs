//! The lanes to all destinations, and what the queue is told of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gatepost_message::Millis;
use gatepost_model::DestinationKey;
use gatepost_smtp::Reply;
use gatepost_spool::Queue;
use parking_lot::Mutex;

use crate::lane::{Lane, LaneLimits};
use crate::target::{Stop, Watch};

/// Lanes by destination. One is made when a destination is first used, and forgotten when it has
/// been idle for a while.
#[derive(Default)]
pub(crate) struct Lanes(Mutex<HashMap<DestinationKey, WatchedLane>>);

struct WatchedLane {
    lane: Lane,
    /// Watch that closed it.
    watch: Option<Arc<dyn Watch>>,
}

impl Lanes {
    /// Opens the lane to a destination, if there is none yet.
    pub(crate) fn open(
        &self,
        queue: &dyn Queue,
        destination: &DestinationKey,
        limits: LaneLimits,
        now: Millis,
    ) {
        self.change(queue, destination, limits, now, |_| ());
    }

    /// Takes leave for one message to that destination.
    ///
    /// # Errors
    /// The time from which on there is leave again, and the reply that closed the lane, if one did.
    pub(crate) fn begin(
        &self,
        queue: &dyn Queue,
        destination: &DestinationKey,
        limits: LaneLimits,
        now: Millis,
    ) -> Result<(), (Millis, Option<Reply>)> {
        self.change(queue, destination, limits, now, |lane| {
            let begun = lane.begin(now);
            begun.map_err(|until| (until, lane.reason().map(|(_, reply)| reply.clone())))
        })
    }

    /// Notes that a server of the destination has answered a transaction.
    pub(crate) fn worked(
        &self,
        queue: &dyn Queue,
        destination: &DestinationKey,
        limits: LaneLimits,
        now: Millis,
    ) {
        self.change(queue, destination, limits, now, Lane::worked);
    }

    /// Notes that no session came about; returns the time of the next probe. See [`Lane::failed`].
    pub(crate) fn failed(
        &self,
        queue: &dyn Queue,
        destination: &DestinationKey,
        (limits, now): (LaneLimits, Millis),
        reply: &Reply,
        wait: impl FnOnce(u32) -> Duration,
    ) -> Millis {
        self.change(queue, destination, limits, now, |lane| {
            lane.failed(reply, now, wait)
        })
    }

    /// Notes that a server of the destination has too much; returns the time from which on it gets
    /// more.
    pub(crate) fn throttled(
        &self,
        queue: &dyn Queue,
        destination: &DestinationKey,
        (limits, now): (LaneLimits, Millis),
        reply: &Reply,
        wait: Duration,
    ) -> Millis {
        self.change(queue, destination, limits, now, |lane| {
            lane.throttled(reply, now, wait)
        })
    }

    /// Closes the lane for as long as whoever watches the destination says.
    pub(crate) fn close(
        &self,
        queue: &dyn Queue,
        destination: &DestinationKey,
        (limits, now): (LaneLimits, Millis),
        stop: &Stop,
        watch: Option<&Arc<dyn Watch>>,
    ) {
        if stop.whole {
            self.change(queue, destination, limits, now, |lane| {
                lane.close_until(now, stop.until, &stop.reply);
            });
            if let Some(watched) = self.0.lock().get_mut(destination) {
                watched.watch = watch.cloned();
            }
        }
    }

    /// Returns the reply that closed the lane to a destination, with its time.
    pub(crate) fn reason(&self, destination: &DestinationKey) -> Option<(Millis, Reply)> {
        let lanes = self.0.lock();
        lanes.get(destination)?.lane.reason().cloned()
    }

    /// Opens the lane to a destination for a probe at once, if it is closed.
    pub(crate) fn reopen(&self, queue: &dyn Queue, destination: &DestinationKey) {
        if let Some(WatchedLane { lane, .. }) = self.0.lock().get_mut(destination) {
            lane.reopen();
            queue.set_pace(destination, lane.pace());
        }
    }

    /// Forgets the lanes that nobody uses. A lane that its watch closed opens as soon as the
    /// watch says: somebody has mended the connection, or tried it.
    pub(crate) fn sweep(&self, queue: &dyn Queue, now: Millis) {
        let mut lanes = self.0.lock();
        lanes.retain(|_, watched| !watched.lane.is_idle(now));
        for (destination, watched) in lanes.iter_mut() {
            let Some(watch) = &watched.watch else {
                continue;
            };
            if !watched.lane.is_closed(now) {
                watched.watch = None;
                continue;
            }
            let before = watched.lane.pace();
            watched
                .lane
                .try_from(watch.stopped().map_or(now, |stop| stop.until));
            if watched.lane.pace() != before {
                queue.set_pace(destination, watched.lane.pace());
            }
        }
    }

    /// Changes a lane, and tells the queue if its pace is another one then.
    fn change<T>(
        &self,
        queue: &dyn Queue,
        destination: &DestinationKey,
        limits: LaneLimits,
        now: Millis,
        change: impl FnOnce(&mut Lane) -> T,
    ) -> T {
        let mut lanes = self.0.lock();
        let is_new = !lanes.contains_key(destination);
        let watched = lanes.entry(destination.clone());
        let WatchedLane { lane, .. } = watched.or_insert_with(|| WatchedLane {
            lane: Lane::new(limits, now),
            watch: None,
        });
        let before = lane.pace();
        lane.limit(limits);
        let changed = change(lane);
        let pace = lane.pace();
        if is_new || pace != before {
            queue.set_pace(destination, pace);
        }
        changed
    }
}
