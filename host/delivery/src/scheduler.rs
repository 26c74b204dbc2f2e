//! The loop that claims what is due and keeps the work bounded.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gatepost_smtp::Reply;
use gatepost_spool::SpoolError;
use tokio::sync::{oneshot, watch};
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{Instant, interval, sleep, timeout, timeout_at};

use crate::delivery::{Delivery, Drained};
use crate::hand_over::hand_over;
use crate::in_hand::InHand;
use crate::settle::{Said, settle_open};

/// The longest sleep: the wall clock may be set, or the machine have slept, without a timer
/// noticing.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The shortest sleep: should the spool ever call something due that it does not give out, asking
/// again at once would only keep it from better things.
const SHORTEST_SLEEP: Duration = Duration::from_millis(5);

/// How long to wait after the spool has refused.
const SPOOL_AGAIN: Duration = Duration::from_secs(1);

/// How often idle connections are looked through.
const SWEEP: Duration = Duration::from_secs(1);

/// The messages being worked on.
#[derive(Default)]
struct Work {
    tasks: JoinSet<()>,
    in_hand: HashMap<task::Id, Begun>,
}

/// A message being worked on, and the settings that it began with.
struct Begun {
    in_hand: Arc<InHand>,
    delivery: Arc<Delivery>,
}

/// What the scheduler waits for when it has claimed what it could.
enum Wait {
    /// A place: there may be more that is due.
    Place,
    /// A change in the spool, or so long.
    Change(Duration),
}

/// Runs until it is told to stop, by when to be done; or until the handle is gone.
pub(crate) async fn run(
    mut in_use: watch::Receiver<Arc<Delivery>>,
    mut stop: oneshot::Receiver<Instant>,
) -> Drained {
    let mut work = Work::default();
    let mut delivery = Arc::clone(&in_use.borrow_and_update());
    let changed = delivery.spool.changed();
    let (owner, lease) = (delivery.owner, delivery.settings.lease);
    delivery.spool.attach(owner, lease);
    let mut sweep = interval(SWEEP);
    let deadline = 'claiming: loop {
        let wait = match claim(&delivery, &mut work).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(%error, "cannot claim messages");
                Wait::Change(SPOOL_AGAIN)
            }
        };
        let (full, nap) = match wait {
            Wait::Place => (true, LONGEST_SLEEP),
            Wait::Change(nap) => (false, nap.clamp(SHORTEST_SLEEP, LONGEST_SLEEP)),
        };
        let nap = sleep(nap);
        tokio::pin!(nap);
        loop {
            tokio::select! {
                deadline = &mut stop => break 'claiming deadline,
                Ok(()) = in_use.changed() => {
                    delivery = Arc::clone(&in_use.borrow_and_update());
                    break;
                }
                Some(ended) = work.tasks.join_next_with_id() => {
                    work.ended(ended);
                    while let Some(ended) = work.tasks.try_join_next_with_id() {
                        work.ended(ended);
                    }
                    if full {
                        break;
                    }
                }
                () = changed.notified(), if !full => break,
                () = &mut nap => break,
                _ = sweep.tick() => delivery.pool.sweep(),
            }
        }
    };
    match deadline {
        Ok(deadline) => work.drain(&delivery, deadline).await,
        // The handle was dropped; the tasks go with the set.
        Err(_) => Drained::default(),
    }
}

/// Claims as much as there are places for and sets to work on it.
async fn claim(delivery: &Arc<Delivery>, work: &mut Work) -> Result<Wait, SpoolError> {
    let places = delivery.settings.messages_in_flight.max(1);
    let free = places.saturating_sub(work.tasks.len());
    if free == 0 {
        return Ok(Wait::Place);
    }
    let (owner, lease) = (delivery.owner, delivery.settings.lease);
    let claims = delivery
        .spool
        .claim(owner, delivery.now(), free, lease)
        .await?;
    let full = claims.len() >= free;
    for claim in claims {
        work.begin(delivery, Arc::new(InHand::new(claim)));
    }
    if full {
        return Ok(Wait::Place);
    }
    let next = delivery.spool.next_due().await?;
    Ok(Wait::Change(
        next.map_or(LONGEST_SLEEP, |next| next.since(delivery.now())),
    ))
}

impl Work {
    fn begin(&mut self, delivery: &Arc<Delivery>, in_hand: Arc<InHand>) {
        let task = attempt(Arc::clone(delivery), Arc::clone(&in_hand));
        let id = self.tasks.spawn(task).id();
        let delivery = Arc::clone(delivery);
        self.in_hand.insert(id, Begun { in_hand, delivery });
    }

    /// A task has ended. Where it panicked, what it left open is deferred, with an attempt
    /// counted: a message that breaks delivery each time must not come back for ever. Should that
    /// panic, too, the lease runs out.
    fn ended(&mut self, ended: Result<(task::Id, ()), JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let begun = self.in_hand.remove(&id);
        if let (Err(error), Some(Begun { in_hand, delivery })) = (ended, begun) {
            tracing::error!(id = %in_hand.claim.transaction.id, %error, "an attempt broke down");
            self.tasks.spawn(async move {
                let reply = Reply::new(451, "4.3.0", "internal error of the relay");
                settle_open(&delivery, &in_hand, || Said::ByRelay(reply.clone())).await;
            });
        }
    }

    /// Lets the attempts in hand end by the deadline and hands back the rest.
    async fn drain(mut self, delivery: &Arc<Delivery>, deadline: Instant) -> Drained {
        let mut drained = Drained::default();
        while let Ok(Some(ended)) = timeout_at(deadline, self.tasks.join_next_with_id()).await {
            drained.finished += usize::from(ended.is_ok());
            self.ended(ended);
        }
        self.tasks.shutdown().await;
        let mut returning = JoinSet::new();
        for Begun { in_hand, delivery } in self.in_hand.into_values() {
            drained.returned += in_hand.open().len();
            returning.spawn(async move {
                settle_open(&delivery, &in_hand, || Said::Nothing(Duration::ZERO)).await;
            });
        }
        // All in one commit or few; one that fails leaves its lease to run out.
        while returning.join_next().await.is_some() {}
        delivery.pool.close().await;
        drained
    }
}

/// One attempt at one message, over before its lease is.
async fn attempt(delivery: Arc<Delivery>, in_hand: Arc<InHand>) {
    let longest = delivery.settings.lease.mul_f64(0.9);
    let work = hand_over(Arc::clone(&delivery), Arc::clone(&in_hand));
    if timeout(longest, work).await.is_err() {
        let reply = Reply::new(451, "4.4.2", "the attempt took too long");
        settle_open(&delivery, &in_hand, || Said::ByRelay(reply.clone())).await;
    }
}
