//! The versions of one side, and the replay of one entry by them.

use std::collections::HashMap;
use std::sync::Arc;

use gatepost_intake::pipeline::judge::Disposition;
use gatepost_message::{Address, Message};
use gatepost_model::{Judgement, Transaction, Verdict};
use gatepost_policy::{Findings, Pinned, PolicyContext, Reserved, Sizes, Version};
use gatepost_record::{AttemptRecord, RecordEntry, RecordedCall, TransactionRecord};
use gatepost_smtp::Reply;

use crate::given::{At, Giver, calls};
use crate::recorded::ReplayEntry;
use crate::replayed::{Ended, Replayed, Trail};

/// Versions of one side, by listener, and what they are asked with.
#[derive(Clone)]
pub struct Judges {
    /// Chain of each listener.
    pub chains: HashMap<String, Arc<[Arc<Version>]>>,
    /// Sources of what the record has no answer to.
    pub present: PolicyContext,
    /// Sizes to which edits may make a message grow.
    pub sizes: Sizes,
    /// Fields that only the relay writes.
    pub reserved: Reserved,
}

impl Judges {
    /// Returns true if the listener of an entry still exists.
    pub fn know(&self, entry: &RecordEntry) -> bool {
        (self.chains).contains_key(&entry.transaction().session.listener)
    }

    /// Judges an entry.
    pub async fn judge(&self, recorded: &ReplayEntry) -> Replayed {
        self.replay(recorded, None).await
    }

    /// Judges an entry that another side has judged: calls that both make alike are not made again.
    pub async fn judge_like(&self, other: &Replayed, recorded: &ReplayEntry) -> Replayed {
        let trail = Arc::clone(&other.trail);
        let mut replayed = self.replay(recorded, Some(trail)).await;
        for unknown in &other.unknown {
            let asked = |judgement: &Judgement| judgement.policy == unknown.policy;
            let is_shared = other.trail.iter().position(asked).is_some_and(|at| {
                let same = replayed.trail.get(at);
                same.is_some_and(|of| Some(&of.digest) == other.trail.get(at).map(|of| &of.digest))
            });
            if is_shared && !replayed.unknown.contains(unknown) {
                replayed.unknown.push(unknown.clone());
            }
        }
        replayed
    }

    async fn replay(&self, recorded: &ReplayEntry, other: Option<Trail>) -> Replayed {
        let giver = Arc::new(Giver::new(recorded, other));
        let ReplayEntry { entry, message, .. } = recorded;
        let message = message.as_ref();
        let listener = &entry.transaction().session.listener;
        let versions = self.chains.get(listener).cloned();
        let versions = versions.unwrap_or_else(|| Arc::from([]));
        let pinned = Pinned::apart(versions, self.present.clone())
            .within(self.sizes)
            .watched_by(giver.clone());
        let mut replayed = match &**entry {
            RecordEntry::Transaction(record) => {
                self.transaction(&pinned, &giver, entry, record, message)
                    .await
            }
            RecordEntry::Attempt(record) => attempt(&pinned, &giver, record, message).await,
        };
        let (unknown, trail) = giver.take();
        replayed.unknown = unknown;
        replayed.trail = Arc::new(trail);
        replayed
    }

    async fn transaction(
        &self,
        pinned: &Pinned,
        giver: &Giver,
        entry: &RecordEntry,
        record: &TransactionRecord,
        message: Option<&Message>,
    ) -> Replayed {
        let mut findings = Findings::reserving(self.reserved.clone());
        let mut refused = Vec::new();
        let was_refused = |at| has_refused(calls(entry, at));
        if let Some(connect) = &record.connect {
            giver.at(At::Connect);
            let ruling = pinned.connect(&connect.session, connect.at).await;
            if let Some(reply) = refusal(ruling.verdict) {
                findings.note(ruling.judgements);
                return ended(Ended::Refused(reply), findings, refused);
            }
            findings.add(ruling.judgements, None);
            if was_refused(At::Connect) {
                return ended(Ended::BeyondRecord, findings, refused);
            }
        }
        let mut transaction = record.transaction.clone();
        let recipients = std::mem::take(&mut transaction.recipients);
        let Some(sender) = &record.sender else {
            return ended(as_recorded(record), findings, refused);
        };
        giver.at(At::Sender);
        transaction.account.clone_from(&sender.account);
        let ruling = pinned.sender(&transaction).await;
        if let Some(reply) = refusal(ruling.verdict) {
            findings.note(ruling.judgements);
            return ended(Ended::Refused(reply), findings, refused);
        }
        findings.add(ruling.judgements, transaction.account.as_deref());
        if was_refused(At::Sender) {
            return ended(Ended::BeyondRecord, findings, refused);
        }
        // Accepted now, and refused in the record.
        let mut more = Vec::new();
        for (number, asked) in record.recipients.iter().enumerate() {
            giver.at(At::Recipient(number));
            let is_refused = |to: &Address| refused.iter().any(|(refused, _)| refused == to);
            let before = recipients.iter().take(asked.before);
            let before = before.filter(|to| !is_refused(to)).chain(&more);
            transaction.recipients = before.cloned().collect();
            transaction.account.clone_from(&asked.account);
            let ruling = pinned.recipient(&transaction, &asked.address).await;
            match refusal(ruling.verdict) {
                Some(reply) => {
                    findings.note(ruling.judgements);
                    refused.push((asked.address.clone(), reply));
                }
                None => {
                    findings.add(ruling.judgements, transaction.account.as_deref());
                    if !recipients.contains(&asked.address) {
                        more.push(asked.address.clone());
                    }
                }
            }
        }
        let is_refused = |to: &Address| refused.iter().any(|(refused, _)| refused == to);
        let kept = recipients.iter().filter(|to| !is_refused(to)).chain(&more);
        transaction.recipients = kept.cloned().collect();
        if transaction.recipients.is_empty()
            && let Some((_, reply)) = refused.first()
        {
            return ended(Ended::Refused(reply.clone()), findings, refused);
        }
        let Some((asked, message)) = record.message.as_ref().zip(message) else {
            let end = match recipients.is_empty() && !more.is_empty() {
                true => Ended::BeyondRecord,
                false => as_recorded(record),
            };
            return ended(end, findings, refused);
        };
        giver.at(At::Message);
        transaction.account.clone_from(&record.transaction.account);
        let facts = asked.facts.as_ref().map(|facts| facts.facts());
        let ruling = pinned
            .message(&transaction, message.clone(), facts.as_ref(), findings)
            .await;
        judged(record, &transaction, ruling, refused)
    }
}

fn as_recorded(record: &TransactionRecord) -> Ended {
    Ended::AsRecorded(record.verdict.clone())
}

fn refusal(verdict: Verdict) -> Option<Reply> {
    match verdict {
        Verdict::Reject(reply) | Verdict::Tempfail(reply) => Some(reply),
        Verdict::Pass | Verdict::Accept | Verdict::Discard | Verdict::Quarantine(_) => None,
    }
}

fn has_refused(calls: &[RecordedCall]) -> bool {
    let last = calls.last();
    last.is_some_and(|call| call.ended_chain)
}

/// Returns the decisions of a transaction that came to no end of data.
fn ended(ended: Ended, findings: Findings, refused: Vec<(Address, Reply)>) -> Replayed {
    let reply = match &ended {
        Ended::Refused(reply) => Some(reply.clone()),
        _ => None,
    };
    Replayed {
        ended,
        reply,
        class: findings.classification,
        tags: findings.tags,
        message: None,
        refused,
        recipients: Vec::new(),
        // Nothing is remembered of what is not accepted.
        effects: Vec::new(),
        report_suppressed: false,
        judgements: findings.judgements,
        unknown: Vec::new(),
        trail: Trail::default(),
    }
}

fn judged(
    record: &TransactionRecord,
    transaction: &Transaction,
    ruling: gatepost_policy::MessageRuling,
    refused: Vec<(Address, Reply)>,
) -> Replayed {
    let gatepost_policy::MessageRuling {
        verdict,
        message,
        findings,
    } = ruling;
    let disposition = match &record.refused_by_relay {
        Some(reply) => Disposition::Refused(reply.clone()),
        None => Disposition::of(verdict, transaction, &findings),
    };
    let word = disposition.word();
    let (ended, reply, recipients) = match disposition {
        Disposition::Refused(reply) => (Ended::Refused(reply.clone()), Some(reply), Vec::new()),
        Disposition::Discarded | Disposition::Recorded => {
            (Ended::Judged(word, None), None, Vec::new())
        }
        Disposition::Accepted {
            recipients,
            quarantine,
        } => (Ended::Judged(word, quarantine), None, recipients),
    };
    let is_refused = matches!(ended, Ended::Refused(_));
    Replayed {
        ended,
        reply,
        class: findings.classification,
        tags: findings.tags,
        message: Some(message),
        refused,
        recipients,
        effects: match is_refused {
            true => Vec::new(),
            false => findings.effects,
        },
        report_suppressed: findings.report_suppressed,
        judgements: findings.judgements,
        unknown: Vec::new(),
        trail: Trail::default(),
    }
}

async fn attempt(
    pinned: &Pinned,
    giver: &Giver,
    record: &AttemptRecord,
    message: Option<&Message>,
) -> Replayed {
    giver.at(At::Attempt);
    let nothing = || Message::from_bytes(Default::default());
    let queued = record
        .queued
        .queued(message.cloned().unwrap_or_else(nothing));
    let (transaction, recipient) = (&record.transaction, &record.recipient);
    let (end, effects, judgements) = match &record.result {
        None => {
            let ruling = pinned.route(transaction, recipient, record.previous, &queued);
            let ruling = ruling.await;
            (
                Ended::Routed(ruling.routing),
                ruling.effects,
                ruling.judgements,
            )
        }
        Some(result) => {
            let result = result.result(recipient.clone());
            let ruling = pinned.outcome(transaction, &result, &queued).await;
            (Ended::Told, ruling.effects, ruling.judgements)
        }
    };
    Replayed {
        effects,
        judgements,
        ..ended(end, Findings::default(), Vec::new())
    }
}
