//! Settling of recipients: from replies to outcomes, notices, the record and the observer.

mod learnt;
mod suppression;

mod told;

use std::fmt;
use std::time::Duration;

use gatepost_message::{Address, Message, Millis, ReversePath};
use gatepost_model::{
    AttemptStage, Destination, DestinationKey, Flow, Judgement, Protocol, Route, Step,
};
use gatepost_smtp::Reply;
use gatepost_smtp::client::{OpeningStage, Stage};
use gatepost_spool::{AttemptOutcome, Ledger, RecipientResult, Report, SpoolError};

use crate::connection::Connection;
use crate::delivery::Delivery;
use crate::in_hand::MessageInHand;
use crate::notify::{self, Action, Notice, NoticeContext, ReportedRecipient};
use crate::observer::{Attempt, NoticeMade};
use crate::open::OpeningFailure;
use crate::remark::Remark;
use crate::route::after_deferral;
use crate::router::Patience;
use crate::target::Stop;

/// Delay before a report is handed in again that the spool did not accept.
const RECORD_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Result of an attempt for one recipient.
#[derive(Debug)]
pub(crate) struct RecipientAttempt {
    /// Index of the recipient in the claim.
    pub(crate) index: usize,
    /// Calls of policies that led to the route.
    pub(crate) judgements: Vec<Judgement>,
    /// Route; `None` if there was none, or it leads nowhere now.
    pub(crate) route: Option<Route>,
    /// Server that was tried.
    pub(crate) server: Option<Server>,
    /// Protocol and cipher of the connection.
    pub(crate) tls: Option<String>,
    /// True if the next hop, if it accepts the recipient, also accepts responsibility for the
    /// requested notices (RFC 3461 section 5.2.1); otherwise the relay reports that the message was
    /// relayed (section 5.2.2).
    pub(crate) dsn_passed_on: bool,
    /// Message-IDs that the message may have behind the server, in place of ours.
    pub(crate) given_ids: Vec<String>,
    /// Message as it travelled; `None` if no transaction began.
    pub(crate) sent: Option<SentMessage>,
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
            server: None,
            tls: None,
            dsn_passed_on: false,
            given_ids: Vec::new(),
            sent: None,
            reply,
        }
    }
}

/// Message as it travelled.
#[derive(Debug, Clone)]
pub(crate) struct SentMessage {
    pub(crate) message: Message,
    /// Address in whose name it left, if it was not the sender's.
    pub(crate) author: Option<Address>,
    /// MAIL FROM.
    pub(crate) reverse_path: ReversePath,
}

/// Server of an attempt.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) host: String,
    /// Port; none for a way without one.
    pub(crate) port: Option<u16>,
    /// True if it delivers for good, and hands nothing on.
    pub(crate) delivers: bool,
    /// Stage at which it did not open a session; `None` if it did.
    pub(crate) failed_at: Option<OpeningStage>,
}

impl Server {
    /// Returns the server of a connection.
    pub(crate) fn of(connection: &Connection) -> Self {
        Self {
            host: connection.host.clone(),
            // Without a network there is none.
            port: Some(connection.address.port()).filter(|port| *port != 0),
            // LMTP attempts for a mailbox (RFC 2033 section 4.2), SMTP for a further hop.
            delivers: connection.protocol == Protocol::Lmtp,
            failed_at: None,
        }
    }

    /// Returns the server that did not open a session.
    pub(crate) fn not_opened(why: &OpeningFailure) -> Self {
        let (host, port) = why.server.rsplit_once(':').unwrap_or((&why.server, ""));
        Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: port.parse().ok(),
            delivers: false,
            failed_at: Some(why.stage),
        }
    }

    /// Returns the application's way, by the key of its destination.
    pub(crate) fn application(key: &DestinationKey) -> Self {
        Self {
            host: key.to_string(),
            port: None,
            delivers: true,
            failed_at: None,
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Reply of an attempt for a recipient.
#[derive(Debug, Clone)]
pub(crate) enum AttemptReply {
    /// Reply of the server, at that stage of the transaction.
    FromServer(Reply, Stage),
    /// Reply of the relay in the server's stead.
    FromRelay(Reply),
    /// Reply for the application, which answers without SMTP.
    FromApplication {
        /// Reply.
        reply: Reply,
        /// Time of the next try, if the recipient waits.
        next: Millis,
        /// Stage that ended the attempt.
        stage: AttemptStage,
    },
    /// Something stops the destination, or the mailbox that the message leaves from. That says
    /// nothing of the recipient, which waits.
    Waits {
        /// Reason, and the time of the next try.
        stop: Stop,
        /// True if the reply in it is the server's.
        from_server: bool,
    },
    /// Reply of the relay for a recipient that is held.
    Held(Reply),
    /// Dropped without a notice, with the reason.
    Discarded(String),
    /// No attempt was made, because something stops the destination or the mailbox that the message
    /// leaves from.
    Stopped(Stop),
    /// No attempt was made.
    NotAttempted {
        /// Time at which the recipient is due again.
        until: Millis,
        /// Reply that says why, if there is one.
        reply: Option<Reply>,
    },
}

impl RecipientAttempt {
    /// Returns the stage that ended the attempt.
    fn stage(&self) -> AttemptStage {
        match (&self.reply, &self.server) {
            (AttemptReply::FromServer(_, stage), _) => match stage {
                Stage::Mail => AttemptStage::Mail,
                Stage::Recipient => AttemptStage::Recipient,
                Stage::Data => AttemptStage::Data,
                Stage::Message => AttemptStage::Message,
                Stage::Local => AttemptStage::Local,
            },
            (AttemptReply::FromApplication { stage, .. }, _) => *stage,
            (_, Some(server)) => match server.failed_at {
                None => AttemptStage::Local,
                Some(OpeningStage::Tls | OpeningStage::StartTls) => AttemptStage::Tls,
                Some(OpeningStage::Auth) => AttemptStage::Auth,
                Some(OpeningStage::Connect | OpeningStage::Greeting | OpeningStage::Ehlo) => {
                    AttemptStage::Connect
                }
            },
            (_, None) => AttemptStage::Local,
        }
    }

    /// Returns true if the attempt itself ended in a permanent reply.
    fn is_refused(&self) -> bool {
        match &self.reply {
            AttemptReply::FromServer(reply, _)
            | AttemptReply::FromRelay(reply)
            | AttemptReply::FromApplication { reply, .. } => reply.is_permanent(),
            _ => false,
        }
    }
}

/// A recipient's result, with the outcome that follows from it.
struct SettledRecipient {
    attempt: RecipientAttempt,
    outcome: AttemptOutcome,
    /// Step of the plan that was tried, and the address in whose name.
    step: Option<Step>,
    sent_as: Option<Address>,
    /// Destination of the attempt.
    destination: Option<Destination>,
    /// Route for the queue to keep.
    route: Option<Route>,
    /// Time at which the recipient is wanted back even if its destination is closed.
    attention_at: Millis,
}

impl SettledRecipient {
    /// Returns true if the recipient was given up because its time was over.
    fn is_expired(&self) -> bool {
        matches!(self.outcome, AttemptOutcome::Failed { .. }) && !self.attempt.is_refused()
    }
}

/// Settles recipients: one report to the spool, with a notice for each action that their sender is
/// told of. Recipients that were settled before are left out.
pub(crate) async fn settle(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    attempts: Vec<RecipientAttempt>,
) {
    let settled: Vec<_> = attempts
        .into_iter()
        .filter(|attempt| in_hand.close(attempt.index))
        .map(|attempt| settled(delivery, in_hand, attempt))
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

/// Settles a result: its outcome, and what the queue keeps of the route.
fn settled(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    mut attempt: RecipientAttempt,
) -> SettledRecipient {
    let recipient = in_hand.recipient(attempt.index);
    let destination = attempt.route.as_ref().map(|route| &route.destination);
    let patience = destination.map(|destination| delivery.ways.patience(destination));
    let patience = patience.unwrap_or_default();
    let expires_at = expires_at(in_hand, attempt.route.as_ref(), &patience);
    let outcome = outcome_of(delivery, in_hand, &attempt, expires_at, &patience);
    let route = attempt.route.as_ref();
    let destination = route.map(|route| route.destination.clone());
    let step = route.and_then(|route| route.plan.steps.get(usize::from(route.step)).cloned());
    let author = attempt.sent.as_ref().and_then(|sent| sent.author.clone());
    let sent_as = author.or_else(|| route.and_then(|route| route.plan.send_as.clone()));
    let (outcome, route) = match (outcome, attempt.route.take()) {
        (outcome @ AttemptOutcome::Returned { .. }, route) => (outcome, route),
        (
            AttemptOutcome::Deferred {
                reply,
                server,
                next_attempt,
                delay_told,
            },
            Some(route),
        ) => {
            let now = delivery.now();
            let (route, is_next_step) = after_deferral(delivery, in_hand, recipient, route, now);
            // Another way need not wait for what the last one was waiting for.
            let next_attempt = if is_next_step { now } else { next_attempt };
            let deferred = AttemptOutcome::Deferred {
                reply,
                server,
                next_attempt,
                delay_told,
            };
            (deferred, Some(route))
        }
        (outcome, route) => (outcome, route),
    };
    let late_at = notify::delay_notice_at(
        &delivery.settings.notifications,
        &in_hand.claim,
        recipient,
        patience.delay_notice,
    );
    let told = matches!(
        outcome,
        AttemptOutcome::Deferred {
            delay_told: true,
            ..
        }
    );
    let late_at = late_at.filter(|_| !told);
    SettledRecipient {
        attention_at: late_at.map_or(expires_at, |at| at.min(expires_at)),
        step,
        sent_as,
        destination,
        outcome,
        route,
        attempt,
    }
}

/// Returns the time at which a recipient is given up: that of its message, or the earlier one of
/// its plan.
fn expires_at(in_hand: &MessageInHand, route: Option<&Route>, patience: &Patience) -> Millis {
    let claim = &in_hand.claim;
    let expires_at = patience.expiry.map(|expiry| claim.received_at + expiry);
    let expires_at = expires_at.unwrap_or(claim.expires_at);
    let plan = route.and_then(|route| route.plan.expire_after);
    let own = plan.map(|seconds| claim.received_at + Duration::from_secs(seconds.into()));
    own.map_or(expires_at, |own| own.min(expires_at))
}

/// Returns the outcome that follows from a result.
fn outcome_of(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    attempt: &RecipientAttempt,
    expires_at: Millis,
    patience: &Patience,
) -> AttemptOutcome {
    let now = delivery.now();
    let claim = &in_hand.claim;
    let recipient = in_hand.recipient(attempt.index);
    let server = attempt
        .server
        .as_ref()
        .filter(|server| server.failed_at != Some(OpeningStage::Connect));
    let server = server.map(Server::to_string);
    let late_at = notify::delay_notice_at(
        &delivery.settings.notifications,
        claim,
        recipient,
        patience.delay_notice,
    );
    let is_late = late_at.is_some_and(|at| now >= at);
    let (reply, next) = match &attempt.reply {
        AttemptReply::Held(reply) => {
            return AttemptOutcome::Held {
                reply: reply.clone(),
            };
        }
        AttemptReply::Discarded(reason) => {
            return AttemptOutcome::Discarded {
                reason: reason.clone(),
            };
        }
        AttemptReply::Stopped(stop) if now < expires_at && !is_late => {
            return returned(stop.until.min(expires_at), Some(&stop.reply));
        }
        AttemptReply::NotAttempted { until, reply } if now < expires_at && !is_late => {
            return returned((*until).min(expires_at), reply.as_ref());
        }
        AttemptReply::NotAttempted { until, reply } => {
            // An expired recipient could wait behind others for ever; and one whose sender is to be
            // told of the delay is.
            let last = reply.clone().or_else(|| recipient.last_reply.clone());
            let reply = last.unwrap_or_else(|| Reply::new(451, "4.4.5", "no attempt was possible"));
            (reply, (now < expires_at).then_some(*until))
        }
        AttemptReply::Waits { stop, .. } | AttemptReply::Stopped(stop) => match now < expires_at {
            true => (stop.reply.clone(), Some(stop.until)),
            // The customer has to mend something, and the message is not at fault.
            false if stop.broken && !is_own(in_hand) => {
                return AttemptOutcome::Held {
                    reply: stop.reply.clone(),
                };
            }
            false => (stop.reply.clone(), None),
        },
        AttemptReply::FromApplication { reply, next, .. } => {
            (reply.clone(), (now < expires_at).then_some(*next))
        }
        AttemptReply::FromServer(reply, _) | AttemptReply::FromRelay(reply) => {
            let next = match Remark::of(reply) {
                Remark::Greylisted(wait) => (now < expires_at).then(|| now + wait),
                Remark::Throttled | Remark::Nothing => {
                    let (schedule, attempts) = (&delivery.schedule, recipient.attempts);
                    match &patience.retry {
                        Some(waits) => schedule.next_by(waits, expires_at, attempts, now),
                        None => schedule.next(expires_at, attempts, now),
                    }
                }
            };
            (reply.clone(), next)
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
    match next {
        Some(next_attempt) => AttemptOutcome::Deferred {
            reply,
            server,
            // As on the expiry, an attempt falls on the time at which the sender is to be told.
            next_attempt: match late_at {
                Some(at) if now < at => next_attempt.min(at),
                _ => next_attempt,
            }
            .min(expires_at),
            delay_told: is_late,
        },
        // Mail for the application is not lost because the application is away: it waits for an
        // operator.
        None if is_for_application(in_hand, attempt) => AttemptOutcome::Held { reply },
        None => AttemptOutcome::Failed {
            // RFC 3463: X.4.7, delivery time expired.
            reply: Reply::new(
                554,
                "5.4.7",
                format!(
                    "not delivered by {}; the last answer was: {reply}",
                    expires_at.rfc5322()
                ),
            ),
            server,
        },
    }
}

/// Returns true for mail of the relay's own: nobody waits for it, and nobody is told of it.
fn is_own(in_hand: &MessageInHand) -> bool {
    in_hand.claim.transaction.session.flow == Flow::Internal
}

/// Returns true for mail on its way to the application: what came in, and whatever goes to one of
/// its destinations.
fn is_for_application(in_hand: &MessageInHand, attempt: &RecipientAttempt) -> bool {
    let stored = in_hand.recipient(attempt.index).route.as_ref();
    let route = attempt.route.as_ref().or(stored);
    in_hand.claim.transaction.session.flow == Flow::Inbound
        || route.is_some_and(|route| route.destination.is_of_application())
}

/// Makes the outcome of a recipient that was not attempted.
fn returned(next_attempt: Millis, reply: Option<&Reply>) -> AttemptOutcome {
    AttemptOutcome::Returned {
        next_attempt,
        reply: reply.cloned(),
        server: None,
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
        AttemptOutcome::Delivered { .. } => {
            let server = settled.attempt.server.as_ref();
            match server.is_some_and(|server| server.delivers) {
                true => Action::Delivered,
                false => Action::Relayed,
            }
        }
        AttemptOutcome::Deferred { .. }
        | AttemptOutcome::Held { .. }
        | AttemptOutcome::Discarded { .. }
        | AttemptOutcome::Returned { .. } => return None,
    };
    notify::wants_notice(recipient.dsn.notify, action).then_some(action)
}

/// Writes the notices, one for each action. A null sender and the relay itself get none, nor does a reverse-path that
/// may be forged, unless it [may be notified](notify::Notifications::may_notify).
async fn notices(
    delivery: &Delivery,
    in_hand: &MessageInHand,
    settled: &[SettledRecipient],
) -> Vec<Notice> {
    let claim = &in_hand.claim;
    let to = claim.transaction.reverse_path.address();
    let Some(to) = to.filter(|_| !is_own(in_hand)) else {
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

/// Returns the entries for the ledgers that come with a result.
fn ledger(delivery: &Delivery, in_hand: &MessageInHand, settled: &SettledRecipient) -> Ledger {
    let mut ledger = Ledger::of(told::event(delivery, in_hand, settled));
    (ledger.suppressions).extend(suppression::change(delivery, in_hand, settled));
    ledger.learnt = learnt::ids(delivery, in_hand, settled);
    ledger
}

/// Records results and notices in the spool; returns true if they are on disk. A message that only
/// found no room at its destination waits for it in memory.
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
                .map(|one| RecipientResult {
                    number: in_hand.recipient(one.attempt.index).number,
                    outcome: one.outcome.clone(),
                    route: one.route.clone(),
                    attention_at: Some(one.attention_at),
                    ledger: ledger(delivery, in_hand, one),
                })
                .collect(),
            notices: notices
                .iter()
                .map(|notice| notice.for_spool(claim.into(), expires_at))
                .collect(),
            keep_until: keep_until(delivery, in_hand),
        };
        let report = match delivery.queue.set_aside(claim, report) {
            Ok(()) => return false,
            Err(report) => *report,
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

/// Returns the time until which the message is kept if a recipient fails. Only what the application
/// has submitted is kept: strangers could fill the store.
fn keep_until(delivery: &Delivery, in_hand: &MessageInHand) -> Option<Millis> {
    let keep = delivery.settings.keep_failed;
    let flow = in_hand.claim.transaction.session.flow;
    let is_kept = !keep.is_zero() && flow == Flow::Submission;
    is_kept.then(|| delivery.now() + keep)
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
                result = "discarded",
                reason,
                "attempt ended"
            );
            return observe(delivery, in_hand, settled).await;
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
    observe(delivery, in_hand, settled).await;
}

/// Calls the observer.
async fn observe(delivery: &Delivery, in_hand: &MessageInHand, settled: &SettledRecipient) {
    let attempt = Attempt {
        message: &in_hand.claim,
        recipient: in_hand.recipient(settled.attempt.index),
        judgements: &settled.attempt.judgements,
        destination: settled.destination.as_ref(),
        tls: settled.attempt.tls.as_deref(),
        server: (settled.attempt.server.as_ref()).map(|server| (&*server.host, server.port)),
        stage: settled.attempt.stage(),
        step: settled.step.as_ref(),
        sent_as: settled.sent_as.as_ref(),
        sent: (settled.attempt.sent.as_ref()).map(|sent| &sent.message),
        mail_from: (settled.attempt.sent.as_ref()).map(|sent| &sent.reverse_path),
        expired: settled.is_expired(),
        outcome: &settled.outcome,
        took: in_hand.since.elapsed(),
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
        remote: match (&settled.attempt.reply, &settled.attempt.server) {
            (
                AttemptReply::FromServer(reply, _)
                | AttemptReply::Waits {
                    stop: Stop { reply, .. },
                    from_server: true,
                },
                Some(server),
            ) => Some((&server.host, reply)),
            _ => None,
        },
    })
}
