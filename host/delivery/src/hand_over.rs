//! One attempt for one message: routes, leave of each destination's lane, and the transfers.

use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;

use gatepost_message::{BodyDamage, ReversePath};
use gatepost_smtp::Reply;
use gatepost_spool::ClaimCause;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::content::Content;
use crate::delivery::Delivery;
use crate::in_hand::MessageInHand;
use crate::lane::LaneLimits;
use crate::route::{Lot, Routed, RoutedRecipient, route};
use crate::router::Target;
use crate::sender::sent_as;
use crate::server_transfer::ServerTransfer;
use crate::settle::{AttemptReply, RecipientAttempt, settle, settle_open};

/// A lot that may go to its destination now.
struct Cleared {
    lot: Lot,
    target: Target,
    limits: LaneLimits,
}

/// Hands a message to all its destinations at once, and settles every recipient.
pub(crate) async fn hand_over(delivery: Arc<Delivery>, in_hand: Arc<MessageInHand>) {
    let Routed { lots, mut settled } = route(&delivery, &in_hand).await;
    let mut cleared = Vec::new();
    for lot in lots {
        match clear(&delivery, &in_hand, lot) {
            Ok(lot) => cleared.push(lot),
            Err(waiting) => settled.extend(waiting),
        }
    }
    settle(&delivery, &in_hand, settled).await;
    if cleared.is_empty() {
        return;
    }
    let content = Content::of(&in_hand.claim.message, in_hand.claim.smtputf8).await;
    let content = match content {
        Ok(content) => content,
        Err(error) if BodyDamage::is_cause_of(&error) => {
            return hold_damaged(&delivery, &in_hand, &error).await;
        }
        Err(error) => {
            tracing::error!(
                id = %in_hand.claim.transaction.id,
                %error,
                "cannot read a message from the spool"
            );
            let reply = Reply::new(
                451,
                "4.3.0",
                "the relay cannot read the message from its store",
            );
            return settle_open(&delivery, &in_hand, || {
                AttemptReply::FromRelay(reply.clone())
            })
            .await;
        }
    };
    let mut work = cleared.into_iter().map(|lot| {
        let span = tracing::error_span!(
            "transfer",
            id = %in_hand.claim.transaction.id,
            destination = %lot.lot.destination,
        );
        transfer(Arc::clone(&delivery), Arc::clone(&in_hand), content, lot).instrument(span)
    });
    if work.len() == 1
        && let Some(alone) = work.next()
    {
        return alone.await;
    }
    let mut transfers: JoinSet<()> = work.collect();
    // A panic on the way to one destination must not cut off the others.
    let mut panic = None;
    while let Some(ended) = transfers.join_next().await {
        panic = ended.err().filter(|error| error.is_panic()).or(panic);
    }
    if let Some(panic) = panic {
        resume_unwind(panic.into_panic());
    }
}

/// Asks whether a lot may go to its destination now: the destination must be known, have room in
/// the queue's count, and its lane must give leave.
fn clear(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    lot: Lot,
) -> Result<Cleared, Vec<RecipientAttempt>> {
    let claim = &in_hand.claim;
    let now = delivery.now();
    let target = match delivery.ways.target(claim, &lot.destination) {
        Ok(target) => target,
        Err(reply) => {
            // The way is gone: the router is asked again.
            let reply = || AttemptReply::FromRelay(reply.clone());
            let without_route = |one: RoutedRecipient| RecipientAttempt {
                judgements: one.judgements,
                ..RecipientAttempt::without_route(one.index, reply())
            };
            return Err(lot.recipients.into_iter().map(without_route).collect());
        }
    };
    let limits = delivery.limits(&target);
    let numbers: Vec<u32> = (lot.recipients.iter())
        .map(|one| in_hand.recipient(one.index).number)
        .collect();
    let queue = &*delivery.queue;
    // Before anything enters: the queue must know the pace of a new destination.
    delivery.lanes.open(queue, &lot.key, limits, now);
    let entered = is_counted(in_hand, &lot)
        || queue.enter(claim.transaction.id, claim.lease, &numbers, &lot.key);
    let (until, reply) = if !entered {
        (now, None)
    } else {
        match delivery.lanes.begin(queue, &lot.key, limits, now) {
            Ok(()) => {
                return Ok(Cleared {
                    lot,
                    target,
                    limits,
                });
            }
            Err((until, reply)) => (until, reply),
        }
    };
    let waits = |one: RoutedRecipient| RecipientAttempt {
        judgements: one.judgements,
        route: Some(one.route),
        ..RecipientAttempt::without_route(
            one.index,
            AttemptReply::NotAttempted {
                until,
                reply: reply.clone(),
            },
        )
    };
    Err(lot.recipients.into_iter().map(waits).collect())
}

/// Returns true if the queue counts the recipients of a lot as in hand at its destination, because
/// it handed them out for it.
fn is_counted(in_hand: &MessageInHand, lot: &Lot) -> bool {
    lot.recipients.iter().all(|one| {
        let recipient = in_hand.recipient(one.index);
        let stored = recipient.route.as_ref().map(|route| &route.destination);
        recipient.cause == ClaimCause::Due && stored == Some(&lot.destination)
    })
}

/// Hands the message to one destination.
async fn transfer(
    delivery: Arc<Delivery>,
    in_hand: Arc<MessageInHand>,
    content: Content,
    Cleared {
        lot,
        target,
        limits,
    }: Cleared,
) {
    let claim = &in_hand.claim;
    let (message, reverse_path) = match lot.send_as {
        None => (
            claim.message.clone(),
            claim.transaction.reverse_path.clone(),
        ),
        Some(address) => (
            sent_as(&claim.message, &address),
            ReversePath::Address(address),
        ),
    };
    match target {
        Target::Server(target) => {
            let transfer = ServerTransfer {
                message,
                reverse_path,
                delivery,
                in_hand,
                target,
                key: lot.key,
                lane: limits,
                content,
                converted: Default::default(),
            };
            transfer.run(lot.recipients).await;
        }
    }
}

/// Holds the open recipients of a message whose body is not what was stored: it is neither sent nor
/// given up, and waits for an operator to restore its body.
async fn hold_damaged(delivery: &Delivery, in_hand: &MessageInHand, error: &io::Error) {
    let id = in_hand.claim.transaction.id;
    metrics::gauge!("gatepost_store_damaged", "file" => "incoming").set(1.0);
    tracing::error!(
        %id,
        %error,
        "a message is held because its body is damaged in the store: put it back from a backup and \
         release the message, or cancel it; look for the cause (the disk, the file system, what \
         else writes there)"
    );
    let reply = Reply::new(
        451,
        "4.3.0",
        "the body of the message is damaged in the relay's store",
    );
    settle_open(delivery, in_hand, || AttemptReply::Held(reply.clone())).await;
}
