//! The end of data: what is to become of a message. Nothing in here changes anything outside, so
//! the same message is judged alike on its way through the relay and by `gatepost check`.

use std::sync::Arc;

use gatepost_authentication::Facts;
use gatepost_message::{Address, Message, Repairs, TransactionId};
use gatepost_model::{Flow, RecipientVerdict, Transaction, Verdict};
use gatepost_policy::{MessageRuling, Pinned};
use gatepost_smtp::Reply;

use super::{Findings, local_error, with_id};
use crate::edits::host_rules;
use crate::edits::reasons;
use crate::edits::received;
use crate::edits::repaired;
use crate::edits::submission;
use crate::edits::verdict_fields;
use crate::origin::Origin;
use crate::ownership::Ownership;

/// How a message came and who took it.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// Who finds out where it came from.
    pub origin: &'a Origin,
    /// That is to be found out even where no policy wants to know: then it is reported, and the
    /// message says nothing of it.
    pub gather: bool,
    /// Whose relay it is: its name, and which domains belong to whom.
    pub ownership: Ownership<'a>,
    /// How the message came: `ESMTP`, `ESMTPS`, … (RFC 3848).
    pub protocol: &'a str,
    /// What was repaired of it as it arrived.
    pub repairs: Option<&'a Repairs>,
}

/// A message judged.
#[derive(Debug)]
pub struct Judged {
    /// What is to become of it.
    pub fate: Fate,
    /// The message after all edits, with the relay's own fields on top.
    pub message: Message,
    /// What was gathered about its origin, if somebody wanted to know.
    pub facts: Option<Arc<Facts>>,
    /// What its policies said at the end of data.
    pub findings: Findings,
}

/// What is to become of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The client keeps it, and is told so in these words: 4xx or 5xx.
    Refused(Reply),
    /// Taken and dropped without a word.
    Discarded,
    /// Taken.
    Kept {
        /// The envelope, each recipient with its lot.
        recipients: Vec<(Address, Lot)>,
        /// Why it is kept apart, if it is.
        quarantine: Option<String>,
    },
}

/// What is to become of one recipient of a message that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lot {
    /// Gets it.
    Delivered,
    /// Gets nothing, and nobody is told but the record; the reason.
    Suppressed(String),
    /// Is refused with this reply; told in a bounce where the sender has authenticated.
    Rejected(Reply),
}

impl Judged {
    /// What the client is told. A submitter that is not refused learns the tags and reasons, too,
    /// whatever becomes of the message.
    pub fn reply(&self, transaction: &Transaction) -> Reply {
        let reply = self.fate.reply(transaction.id);
        if transaction.session.flow != Flow::Submission || !reply.is_positive() {
            return reply;
        }
        let Findings {
            tags, judgements, ..
        } = &self.findings;
        let told = reasons::in_reply(tags, &reasons::of(judgements, &[]));
        let text = format!("{}{told}", reply.text());
        reply.with_text(text)
    }
}

impl Fate {
    /// What the client is told. Discarded, kept apart or queued sound alike.
    pub fn reply(&self, id: TransactionId) -> Reply {
        match self {
            Self::Refused(reply) => with_id(reply.clone(), id),
            Self::Discarded | Self::Kept { .. } => {
                Reply::new(250, "2.6.0", format!("Queued as {id}"))
            }
        }
    }

    /// The word for it, as `gatepost check` says it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Refused(reply) if reply.is_transient() => "tempfail",
            Self::Refused(_) => "reject",
            Self::Discarded => "discard",
            Self::Kept {
                quarantine: Some(_),
                ..
            } => "quarantine",
            Self::Kept {
                quarantine: None, ..
            } => "accept",
        }
    }
}

/// Judges a message whose data has ended, after the hooks that had the `findings`.
pub async fn judge(
    policies: &Pinned,
    transaction: &Transaction,
    message: Message,
    arrival: Arrival<'_>,
    mut findings: Findings,
) -> Judged {
    let host = host_rules::refusal(&message).or_else(|| {
        let config = arrival.ownership.config;
        verdict_fields::refusal(config, &message).unwrap_or_else(|error| {
            tracing::error!(%error, "the body of a message cannot be read");
            Some(local_error())
        })
    });
    // Of the message as it came: what was signed may be about to go, or is repaired.
    let wanted = policies.wants_authentication();
    let facts = match wanted || arrival.gather {
        true => {
            let came = arrival
                .repairs
                .and_then(|repairs| repairs.original(&message));
            let facts = arrival.origin.gather(transaction, &message, came.as_ref());
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
    let mut fate = match host.or_else(foreign) {
        Some(reply) => Fate::Refused(reply),
        None => fate(verdict, lots(transaction, &findings)),
    };
    let hostname = config.relay.hostname.as_str();
    let added =
        submission::missing_fields(transaction, &message, hostname).and_then(|mut added| {
            // The last goes on top.
            added.push(received::edit(transaction, hostname, arrival.protocol)?);
            let told = facts.as_deref().filter(|_| wanted);
            added.extend(verdict_fields::edits(
                arrival.ownership,
                transaction,
                told,
                &findings,
            )?);
            Ok(added)
        });
    let message = match added {
        Ok(added) => message.edited(&added).with_its_end_marked(),
        Err(error) => {
            // A message without its trace field could loop unseen.
            tracing::error!(%error, "the relay's own fields cannot be written");
            fate = Fate::Refused(local_error());
            message
        }
    };
    Judged {
        fate,
        message,
        facts,
        findings,
    }
}

/// Each recipient of the envelope with its lot.
fn lots(transaction: &Transaction, findings: &Findings) -> Vec<(Address, Lot)> {
    let lot = |address: &Address| match findings.recipients.get(address) {
        Some(RecipientVerdict::Reject(reply)) => Lot::Rejected(reply.clone()),
        Some(RecipientVerdict::Suppress(reason)) => Lot::Suppressed(reason.clone()),
        None => Lot::Delivered,
    };
    let recipients = transaction.recipients.iter();
    recipients
        .map(|address| (address.clone(), lot(address)))
        .collect()
}

/// Folds the verdict on the message and those on its recipients.
fn fate(verdict: Verdict, recipients: Vec<(Address, Lot)>) -> Fate {
    let quarantine = match verdict {
        Verdict::Reject(reply) | Verdict::Tempfail(reply) => return Fate::Refused(reply),
        Verdict::Discard => return Fate::Discarded,
        Verdict::Quarantine(reason) => Some(reason),
        Verdict::Pass | Verdict::Accept => None,
    };
    let mut refusals = recipients.iter().map(|(_, lot)| match lot {
        Lot::Rejected(reply) => Some(reply),
        Lot::Delivered | Lot::Suppressed(_) => None,
    });
    match refusals.next().flatten() {
        // All of them: then the client is told, in the words of the first.
        Some(first) if refusals.all(|refusal| refusal.is_some()) => Fate::Refused(first.clone()),
        _ => Fate::Kept {
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

    fn envelope(lots: &[Lot]) -> Vec<(Address, Lot)> {
        let numbered = lots.iter().enumerate();
        numbered
            .map(|(at, lot)| (format!("r{at}@desk.example").parse().unwrap(), lot.clone()))
            .collect()
    }

    #[test]
    fn refused_for_all_is_refused_in_the_words_of_the_first() {
        let all = envelope(&[Lot::Rejected(reply("one")), Lot::Rejected(reply("two"))]);
        assert_eq!(fate(Verdict::Pass, all), Fate::Refused(reply("one")));
    }

    #[test]
    fn refused_for_some_is_taken() {
        for others in [Lot::Delivered, Lot::Suppressed("opted out".to_owned())] {
            let recipients = envelope(&[Lot::Rejected(reply("one")), others]);
            let kept = fate(Verdict::Pass, recipients.clone());
            assert_eq!(
                kept,
                Fate::Kept {
                    recipients,
                    quarantine: None
                }
            );
        }
    }

    #[test]
    fn suppressed_for_all_is_taken() {
        let recipients = envelope(&[
            Lot::Suppressed("a".to_owned()),
            Lot::Suppressed("b".to_owned()),
        ]);
        let kept = fate(Verdict::Accept, recipients.clone());
        assert_eq!(kept.word(), "accept");
        assert_eq!(
            kept,
            Fate::Kept {
                recipients,
                quarantine: None
            }
        );
    }

    #[test]
    fn a_verdict_on_the_message_goes_before_those_on_recipients() {
        let recipients = || envelope(&[Lot::Delivered, Lot::Rejected(reply("one"))]);
        let later = Reply::new(451, "4.7.1", "later");
        for (verdict, word) in [
            (Verdict::Tempfail(later), "tempfail"),
            (Verdict::Reject(reply("all")), "reject"),
            (Verdict::Discard, "discard"),
            (Verdict::Quarantine("odd".to_owned()), "quarantine"),
        ] {
            assert_eq!(fate(verdict, recipients()).word(), word);
        }
    }

    #[test]
    fn every_reply_names_the_transaction() {
        let id = TransactionId::new();
        let kept = Fate::Kept {
            recipients: Vec::new(),
            quarantine: None,
        };
        assert_eq!(
            kept.reply(id).to_string(),
            format!("250 2.6.0 Queued as {id}")
        );
        assert_eq!(Fate::Discarded.reply(id), kept.reply(id));
        let refused = Fate::Refused(reply("no")).reply(id).to_string();
        assert_eq!(refused, format!("550 5.7.1 no ({id})"));
    }
}
