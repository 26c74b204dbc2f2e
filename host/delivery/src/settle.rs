//! Settling of recipients: from replies to outcomes, notices, the record and the observer.

use std::time::Duration;

use gatepost_model::{Judgement, NextHop, Protocol};
use gatepost_smtp::Reply;
use gatepost_spool::{AttemptOutcome, RecipientResult, Report, SpoolError};

use crate::delivery::Delivery;
use crate::in_hand::MessageInHand;
use crate::notify::{self, Action, Notice, NoticeContext, ReportedRecipient};
use crate::observer::{Attempt, NoticeMade};

/// Delay before a report is handed in again that the spool did not accept.
const RECORD_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Result of an attempt for one recipient.
#[derive(Debug)]
pub(crate) struct RecipientAttempt {
    /// Index of the recipient in the claim.
    pub(crate) index: usize,
    /// Calls of policies that led to the route.
    pub(crate) judgements: Vec<Judgement>,
    /// Next hop.
    pub(crate) route: Option<NextHop>,
    /// True if a connection to the next hop came about.
    pub(crate) connected: bool,
    /// Protocol and cipher of the connection.
    pub(crate) tls: Option<String>,
    /// True if the next hop, if it accepts the recipient, also accepts responsibility for the
    /// requested notices (RFC 3461 section 5.2.1); otherwise the relay reports that the message was
    /// relayed (section 5.2.2).
    pub(crate) dsn_passed_on: bool,
    /// Reply of the attempt.
    pub(crate) reply: AttemptReply,
}

impl RecipientAttempt {
    /// Makes the result of a recipient for which no server was looked up.
    pub(crate) fn without_route(index: usize, reply: AttemptReply) -> Self {
        Self {
            index,
            judgements: Vec::new(),
            route: None,
            connected: false,
            tls: None,
            dsn_passed_on: false,
            reply,
        }
    }
}

/// Reply of an attempt for a recipient.
#[derive(Debug)]
pub(crate) enum AttemptReply {
    /// Reply of the server.
    FromServer(Reply),
    /// Reply of the relay in the server's stead.
    FromRelay(Reply),
    /// Reply of the relay for a damaged message, which is held.
    Damaged(Reply),
    /// No attempt was made; the recipient is due again after this time.
    NotAttempted(Duration),
}

/// A recipient's result, with the outcome that follows from it.
struct SettledRecipient {
    attempt: RecipientAttempt,
    outcome: AttemptOutcome,
}

/// Settles recipients: one report to the spool, with a notice for each action that their sender is
/// told of. Recipients that were settled before are left out.
pub(crate) async fn settle(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    attempts: Vec<RecipientAttempt>,
) {
    let settled: Vec<SettledRecipient> = attempts
        .into_iter()
        .filter(|attempt| in_hand.close(attempt.index))
        .map(|attempt| SettledRecipient {
            outcome: outcome_of(delivery, in_hand, &attempt),
            attempt,
        })
        .collect();
    if settled.is_empty() {
        return;
    }
    let notices = notices(delivery, in_hand, &settled).await;
    let recorded = record(delivery, in_hand, &settled, &notices).await;
    for settled in &settled {
        report_outcome(delivery, in_hand, settled).await;
    }
    for notice in notices.iter().filter(|_| recorded) {
        let (id, action, to) = (notice.id, notice.action, &notice.to);
        let recipients: Vec<_> = (settled.iter())
            .filter(|one| action_to_report(in_hand, one) == Some(action))
            .map(|one| in_hand.recipient(one.attempt.index))
            .collect();
        tracing::info!(
            id = %in_hand.claim.transaction.id,
            notice = %id,
            action = action.word(),
            %to,
            "notice queued"
        );
        notify::count_notice(action);
        let made = NoticeMade {
            message: &in_hand.claim,
            action,
            recipients: &recipients,
            id,
            to,
        };
        delivery.observer.notice_made(&made).await;
    }
}

/// Settles every open recipient with the same reply.
pub(crate) async fn settle_open(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    reply_of: impl Fn() -> AttemptReply,
) {
    let open = in_hand.open().into_iter();
    let attempts = open.map(|index| RecipientAttempt::without_route(index, reply_of()));
    settle(delivery, in_hand, attempts.collect()).await;
}

/// Returns the outcome that follows from a result.
fn outcome_of(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    attempt: &RecipientAttempt,
) -> AttemptOutcome {
    let now = delivery.now();
    let server = match &attempt.route {
        Some(hop) if attempt.connected => Some(format!("{}:{}", hop.host, hop.port)),
        _ => None,
    };
    let reply = match &attempt.reply {
        AttemptReply::FromServer(reply) | AttemptReply::FromRelay(reply) => reply.clone(),
        AttemptReply::Damaged(reply) => {
            return AttemptOutcome::Held {
                reply: reply.clone(),
            };
        }
        AttemptReply::NotAttempted(wait) => {
            return AttemptOutcome::Returned {
                next_attempt: now + *wait,
                reply: None,
                server: None,
            };
        }
    };
    if reply.is_positive()
        && let Some(server) = server
    {
        return AttemptOutcome::Delivered { reply, server };
    }
    if reply.is_permanent() {
        return AttemptOutcome::Failed { reply, server };
    }
    let claim = &in_hand.claim;
    let recipient = in_hand.recipient(attempt.index);
    let late_at = notify::delay_notice_at(&delivery.settings.notifications, claim, recipient);
    let next = (delivery.schedule).next(claim.expires_at, recipient.attempts, now);
    match next {
        Some(next_attempt) => AttemptOutcome::Deferred {
            reply,
            server,
            // As on the expiry, an attempt falls on the time at which the sender is to be told.
            next_attempt: match late_at {
                Some(at) if now < at => next_attempt.min(at),
                _ => next_attempt,
            },
            delay_told: late_at.is_some_and(|at| now >= at),
        },
        None => AttemptOutcome::Failed {
            // RFC 3463: X.4.7, delivery time expired.
            reply: Reply::new(
                554,
                "5.4.7",
                format!(
                    "not delivered by {}; the last answer was: {reply}",
                    claim.expires_at.rfc5322()
                ),
            ),
            server,
        },
    }
}

/// Returns the action that the sender is to be told of for a recipient, if any.
fn action_to_report(in_hand: &MessageInHand, settled: &SettledRecipient) -> Option<Action> {
    let recipient = in_hand.recipient(settled.attempt.index);
    let action = match &settled.outcome {
        AttemptOutcome::Failed { .. } => Action::Failed,
        AttemptOutcome::Deferred {
            delay_told: true, ..
        } => Action::Delayed,
        AttemptOutcome::Delivered { .. } if settled.attempt.dsn_passed_on => return None,
        // LMTP attempts for a mailbox (RFC 2033 section 4.2), SMTP for a further hop.
        AttemptOutcome::Delivered { .. } => {
            match settled.attempt.route.as_ref().map(|hop| hop.protocol) {
                Some(Protocol::Lmtp) => Action::Delivered,
                _ => Action::Relayed,
            }
        }
        AttemptOutcome::Deferred { .. }
        | AttemptOutcome::Held { .. }
        | AttemptOutcome::Discarded { .. }
        | AttemptOutcome::Returned { .. } => return None,
    };
    notify::wants_notice(recipient.dsn.notify, action).then_some(action)
}

/// Writes the notices, one for each action. A null sender gets none, nor does a reverse-path that
/// may be forged, unless it [may be notified](notify::Notifications::may_notify).
async fn notices(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    settled: &[SettledRecipient],
) -> Vec<Notice> {
    let claim = &in_hand.claim;
    let Some(to) = claim.transaction.reverse_path.address() else {
        return Vec::new();
    };
    let notifications = &delivery.settings.notifications;
    if !notifications.may_notify(claim.sender) {
        let id = claim.transaction.id;
        tracing::debug!(
            %id,
            %to,
            sender = ?claim.sender,
            "the reverse-path may be forged: no notice"
        );
        return Vec::new();
    }
    let mut notices = Vec::new();
    for action in Action::ALL {
        let reported: Vec<_> = (settled.iter())
            .filter(|one| action_to_report(in_hand, one) == Some(action))
            .filter_map(|one| reported(in_hand, one))
            .collect();
        if reported.is_empty() {
            continue;
        }
        let context = NoticeContext {
            hostname: &delivery.settings.hostname,
            action,
            now: delivery.now(),
            reported: &reported,
        };
        notices.push(Notice::of(notifications, claim.into(), context, to).await);
    }
    notices
}

/// Records results and notices in the spool; returns true if they are on disk.
///
/// A report that the spool does not accept is handed in again while the lease lasts: a forgotten
/// delivery would be repeated.
async fn record(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    settled: &[SettledRecipient],
    notices: &[Notice],
) -> bool {
    let claim = &in_hand.claim;
    let expires_at = delivery.now() + delivery.settings.retry.expiry;
    loop {
        let report = Report {
            lease: claim.lease,
            message: claim.transaction.id,
            results: settled
                .iter()
                .map(|one| {
                    let number = in_hand.recipient(one.attempt.index).number;
                    RecipientResult::of(number, one.outcome.clone())
                })
                .collect(),
            notices: notices
                .iter()
                .map(|notice| notice.for_spool(claim.into(), expires_at))
                .collect(),
        };
        match delivery.queue.record(report).await {
            Ok(recorded) => {
                if recorded.ignored > 0 {
                    tracing::warn!(
                        id = %claim.transaction.id,
                        ignored = recorded.ignored,
                        "results came after the lease had run out: a duplicate delivery is possible"
                    );
                }
                return recorded.applied > 0;
            }
            Err(error) => {
                tracing::error!(
                    id = %claim.transaction.id,
                    %error,
                    "cannot record results in the spool"
                );
                if matches!(error, SpoolError::Closed) || delivery.now() >= claim.lease.until {
                    return false;
                }
                tokio::time::sleep(RECORD_RETRY_DELAY).await;
            }
        }
    }
}

/// Writes the log line, counts metrics and calls the observer.
async fn report_outcome(delivery: &Delivery, in_hand: &MessageInHand, settled: &SettledRecipient) {
    let recipient = in_hand.recipient(settled.attempt.index);
    let took = in_hand.since.elapsed();
    let (result, reply, server, next) = match &settled.outcome {
        AttemptOutcome::Delivered { reply, server } => ("delivered", reply, Some(server), None),
        AttemptOutcome::Deferred {
            reply,
            server,
            next_attempt,
            ..
        } => ("deferred", reply, server.as_ref(), Some(next_attempt)),
        AttemptOutcome::Failed { reply, server } => ("failed", reply, server.as_ref(), None),
        AttemptOutcome::Held { reply } => ("held", reply, None, None),
        AttemptOutcome::Discarded { reason } => {
            metrics::counter!("gatepost_delivery_results_total", "result" => "discarded")
                .increment(1);
            tracing::info!(
                id = %in_hand.claim.transaction.id,
                recipient = %recipient.address,
                reason,
                "discarded by a policy"
            );
            return;
        }
        AttemptOutcome::Returned { .. } => {
            metrics::counter!("gatepost_delivery_results_total", "result" => "returned")
                .increment(1);
            return;
        }
    };
    metrics::counter!("gatepost_delivery_results_total", "result" => result).increment(1);
    metrics::histogram!("gatepost_delivery_attempt_seconds").record(took);
    tracing::info!(
        id = %in_hand.claim.transaction.id,
        recipient = %recipient.address,
        result,
        %reply,
        server = server.map(tracing::field::display),
        tls = settled.attempt.tls.as_deref(),
        next = next.map(tracing::field::display),
        "attempt ended"
    );
    let attempt = Attempt {
        message: &in_hand.claim,
        recipient,
        judgements: &settled.attempt.judgements,
        route: settled.attempt.route.as_ref(),
        tls: settled.attempt.tls.as_deref(),
        outcome: &settled.outcome,
        took,
    };
    delivery.observer.attempt_ended(&attempt).await;
}

/// Returns a recipient as a notice reports it.
fn reported<'a>(
    in_hand: &'a MessageInHand,
    settled: &'a SettledRecipient,
) -> Option<ReportedRecipient<'a>> {
    let (AttemptOutcome::Delivered { reply, .. }
    | AttemptOutcome::Deferred { reply, .. }
    | AttemptOutcome::Failed { reply, .. }) = &settled.outcome
    else {
        return None;
    };
    let recipient = in_hand.recipient(settled.attempt.index);
    Some(ReportedRecipient {
        recipient: &recipient.address,
        dsn: &recipient.dsn,
        reply,
        remote: match (&settled.attempt.reply, &settled.attempt.route) {
            (AttemptReply::FromServer(reply), Some(hop)) => Some((&hop.host, reply)),
            _ => None,
        },
    })
}
