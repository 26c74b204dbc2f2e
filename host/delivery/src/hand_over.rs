//! One attempt for one message: routes, leave of each destination's lane, and the transfers.

use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;

use gatepost_message::{Address, BodyDamage, Message, ReversePath};
use gatepost_smtp::Reply;
use gatepost_spool::{Claim, ClaimCause};
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::application_transfer::ApplicationTransfer;
use crate::content::Content;
use crate::delivery::Delivery;
use crate::in_hand::MessageInHand;
use crate::lane::LaneLimits;
use crate::references::naming_itself;
use crate::route::{Lot, Routed, RoutedRecipient, route};
use crate::sender::sent_as;
use crate::server_transfer::ServerTransfer;
use crate::settle::{AttemptReply, RecipientAttempt, settle, settle_open};
use crate::signing::Leaving;
use crate::target::{Stop, Target};
use crate::transfer::UNREADABLE;

/// A lot that may go to its destination now.
struct Cleared {
    lot: Lot,
    target: Target,
    limits: LaneLimits,
}

/// Hands a message to all its destinations at once, and settles every recipient.
pub(crate) async fn hand_over(delivery: Arc<Delivery>, in_hand: Arc<MessageInHand>) {
    if let Some(reply) = delivery.ways.held(&in_hand.claim) {
        settle_open(&delivery, &in_hand, || AttemptReply::Held(reply.clone())).await;
        // What ended while this was recorded has released all others.
        if delivery.ways.held(&in_hand.claim).is_none() {
            delivery.ways.release(in_hand.claim.transaction.id);
        }
        return;
    }
    let Routed { lots, mut settled } = route(&delivery, &in_hand).await;
    let mut cleared = Vec::new();
    for lot in lots {
        let lot = admit(&delivery, &in_hand, lot).await;
        match lot.and_then(|lot| clear(&delivery, &in_hand, lot)) {
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
            let reply = Reply::new(451, "4.3.0", UNREADABLE);
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

/// Takes leave for a lot, or returns its recipients with the reason why they wait.
fn clear(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    lot: Lot,
) -> Result<Cleared, Vec<RecipientAttempt>> {
    let target = (delivery.ways).target(&in_hand.claim, &lot.destination, lot.send_as.as_ref());
    let left = match target {
        Ok(target) => {
            let limits = delivery.limits(&target);
            match leave(delivery, in_hand, &lot, &target, limits) {
                Ok(()) => {
                    return Ok(Cleared {
                        lot,
                        target,
                        limits,
                    });
                }
                Err(reply) => (reply, true),
            }
        }
        // The way is gone: without a route, the router is asked again.
        Err(reply) => (AttemptReply::FromRelay(reply), false),
    };
    let (reply, keeps_route) = left;
    Err(stay(lot, &reply, keeps_route))
}

/// Asks whether the message may leave on a lot's way, and in whose name; or returns its recipients
/// with the reason why it may not. What may leave only with the sender's own reverse-path, since SPF
/// proves that one alone, leaves with that one.
async fn admit(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    mut lot: Lot,
) -> Result<Lot, Vec<RecipientAttempt>> {
    let claim = &in_hand.claim;
    let mut admitted = ask(delivery, claim, &lot).await;
    let own = (delivery.ways).return_path(claim, &lot.destination, lot.send_as.as_ref());
    if own.is_some() && !matches!(admitted, Ok(None)) {
        lot.keeps_sender = true;
        match ask(delivery, claim, &lot).await {
            Ok(None) => admitted = Ok(None),
            _ => lot.keeps_sender = false,
        }
    }
    match admitted {
        Ok(author) => {
            lot.send_as = author.or(lot.send_as);
            Ok(lot)
        }
        Err(reply) => Err(stay(lot, &AttemptReply::FromRelay(reply), true)),
    }
}

async fn ask(delivery: &Delivery, claim: &Claim, lot: &Lot) -> Result<Option<Address>, Reply> {
    let (message, reverse_path) = in_name(delivery, claim, lot);
    let leaving = Leaving {
        claim,
        message: &message,
        reverse_path: &reverse_path,
        destination: &lot.destination,
    };
    delivery.signing.admit(leaving).await
}

/// Returns the recipients of a lot that goes nowhere now, with the reply that says why.
fn stay(lot: Lot, reply: &AttemptReply, keeps_route: bool) -> Vec<RecipientAttempt> {
    let stays = |one: RoutedRecipient| RecipientAttempt {
        judgements: one.judgements,
        route: Some(one.route).filter(|_| keeps_route),
        ..RecipientAttempt::without_route(one.index, reply.clone())
    };
    lot.recipients.into_iter().map(stays).collect()
}

/// Asks whether a lot may go to its destination now: there must be room in the queue's count, the
/// lane must give leave, and so must whoever watches the destination.
fn leave(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    lot: &Lot,
    target: &Target,
    limits: LaneLimits,
) -> Result<(), AttemptReply> {
    let claim = &in_hand.claim;
    let now = delivery.now();
    let queue = &*delivery.queue;
    // Before anything enters: the queue must know the pace of a new destination.
    delivery.lanes.open(queue, &lot.key, limits, now);
    let numbers = lot
        .recipients
        .iter()
        .map(|one| in_hand.recipient(one.index).number);
    let numbers: Vec<u32> = numbers.collect();
    let entered = is_counted(in_hand, lot)
        || queue.enter(claim.transaction.id, claim.lease, &numbers, &lot.key);
    if !entered {
        return Err(match target.watch().and_then(|watch| watch.stopped()) {
            Some(stop) => AttemptReply::Stopped(stop),
            None => AttemptReply::NotAttempted {
                until: now,
                reply: None,
            },
        });
    }
    let begun = delivery.lanes.begin(queue, &lot.key, limits, now);
    begun.map_err(|(until, reply)| AttemptReply::NotAttempted { until, reply })?;
    watch(delivery, in_hand, lot, target, limits).map_err(AttemptReply::Stopped)
}

/// Asks whoever watches the destination for leave.
fn watch(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    lot: &Lot,
    target: &Target,
    limits: LaneLimits,
) -> Result<(), Stop> {
    let Some(watch) = target.watch() else {
        return Ok(());
    };
    let mailbox = lot.send_as.as_ref();
    let mailbox = mailbox.or(in_hand.claim.transaction.reverse_path.address());
    let recipients = u32::try_from(lot.recipients.len()).unwrap_or(u32::MAX);
    let now = delivery.now();
    watch.begin(mailbox, recipients, now).inspect_err(|stop| {
        let queue = &*delivery.queue;
        (delivery.lanes).close(queue, &lot.key, (limits, now), stop, Some(watch));
    })
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
    let (message, reverse_path) = in_name(&delivery, claim, &lot);
    let author = lot.send_as;
    match target {
        Target::Server(target) => {
            let renamed = (target.watch.as_ref()).is_some_and(|watch| watch.replaces_message_id());
            let message = match renamed {
                true => naming_itself(&message),
                false => message,
            };
            let signers = delivery.signing.signers(&Leaving {
                claim,
                message: &message,
                reverse_path: &reverse_path,
                destination: &lot.destination,
            });
            let transfer = ServerTransfer {
                signatures: in_hand.signatures.of(author.as_ref(), renamed, &signers),
                signers,
                author,
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
        Target::Application(way) => {
            let transfer = ApplicationTransfer {
                retry: delivery.ways.patience(&lot.destination).retry,
                message,
                reverse_path,
                delivery,
                in_hand,
                way,
                key: lot.key,
                lane: limits,
            };
            transfer.run(lot.recipients).await;
        }
    }
}

/// Returns a message and its reverse-path in the name in which they leave on a lot's way.
fn in_name(delivery: &Delivery, claim: &Claim, lot: &Lot) -> (Message, ReversePath) {
    let author = lot.send_as.as_ref();
    let message = match author {
        Some(address) => sent_as(&claim.message, address),
        None => claim.message.clone(),
    };
    let own = match lot.keeps_sender {
        true => None,
        false => (delivery.ways).return_path(claim, &lot.destination, author),
    };
    let reverse_path = match own.or_else(|| author.cloned()) {
        Some(address) => ReversePath::Address(address),
        None => claim.transaction.reverse_path.clone(),
    };
    (message, reverse_path)
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
