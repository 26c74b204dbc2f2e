//! The loop that claims due messages, and bounds the number of attempts.

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
use crate::in_hand::MessageInHand;
use crate::settle::{AttemptReply, settle_open};

/// Longest sleep: the wall clock may be set, or the machine be suspended, without a timer noticing.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Shortest sleep: if the spool ever calls a message due but does not return it, asking again at
/// once would only keep it from other work.
const SHORTEST_SLEEP: Duration = Duration::from_millis(5);

/// Delay after the spool has refused a claim.
const SPOOL_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Interval at which idle connections are checked.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Running attempts.
#[derive(Default)]
struct RunningAttempts {
    tasks: JoinSet<()>,
    by_task: HashMap<task::Id, RunningAttempt>,
}

/// A running attempt, with the settings that it began with.
struct RunningAttempt {
    in_hand: Arc<MessageInHand>,
    delivery: Arc<Delivery>,
}

/// Event that the scheduler waits for before the next claim.
enum Wait {
    /// The end of an attempt: there may be more due messages.
    AttemptEnd,
    /// A change in the spool, at most for this long.
    Change(Duration),
}

/// Runs until it is stopped, by a deadline, or until the handle is dropped.
pub(crate) async fn run(
    mut in_use: watch::Receiver<Arc<Delivery>>,
    mut stop: oneshot::Receiver<Instant>,
) -> Drained {
    let mut work = RunningAttempts::default();
    let mut delivery = Arc::clone(&in_use.borrow_and_update());
    let changed = delivery.queue.changed();
    let (owner, lease) = (delivery.owner, delivery.settings.lease);
    delivery.queue.attach(owner, lease);
    let mut sweep = interval(SWEEP_INTERVAL);
    let deadline = 'claiming: loop {
        let wait = match claim(&delivery, &mut work).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(%error, "cannot claim messages");
                Wait::Change(SPOOL_RETRY_DELAY)
            }
        };
        let (full, nap) = match wait {
            Wait::AttemptEnd => (true, LONGEST_SLEEP),
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
                    work.attempt_ended(ended);
                    while let Some(ended) = work.tasks.try_join_next_with_id() {
                        work.attempt_ended(ended);
                    }
                    if full {
                        break;
                    }
                }
                () = changed.notified(), if !full => break,
                () = &mut nap => break,
                _ = sweep.tick() => {
                    delivery.pool.sweep();
                    delivery.lanes.sweep(&*delivery.queue, delivery.now());
                }
            }
        }
    };
    match deadline {
        Ok(deadline) => work.drain(&delivery, deadline).await,
        // The handle was dropped; the tasks are dropped with the set.
        Err(_) => Drained::default(),
    }
}

/// Claims as many messages as may be in hand, and begins their attempts.
async fn claim(delivery: &Arc<Delivery>, work: &mut RunningAttempts) -> Result<Wait, SpoolError> {
    let most = delivery.settings.messages_in_flight.max(1);
    let free = most.saturating_sub(work.tasks.len());
    if free == 0 {
        return Ok(Wait::AttemptEnd);
    }
    let (owner, lease) = (delivery.owner, delivery.settings.lease);
    let claims = delivery
        .queue
        .claim(owner, delivery.now(), free, lease)
        .await?;
    let full = claims.len() >= free;
    for claim in claims {
        work.begin(delivery, Arc::new(MessageInHand::new(claim)));
    }
    if full {
        return Ok(Wait::AttemptEnd);
    }
    let next = delivery.queue.next_due().await?;
    Ok(Wait::Change(
        next.map_or(LONGEST_SLEEP, |next| next.since(delivery.now())),
    ))
}

impl RunningAttempts {
    fn begin(&mut self, delivery: &Arc<Delivery>, in_hand: Arc<MessageInHand>) {
        let task = attempt(Arc::clone(delivery), Arc::clone(&in_hand));
        let id = self.tasks.spawn(task).id();
        let delivery = Arc::clone(delivery);
        self.by_task
            .insert(id, RunningAttempt { in_hand, delivery });
    }

    /// Ends an attempt. If its task panicked, its open recipients are deferred, and the attempt is
    /// counted: a message that breaks delivery each time must not be tried for ever. If that
    /// panics, too, the lease runs out.
    fn attempt_ended(&mut self, ended: Result<(task::Id, ()), JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let running = self.by_task.remove(&id);
        if let (Err(error), Some(RunningAttempt { in_hand, delivery })) = (ended, running) {
            tracing::error!(
                id = %in_hand.claim.transaction.id,
                %error,
                "an attempt panicked: its recipients are deferred"
            );
            self.tasks.spawn(async move {
                let reply = Reply::new(451, "4.3.0", "internal error of the relay");
                settle_open(&delivery, &in_hand, || {
                    AttemptReply::FromRelay(reply.clone())
                })
                .await;
            });
        }
    }

    /// Lets the running attempts end by the deadline, and returns the other recipients.
    async fn drain(mut self, delivery: &Arc<Delivery>, deadline: Instant) -> Drained {
        let mut drained = Drained::default();
        while let Ok(Some(ended)) = timeout_at(deadline, self.tasks.join_next_with_id()).await {
            drained.finished += usize::from(ended.is_ok());
            self.attempt_ended(ended);
        }
        self.tasks.shutdown().await;
        let mut returning = JoinSet::new();
        for RunningAttempt { in_hand, delivery } in self.by_task.into_values() {
            drained.returned += in_hand.open().len();
            returning.spawn(async move {
                settle_open(&delivery, &in_hand, || AttemptReply::NotAttempted {
                    until: delivery.now(),
                    reply: None,
                })
                .await;
            });
        }
        // All in one commit or few; if one fails, its lease runs out.
        while returning.join_next().await.is_some() {}
        delivery.pool.close().await;
        drained
    }
}

/// Runs one attempt at one message, which ends before its lease does.
async fn attempt(delivery: Arc<Delivery>, in_hand: Arc<MessageInHand>) {
    let longest = delivery.settings.lease.mul_f64(0.9);
    let work = hand_over(Arc::clone(&delivery), Arc::clone(&in_hand));
    if timeout(longest, work).await.is_err() {
        let reply = Reply::new(451, "4.4.2", "the attempt took too long");
        settle_open(&delivery, &in_hand, || {
            AttemptReply::FromRelay(reply.clone())
        })
        .await;
    }
}
