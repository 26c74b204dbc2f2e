//! Carries out the judgement of a message. When this returns, the outcome is on disk.

use gatepost_authentication::{Authentication, Facts};
use gatepost_delivery::{Action, bounce_of_refused, count_notice, report_of_suppressed};
use gatepost_message::{Address, Millis, TransactionId, domain_to_ascii};
use gatepost_model::{Flow, Transaction, Transport};
use gatepost_smtp::Reply;
use gatepost_smtp::dsn::{MessageRequest, RecipientRequest};
use gatepost_spool::{
    InitialState, Ledger, NewBody, NewMessage, NewRecipient, Quarantine, SenderProof, SpoolError,
};
use gatepost_trace::{Kind, Notified};
use gatepost_volume::InHand;

use super::evaluation::Evaluated;
use super::judge::{Disposition, RecipientDisposition};
use super::{Pipeline, replied, spool_refusal, told, with_id};
use crate::http_submission::AnswerToKeep;
use crate::integrity;
use crate::returns::MatchedReport;

/// Requests of the client with its envelope, for delivery to honour.
#[derive(Debug)]
pub(super) struct Requests {
    /// True if it announced SMTPUTF8 (RFC 6531).
    pub(super) smtputf8: bool,
    /// DSN parameters of MAIL.
    pub(super) message: MessageRequest,
    /// DSN parameters of each RCPT, in the order of the transaction.
    pub(super) recipients: Vec<RecipientRequest>,
    /// Times of delivery that the client has set.
    pub(super) times: DeliveryTimes,
    /// Answer that is kept with the message, for a program that sends its request again.
    pub(super) answer: Option<AnswerToKeep>,
}

/// Times of delivery that the client of a message has set, in place of those of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct DeliveryTimes {
    /// Earliest time of the first attempt.
    pub(crate) not_before: Option<Millis>,
    /// Time at which the message is given up, where that is earlier than by the configuration.
    pub(crate) expires: Option<Millis>,
}

/// Hands a judged message to the spool according to its disposition, and returns the reply to the
/// client.
///
/// A message that is discarded, or suppressed for all, is handed in without a recipient: the spool
/// keeps nothing of it but its effects.
pub(super) async fn commit(
    pipeline: &Pipeline,
    evaluated: Evaluated,
    requests: Requests,
    in_hand: Option<InHand>,
    body: NewBody,
    returned: Option<MatchedReport>,
    answered: Option<TransactionId>,
) -> Reply {
    let Evaluated {
        transaction,
        judged,
        ..
    } = evaluated;
    let id = transaction.id;
    let reply = judged.reply(&transaction);
    let recorded = judged.disposition == Disposition::Recorded;
    let metadata = judged.metadata.as_deref();
    let mut events = told::events(
        pipeline,
        &transaction,
        &judged.message,
        metadata,
        &judged.disposition,
    );
    let (dispositions, quarantine) = match judged.disposition {
        Disposition::Refused(_) => {
            told::store(pipeline, events).await;
            return reply;
        }
        Disposition::Discarded | Disposition::Recorded => (Vec::new(), None),
        Disposition::Accepted {
            recipients,
            quarantine,
        } => (recipients, quarantine),
    };
    // A bounce names the message, too, and answers nothing.
    let answered = answered.filter(|_| quarantine.is_none() && returned.is_none());
    if let Some(answered) = answered {
        events.extend(replied::event(pipeline, &transaction, answered).await);
    }
    let now = Millis::now();
    let kept = requests.answer.as_ref().map(|answer| answer.at(id, now));
    let kept = match kept.transpose() {
        Ok(kept) => kept,
        Err(reply) => return with_id(reply, id),
    };
    let quarantine = quarantine.map(|reason| Quarantine {
        reason,
        expires: now + pipeline.config.quarantine.expiry,
    });
    let kinds = match recorded {
        true => Vec::new(),
        false => kinds(&dispositions, quarantine.as_ref()),
    };
    let mut effects = judged.findings.effects;
    if let Some(in_hand) = &in_hand {
        let delivered = |of: &&(_, _)| matches!(of.1, RecipientDisposition::Delivered);
        effects.extend(in_hand.effects(dispositions.iter().filter(delivered).count()));
    }
    let mut ledger = match &returned {
        Some(of) => {
            let first = of.first_event(&*pipeline.events).await;
            let rules = pipeline.config.suppression.suppressing();
            of.ledger(now, first.as_ref(), rules)
        }
        None => Ledger::default(),
    };
    ledger.tell(events);
    ledger.answers.extend(kept);
    let times = requests.times;
    let first = times.not_before.map_or(now, |at| at.max(now));
    let latest = first + pipeline.config.delivery.expiry;
    let message = NewMessage {
        // The dispositions are in the transaction's order, too.
        recipients: dispositions
            .iter()
            .zip(requests.recipients)
            .map(|((address, disposition), dsn)| recipient(address, dsn, disposition, first))
            .collect(),
        smtputf8: requests.smtputf8,
        dsn: requests.message,
        sender: sender(&transaction, judged.facts.as_deref()),
        head: judged.message.head().clone(),
        body,
        tags: judged.findings.tags,
        classification: judged.findings.classification,
        judgements: judged.findings.judgements,
        effects,
        metadata: judged.metadata,
        ledger,
        quarantine,
        received_at: now,
        expires_at: times.expires.map_or(latest, |at| at.min(latest)),
        transaction,
    };
    // The notices go first: if one cannot be stored the message is not accepted either, and the
    // client tries again later. The other way round a recipient could be refused without a word.
    if let Err(error) = store_notices(pipeline, &message, judged.findings.report_suppressed).await {
        return with_id(spool_refusal(&error), id);
    }
    // Before it is accepted: its first attempt may end before this task goes on.
    if let Some(sent) = integrity::sent(&message.transaction, &judged.message, &message.judgements)
    {
        pipeline.trace.sent(sent);
    }
    let exported = pipeline.spans.message(id);
    let exported = exported.map(|trace| trace.accepting(&message));
    let accepted = accept(pipeline, message, requests.answer).await;
    // The store has counted it.
    drop(in_hand);
    if let Some(exported) = exported {
        exported.accepted(&accepted);
    }
    if let Err(error) = accepted {
        return with_id(spool_refusal(&error), id);
    }
    if let Some(returned) = returned {
        returned.record(&pipeline.trace);
    }
    for kind in kinds {
        pipeline.record(id, kind);
    }
    reply
}

/// Has the queue accept a message. The key of its request, if it has one, is held until the commit is
/// over, also if nobody waits for it any more: the same request could be accepted again meanwhile.
async fn accept(
    pipeline: &Pipeline,
    message: NewMessage,
    answer: Option<AnswerToKeep>,
) -> Result<(), SpoolError> {
    let accepting = pipeline.queue.accept(message);
    let Some(answer) = answer else {
        return accepting.await;
    };
    let committed = tokio::spawn(async move {
        let accepted = accepting.await;
        drop(answer);
        accepted
    });
    // The runtime ends with the relay only.
    committed.await.unwrap_or(Err(SpoolError::Closed))
}

/// Stores the notices to the sender: of refused recipients, and, if a policy wants it, of suppressed
/// ones. An unauthenticated sender may be forged, and is told nothing.
async fn store_notices(
    pipeline: &Pipeline,
    message: &NewMessage,
    report_suppressed: bool,
) -> Result<(), SpoolError> {
    let session = &message.transaction.session;
    // Over HTTP the answer tells of each recipient.
    if session.user.is_none() || session.transport == Transport::Http {
        return Ok(());
    }
    let id = message.transaction.id;
    let hostname = pipeline.config.relay.hostname.as_str();
    let notifications = &pipeline.notifications;
    let mut notices = Vec::new();
    let bounce = bounce_of_refused(notifications, hostname, message).await;
    notices.extend(bounce.map(|bounce| (Action::Failed, bounce)));
    if report_suppressed && message.transaction.session.flow == Flow::Submission {
        let report = report_of_suppressed(notifications, hostname, message).await;
        notices.extend(report.map(|report| (Action::Suppressed, report)));
    }
    for (action, told) in notices {
        let notice = told.message.transaction.id;
        let to = told.message.transaction.recipients.clone();
        pipeline.queue.accept(told.message).await?;
        count_notice(action);
        let recipients = told.recipients;
        if let Some(exported) = pipeline.spans.message(notice) {
            exported.notification(id, action, recipients.len());
        }
        let kind = match action {
            Action::Suppressed => Kind::Notified {
                notice,
                of: Notified::Suppressed,
                recipients,
            },
            _ => Kind::Bounced { notice, recipients },
        };
        pipeline.record(id, kind);
        pipeline.record(notice, Kind::Queued { recipients: to });
    }
    Ok(())
}

/// Returns how far the reverse-path is proved. A signature of that very domain proves it where SPF
/// does not, as after a forwarder.
fn sender(transaction: &Transaction, facts: Option<&Facts>) -> SenderProof {
    if transaction.session.user.is_some() {
        return SenderProof::Authenticated;
    }
    let domain = transaction.reverse_path.address();
    let domain = domain.and_then(|address| domain_to_ascii(address.domain()));
    let (Some(facts), Some(domain)) = (facts, domain) else {
        return SenderProof::Unproved;
    };
    let signed = facts.dkim.iter().any(|signature| {
        signature.result == Authentication::Pass && signature.domain.eq_ignore_ascii_case(&domain)
    });
    match facts.spf.mailfrom.result {
        Authentication::Pass => SenderProof::Proved,
        _ if signed => SenderProof::Proved,
        Authentication::Fail => SenderProof::Refuted,
        _ => SenderProof::Unproved,
    }
}

/// Returns a recipient in its first state in the store.
fn recipient(
    address: &Address,
    dsn: RecipientRequest,
    disposition: &RecipientDisposition,
    now: Millis,
) -> NewRecipient {
    NewRecipient {
        address: address.clone(),
        dsn,
        state: match disposition {
            RecipientDisposition::Delivered => InitialState::Queued { next_attempt: now },
            RecipientDisposition::Suppressed(reason) => InitialState::Suppressed {
                reason: reason.clone(),
            },
            RecipientDisposition::Rejected(reply) => InitialState::Failed {
                reply: reply.clone(),
            },
        },
    }
}

/// Returns the trace events of an accepted message.
fn kinds(
    dispositions: &[(Address, RecipientDisposition)],
    quarantine: Option<&Quarantine>,
) -> Vec<Kind> {
    let mut kinds = Vec::new();
    let mut queued = Vec::new();
    for (address, disposition) in dispositions {
        match disposition {
            RecipientDisposition::Delivered => queued.push(address.clone()),
            RecipientDisposition::Suppressed(reason) => kinds.push(Kind::Suppressed {
                address: address.clone(),
                reason: reason.clone(),
            }),
            RecipientDisposition::Rejected(reply) => kinds.push(Kind::Recipient {
                address: address.clone(),
                reply: reply.clone(),
            }),
        }
    }
    match quarantine {
        _ if dispositions.is_empty() => kinds.push(Kind::Discarded),
        Some(Quarantine { reason, expires }) => kinds.push(Kind::Quarantined {
            reason: reason.clone(),
            expires: *expires,
        }),
        None if queued.is_empty() => {}
        None => kinds.push(Kind::Queued { recipients: queued }),
    }
    kinds
}
