//! From what was said of recipients to what becomes of them: endings, bounce, record, report.

use std::time::Duration;

use gatepost_message::TransactionId;
use gatepost_policy::{Judgement, NextHop};
use gatepost_smtp::Reply;
use gatepost_spool::{Ending, RecipientResult, Report, SpoolError};

use crate::bounce::{Bounce, Failure};
use crate::delivery::Delivery;
use crate::in_hand::InHand;
use crate::observer::{Attempt, BounceMade};

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
    #[allow(dead_code, reason = "notifications of success are on their way")]
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
    /// Nothing: there was no attempt, and it is to be handed back for that long.
    Nothing(Duration),
}

/// An answer with the ending that it comes to.
struct Settled {
    answer: Answer,
    ending: Ending,
}

/// Settles these recipients: one record, with one bounce if any has failed. Those that somebody
/// else has settled are left out.
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
    let bounce = record(delivery, in_hand, &settled).await;
    for settled in &settled {
        tell(delivery, in_hand, settled).await;
    }
    if let Some(id) = bounce
        && let Some(to) = in_hand.claim.transaction.reverse_path.address()
    {
        let failed: Vec<_> = failed(&settled)
            .map(|one| in_hand.recipient(one.answer.place))
            .collect();
        tracing::info!(id = %in_hand.claim.transaction.id, bounce = %id, %to, "bounce queued");
        metrics::counter!("gatepost_delivery_bounces_total").increment(1);
        let made = BounceMade {
            message: &in_hand.claim,
            failed: &failed,
            id,
            to,
        };
        delivery.observer.bounce_made(&made).await;
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
    let previous = in_hand.recipient(answer.place).attempts;
    match delivery.schedule.next(claim.expires_at, previous, now) {
        Some(next_attempt) => Ending::Deferred {
            reply,
            server,
            next_attempt,
            delay_told: false,
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

/// Puts the results and the bounce on disk; gives the bounce's transaction if there is one.
///
/// A result that the spool does not take is handed in again and again while the lease lasts: to
/// forget a delivery would be to repeat it.
async fn record(
    delivery: &Delivery,
    in_hand: &InHand,
    settled: &[Settled],
) -> Option<TransactionId> {
    let claim = &in_hand.claim;
    let sender = claim.transaction.reverse_path.address();
    let failures: Vec<_> = failed(settled)
        .filter_map(|one| failure(in_hand, one))
        .collect();
    let bounce = sender.filter(|_| !failures.is_empty()).map(|to| {
        let bounce = Bounce {
            hostname: &delivery.settings.hostname,
            id: TransactionId::new(),
            now: delivery.now(),
            failures: &failures,
        };
        (bounce, to)
    });
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
            notices: bounce
                .iter()
                .map(|(bounce, to)| {
                    bounce.for_spool(
                        claim.into(),
                        to,
                        bounce.now + delivery.settings.retry.expiry,
                    )
                })
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
                return bounce
                    .filter(|_| recorded.applied > 0)
                    .map(|(bounce, _)| bounce.id);
            }
            Err(error) => {
                tracing::error!(id = %claim.transaction.id, %error, "results not recorded");
                if matches!(error, SpoolError::Closed) || delivery.now() >= claim.lease.until {
                    return None;
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

fn failed(settled: &[Settled]) -> impl Iterator<Item = &Settled> {
    settled
        .iter()
        .filter(|settled| matches!(settled.ending, Ending::Failed { .. }))
}

/// A failure as the bounce tells it.
fn failure<'a>(in_hand: &'a InHand, settled: &'a Settled) -> Option<Failure<'a>> {
    let Ending::Failed { reply, .. } = &settled.ending else {
        return None;
    };
    Some(Failure {
        recipient: &in_hand.recipient(settled.answer.place).address,
        reply,
        remote: match (&settled.answer.said, &settled.answer.route) {
            (Said::ByServer(said), Some(hop)) => Some((&hop.host, said)),
            _ => None,
        },
    })
}
