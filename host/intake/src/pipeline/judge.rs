//! The judgement of a message at the end of data. Nothing in here changes anything outside, so a
//! message is judged alike on its way through the relay and by `gatepost check`.

use std::sync::Arc;

use gatepost_authentication::Facts;
use gatepost_message::{Address, Message, Repairs, TransactionId};
use gatepost_model::{Flow, RecipientVerdict, Transaction, Verdict};
use gatepost_policy::{Findings, MessageRuling, Pinned};
use gatepost_smtp::Reply;
use serde::{Deserialize, Serialize};

use super::answered::Answered;
use super::{local_error, with_id};
use crate::edits::host_rules;
use crate::edits::metadata;
use crate::edits::reasons;
use crate::edits::received;
use crate::edits::repaired;
use crate::edits::submission;
use crate::edits::verdict_fields;
use crate::message_authentication::MessageAuthentication;
use crate::ownership::Ownership;

/// Circumstances of a message's arrival.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// Gatherer of authentication facts.
    pub authentication: &'a MessageAuthentication,
    /// True to gather the facts even where no policy wants them: they are reported, and not written
    /// into the message.
    pub gather: bool,
    /// Configuration and directory: the relay's name, and the owners of domains.
    pub ownership: Ownership<'a>,
    /// Protocol by which it came: `ESMTP`, `ESMTPS`, … (RFC 3848).
    pub protocol: &'a str,
    /// Repairs of the message as it arrived.
    pub repairs: Option<&'a Repairs>,
    /// Messages that it answers, if anybody has looked.
    pub answered: Option<&'a Answered>,
}

/// A message judged.
#[derive(Debug)]
pub struct Judged {
    /// Disposition of the message.
    pub disposition: Disposition,
    /// The message after all edits, with the relay's own fields on top.
    pub message: Message,
    /// Authentication facts, if they were gathered.
    pub facts: Option<Arc<Facts>>,
    /// Text that the application handed in with it.
    pub metadata: Option<String>,
    /// Findings of its policies up to the end of data.
    pub findings: Findings,
    /// Refusal by the relay's own rules, which went before any verdict.
    pub refused_by_relay: Option<Reply>,
}

/// Disposition of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// The client keeps it, and gets this reply: 4xx or 5xx.
    Refused(Reply),
    /// Accepted and dropped silently.
    Discarded,
    /// A report that came to a return path, or a probe: it is recorded, and goes to nobody.
    Recorded,
    /// Accepted.
    Accepted {
        /// Envelope: each recipient with its disposition.
        recipients: Vec<(Address, RecipientDisposition)>,
        /// Reason of the quarantine, if it is quarantined.
        quarantine: Option<String>,
    },
}

/// Disposition of one recipient of an accepted message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecipientDisposition {
    /// It gets the message.
    Delivered,
    /// It gets nothing, for this reason, and only the record shows it.
    Suppressed(String),
    /// It is refused with this reply; an authenticated sender gets a bounce.
    Rejected(Reply),
}

impl Judged {
    /// Returns a message that this reply refused before the policies saw it.
    pub(super) fn refused(reply: Reply, message: Message, findings: Findings) -> Self {
        Self {
            disposition: Disposition::Refused(reply),
            message,
            facts: None,
            metadata: None,
            findings,
            refused_by_relay: None,
        }
    }

    /// Returns a report that came to a return path.
    pub(super) fn recorded(message: Message, findings: Findings) -> Self {
        Self {
            disposition: Disposition::Recorded,
            message,
            facts: None,
            metadata: None,
            findings,
            refused_by_relay: None,
        }
    }

    /// Returns the reply to the client. A submitter whose message is accepted also learns the tags
    /// and reasons, whatever becomes of it.
    pub fn reply(&self, transaction: &Transaction) -> Reply {
        let reply = self.disposition.reply(transaction.id);
        if transaction.session.flow != Flow::Submission || !reply.is_positive() {
            return reply;
        }
        let Findings {
            tags, judgements, ..
        } = &self.findings;
        let reasons = reasons::in_reply(tags, &reasons::of(judgements, &[]));
        let text = format!("{}{reasons}", reply.text());
        reply.with_text(text)
    }
}

impl Disposition {
    /// Folds the verdict on the message and those on its recipients.
    pub fn of(verdict: Verdict, transaction: &Transaction, findings: &Findings) -> Self {
        disposition(verdict, dispositions(transaction, findings))
    }

    /// Returns the reply to the client, which is the same for discarded, quarantined and queued.
    pub fn reply(&self, id: TransactionId) -> Reply {
        match self {
            Self::Refused(reply) => with_id(reply.clone(), id),
            Self::Discarded | Self::Recorded | Self::Accepted { .. } => {
                Reply::new(250, "2.6.0", format!("Queued as {id}"))
            }
        }
    }

    /// Returns the word for it in metrics and in `gatepost check`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Refused(reply) if reply.is_transient() => "tempfail",
            Self::Refused(_) => "reject",
            Self::Discarded => "discard",
            Self::Recorded => "record",
            Self::Accepted {
                quarantine: Some(_),
                ..
            } => "quarantine",
            Self::Accepted {
                quarantine: None, ..
            } => "accept",
        }
    }
}

/// Judges a message whose data has ended; `findings` are those of the earlier hooks.
pub(super) async fn judge(
    policies: &Pinned,
    transaction: &Transaction,
    message: Message,
    arrival: Arrival<'_>,
    mut findings: Findings,
) -> Judged {
    // The account may have been suspended since MAIL.
    let suspended = host_rules::suspended(arrival.ownership, transaction);
    let erased = || host_rules::erased(arrival.ownership, transaction);
    let host = suspended.or_else(erased);
    let host = host.or_else(|| host_rules::refusal(&message));
    let host = host.or_else(|| {
        let config = arrival.ownership.config;
        verdict_fields::refusal(config, &message).unwrap_or_else(|error| {
            tracing::error!(%error, "the body of a message cannot be read");
            Some(local_error())
        })
    });
    let flow = transaction.session.flow;
    let metadata = metadata::of(arrival.ownership.config, flow, &message);
    let host = host.or_else(|| metadata.as_ref().err().cloned());
    // The facts are about the message as it came: signed fields may be removed or repaired below.
    let wanted = policies.wants_authentication();
    let facts = match wanted || arrival.gather {
        true => {
            let came = arrival
                .repairs
                .and_then(|repairs| repairs.original(&message));
            let facts = arrival
                .authentication
                .gather(transaction, &message, came.as_ref());
            Some(Arc::new(facts.await))
        }
        false => None,
    };
    let config = arrival.ownership.config;
    if let Some(repairs) = arrival.repairs {
        repaired::note(repairs, &mut findings);
    }
    let message = verdict_fields::cleared(config, transaction.session.flow, &message);
    findings.reserved = verdict_fields::reserved(config);
    let MessageRuling {
        verdict,
        message,
        findings,
    } = policies
        .message(transaction, message, facts.as_ref(), findings)
        .await;
    let foreign = || host_rules::foreign_author(arrival.ownership, transaction, &message);
    let refused_by_relay = host.or_else(foreign);
    let mut disposition = match &refused_by_relay {
        Some(reply) => Disposition::Refused(reply.clone()),
        None => Disposition::of(verdict, transaction, &findings),
    };
    let hostname = config.relay.hostname.as_str();
    let added =
        submission::missing_fields(transaction, &message, hostname).and_then(|mut added| {
            // The last edit goes on top.
            added.push(received::edit(transaction, hostname, arrival.protocol)?);
            let facts = facts.as_deref().filter(|_| wanted);
            added.extend(verdict_fields::edits(
                arrival.ownership,
                transaction,
                facts,
                &findings,
                arrival.answered.and_then(|answered| answered.transaction),
            )?);
            Ok(added)
        });
    let message = match added {
        Ok(added) => message.edited(&added).with_its_end_marked(),
        Err(error) => {
            // A message without its trace field could loop unseen.
            tracing::error!(%error, "the relay's own fields cannot be written");
            disposition = Disposition::Refused(local_error());
            message
        }
    };
    Judged {
        disposition,
        message,
        facts,
        metadata: metadata.unwrap_or_default(),
        findings,
        refused_by_relay,
    }
}

/// Returns each recipient of the envelope with its disposition.
fn dispositions(
    transaction: &Transaction,
    findings: &Findings,
) -> Vec<(Address, RecipientDisposition)> {
    let disposition = |address: &Address| match findings.recipients.get(address) {
        Some(RecipientVerdict::Reject(reply)) => RecipientDisposition::Rejected(reply.clone()),
        Some(RecipientVerdict::Suppress(reason)) => {
            RecipientDisposition::Suppressed(reason.clone())
        }
        None => RecipientDisposition::Delivered,
    };
    let recipients = transaction.recipients.iter();
    recipients
        .map(|address| (address.clone(), disposition(address)))
        .collect()
}

/// Folds the verdict on the message and those on its recipients.
fn disposition(verdict: Verdict, recipients: Vec<(Address, RecipientDisposition)>) -> Disposition {
    let quarantine = match verdict {
        Verdict::Reject(reply) | Verdict::Tempfail(reply) => return Disposition::Refused(reply),
        Verdict::Discard => return Disposition::Discarded,
        Verdict::Quarantine(reason) => Some(reason),
        Verdict::Pass | Verdict::Accept => None,
    };
    let mut refusals = recipients.iter().map(|(_, disposition)| match disposition {
        RecipientDisposition::Rejected(reply) => Some(reply),
        RecipientDisposition::Delivered | RecipientDisposition::Suppressed(_) => None,
    });
    match refusals.next().flatten() {
        // All of them: then the client gets the reply of the first.
        Some(first) if refusals.all(|refusal| refusal.is_some()) => {
            Disposition::Refused(first.clone())
        }
        _ => Disposition::Accepted {
            recipients,
            quarantine,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Reply {
        Reply::new(550, "5.7.1", text)
    }

    fn envelope(dispositions: &[RecipientDisposition]) -> Vec<(Address, RecipientDisposition)> {
        let numbered = dispositions.iter().enumerate();
        numbered
            .map(|(at, disposition)| {
                (
                    format!("r{at}@desk.example").parse().unwrap(),
                    disposition.clone(),
                )
            })
            .collect()
    }

    #[test]
    fn refused_for_all_is_refused_with_the_first_reply() {
        let all = envelope(&[
            RecipientDisposition::Rejected(reply("one")),
            RecipientDisposition::Rejected(reply("two")),
        ]);
        assert_eq!(
            disposition(Verdict::Pass, all),
            Disposition::Refused(reply("one"))
        );
    }

    #[test]
    fn refused_for_some_is_accepted() {
        for others in [
            RecipientDisposition::Delivered,
            RecipientDisposition::Suppressed("opted out".to_owned()),
        ] {
            let recipients = envelope(&[RecipientDisposition::Rejected(reply("one")), others]);
            let kept = disposition(Verdict::Pass, recipients.clone());
            assert_eq!(
                kept,
                Disposition::Accepted {
                    recipients,
                    quarantine: None
                }
            );
        }
    }

    #[test]
    fn suppressed_for_all_is_accepted() {
        let recipients = envelope(&[
            RecipientDisposition::Suppressed("a".to_owned()),
            RecipientDisposition::Suppressed("b".to_owned()),
        ]);
        let kept = disposition(Verdict::Accept, recipients.clone());
        assert_eq!(kept.word(), "accept");
        assert_eq!(
            kept,
            Disposition::Accepted {
                recipients,
                quarantine: None
            }
        );
    }

    #[test]
    fn a_verdict_on_the_message_goes_before_those_on_recipients() {
        let recipients = || {
            envelope(&[
                RecipientDisposition::Delivered,
                RecipientDisposition::Rejected(reply("one")),
            ])
        };
        let later = Reply::new(451, "4.7.1", "later");
        for (verdict, word) in [
            (Verdict::Tempfail(later), "tempfail"),
            (Verdict::Reject(reply("all")), "reject"),
            (Verdict::Discard, "discard"),
            (Verdict::Quarantine("odd".to_owned()), "quarantine"),
        ] {
            assert_eq!(disposition(verdict, recipients()).word(), word);
        }
    }

    #[test]
    fn every_reply_names_the_transaction() {
        let id = TransactionId::new();
        let kept = Disposition::Accepted {
            recipients: Vec::new(),
            quarantine: None,
        };
        assert_eq!(
            kept.reply(id).to_string(),
            format!("250 2.6.0 Queued as {id}")
        );
        assert_eq!(Disposition::Discarded.reply(id), kept.reply(id));
        let refused = Disposition::Refused(reply("no")).reply(id).to_string();
        assert_eq!(refused, format!("550 5.7.1 no ({id})"));
    }
}
