//! From what was said of recipients to what becomes of them: endings, notices, record, report.

use std::time::Duration;

use gatepost_model::{Judgement, NextHop, Protocol};
use gatepost_smtp::Reply;
use gatepost_spool::{Ending, RecipientResult, Report, SpoolError};

use crate::delivery::Delivery;
use crate::in_hand::InHand;
use crate::notify::{self, Action, Cause, Notice, Told};
use crate::observer::{Attempt, NoticeMade};

/// How long to wait before a result is handed in again that the spool would not take.
const RECORD_AGAIN: Duration = Duration::from_secs(1);

/// What is known of one recipient after an attempt.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its place in the claim.
    pub(crate) place: usize,
    /// The calls of policies that led to the route.
    pub(crate) judgements: Vec<Judgement>,
    /// Where it was to go.
    pub(crate) route: Option<NextHop>,
    /// Whether a connection to that came about.
    pub(crate) connected: bool,
    /// Protocol and cipher of the connection.
    pub(crate) tls: Option<String>,
    /// Whether the next hop, should it have taken the recipient, has taken over what the sender
    /// wants to hear, too (RFC 3461 section 5.2.1); else it is for the relay to say that the
    /// message was relayed (section 5.2.2).
    pub(crate) dsn_passed_on: bool,
    /// What was said.
    pub(crate) said: Said,
}

impl Answer {
    /// Of a recipient that no server was looked for.
    pub(crate) fn without_route(place: usize, said: Said) -> Self {
        Self {
            place,
            judgements: Vec::new(),
            route: None,
            connected: false,
            tls: None,
            dsn_passed_on: false,
            said,
        }
    }
}

/// What was said of a recipient.
#[derive(Debug)]
pub(crate) enum Said {
    /// By the server.
    ByServer(Reply),
    /// By the relay in its stead.
    ByRelay(Reply),
    /// By the relay, of a message that is damaged and is held.
    Damaged(Reply),
    /// Nothing: there was no attempt, and it is to be handed back for that long.
    Nothing(Duration),
}

/// An answer with the ending that it comes to.
struct Settled {
    answer: Answer,
    ending: Ending,
}

/// Settles these recipients: one record, with a notice for each thing that their sender is to be
/// told. Those that somebody else has settled are left out.
pub(crate) async fn settle(delivery: &Delivery, in_hand: &InHand, answers: Vec<Answer>) {
    let settled: Vec<Settled> = answers
        .into_iter()
        .filter(|answer| in_hand.take(answer.place))
        .map(|answer| Settled {
            ending: ending(delivery, in_hand, &answer),
            answer,
        })
        .collect();
    if settled.is_empty() {
        return;
    }
    let notices = notices(delivery, in_hand, &settled).await;
    let recorded = record(delivery, in_hand, &settled, &notices).await;
    for settled in &settled {
        tell(delivery, in_hand, settled).await;
    }
    for notice in notices.iter().filter(|_| recorded) {
        let (id, action, to) = (notice.id, notice.action, &notice.to);
        let recipients: Vec<_> = (settled.iter())
            .filter(|one| to_tell(in_hand, one) == Some(action))
            .map(|one| in_hand.recipient(one.answer.place))
            .collect();
        tracing::info!(id = %in_hand.claim.transaction.id, notice = %id, action = action.word(), %to, "notice queued");
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

/// Settles every recipient that is still open, all with the same words.
pub(crate) async fn settle_open(delivery: &Delivery, in_hand: &InHand, said: impl Fn() -> Said) {
    let open = in_hand.open().into_iter();
    let answers = open.map(|place| Answer::without_route(place, said()));
    settle(delivery, in_hand, answers.collect()).await;
}

/// What an answer comes to for its recipient.
fn ending(delivery: &Delivery, in_hand: &InHand, answer: &Answer) -> Ending {
    let now = delivery.now();
    let server = match &answer.route {
        Some(hop) if answer.connected => Some(format!("{}:{}", hop.host, hop.port)),
        _ => None,
    };
    let reply = match &answer.said {
        Said::ByServer(reply) | Said::ByRelay(reply) => reply.clone(),
        Said::Damaged(reply) => {
            return Ending::Held {
                reply: reply.clone(),
            };
        }
        Said::Nothing(wait) => {
            return Ending::Returned {
                next_attempt: now + *wait,
            };
        }
    };
    if reply.is_positive()
        && let Some(server) = server
    {
        return Ending::Delivered { reply, server };
    }
    if reply.is_permanent() {
        return Ending::Failed { reply, server };
    }
    let claim = &in_hand.claim;
    let recipient = in_hand.recipient(answer.place);
    let late_at = notify::delay_notice_at(&delivery.settings.notifications, claim, recipient);
    let next = (delivery.schedule).next(claim.expires_at, recipient.attempts, now);
    match next {
        Some(next_attempt) => Ending::Deferred {
            reply,
            server,
            // As on the expiry, an attempt falls on the moment when the sender is to be told.
            next_attempt: match late_at {
                Some(at) if now < at => next_attempt.min(at),
                _ => next_attempt,
            },
            delay_told: late_at.is_some_and(|at| now >= at),
        },
        None => Ending::Failed {
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

/// What the sender is to be told of a recipient, if anything.
fn to_tell(in_hand: &InHand, settled: &Settled) -> Option<Action> {
    let recipient = in_hand.recipient(settled.answer.place);
    let action = match &settled.ending {
        Ending::Failed { .. } => Action::Failed,
        Ending::Deferred {
            delay_told: true, ..
        } => Action::Delayed,
        Ending::Delivered { .. } if settled.answer.dsn_passed_on => return None,
        // LMTP answers for a mailbox (RFC 2033 section 4.2), SMTP for a way on.
        Ending::Delivered { .. } => match settled.answer.route.as_ref().map(|hop| hop.protocol) {
            Some(Protocol::Lmtp) => Action::Delivered,
            _ => Action::Relayed,
        },
        Ending::Deferred { .. } | Ending::Held { .. } | Ending::Returned { .. } => return None,
    };
    notify::wants(recipient.dsn.notify, action).then_some(action)
}

/// Writes the notices: one for each action. To a null sender there is none, nor to one that may be
/// another's and is [told nothing](notify::Notifications::tells).
async fn notices(delivery: &Delivery, in_hand: &InHand, settled: &[Settled]) -> Vec<Notice> {
    let claim = &in_hand.claim;
    let Some(to) = claim.transaction.reverse_path.address() else {
        return Vec::new();
    };
    let notifications = &delivery.settings.notifications;
    if !notifications.tells(claim.sender) {
        let id = claim.transaction.id;
        tracing::debug!(%id, %to, sender = ?claim.sender, "the sender may be another: no notice");
        return Vec::new();
    }
    let mut notices = Vec::new();
    for action in Action::ALL {
        let told: Vec<_> = (settled.iter())
            .filter(|one| to_tell(in_hand, one) == Some(action))
            .filter_map(|one| told(in_hand, one))
            .collect();
        if told.is_empty() {
            continue;
        }
        let cause = Cause {
            hostname: &delivery.settings.hostname,
            action,
            now: delivery.now(),
            told: &told,
        };
        notices.push(Notice::of(notifications, claim.into(), cause, to).await);
    }
    notices
}

/// Puts the results and the notices on disk; whether they are there.
///
/// A result that the spool does not take is handed in again and again while the lease lasts: to
/// forget a delivery would be to repeat it.
async fn record(
    delivery: &Delivery,
    in_hand: &InHand,
    settled: &[Settled],
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
                .map(|one| RecipientResult {
                    number: in_hand.recipient(one.answer.place).number,
                    ending: one.ending.clone(),
                })
                .collect(),
            notices: notices
                .iter()
                .map(|notice| notice.for_spool(claim.into(), expires_at))
                .collect(),
        };
        match delivery.spool.record(report).await {
            Ok(recorded) => {
                if recorded.ignored > 0 {
                    tracing::warn!(
                        id = %claim.transaction.id,
                        ignored = recorded.ignored,
                        "results came after the lease had run out: expect a duplicate"
                    );
                }
                return recorded.applied > 0;
            }
            Err(error) => {
                tracing::error!(id = %claim.transaction.id, %error, "results not recorded");
                if matches!(error, SpoolError::Closed) || delivery.now() >= claim.lease.until {
                    return false;
                }
                tokio::time::sleep(RECORD_AGAIN).await;
            }
        }
    }
}

/// Log, metrics and observer.
async fn tell(delivery: &Delivery, in_hand: &InHand, settled: &Settled) {
    let recipient = in_hand.recipient(settled.answer.place);
    let took = in_hand.since.elapsed();
    let (result, reply, server, next) = match &settled.ending {
        Ending::Delivered { reply, server } => ("delivered", reply, Some(server), None),
        Ending::Deferred {
            reply,
            server,
            next_attempt,
            ..
        } => ("deferred", reply, server.as_ref(), Some(next_attempt)),
        Ending::Failed { reply, server } => ("failed", reply, server.as_ref(), None),
        Ending::Held { reply } => ("held", reply, None, None),
        Ending::Returned { .. } => {
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
        tls = settled.answer.tls.as_deref(),
        next = next.map(tracing::field::display),
        "attempt ended"
    );
    let attempt = Attempt {
        message: &in_hand.claim,
        recipient,
        judgements: &settled.answer.judgements,
        route: settled.answer.route.as_ref(),
        tls: settled.answer.tls.as_deref(),
        ending: &settled.ending,
        took,
    };
    delivery.observer.attempt_ended(&attempt).await;
}

/// A recipient as a notice tells of it.
fn told<'a>(in_hand: &'a InHand, settled: &'a Settled) -> Option<Told<'a>> {
    let (Ending::Delivered { reply, .. }
    | Ending::Deferred { reply, .. }
    | Ending::Failed { reply, .. }) = &settled.ending
    else {
        return None;
    };
    let recipient = in_hand.recipient(settled.answer.place);
    Some(Told {
        recipient: &recipient.address,
        dsn: &recipient.dsn,
        reply,
        remote: match (&settled.answer.said, &settled.answer.route) {
            (Said::ByServer(said), Some(hop)) => Some((&hop.host, said)),
            _ => None,
        },
    })
}
