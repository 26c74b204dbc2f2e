//! What a program is told of a message that was accepted, and the form in which that is kept under
//! its key.

use gatepost_message::{Address, TransactionId};
use gatepost_model::KeyedAnswer;
use gatepost_smtp::Reply;
use serde::{Deserialize, Serialize};

use super::keys::HeldKey;
use crate::edits::reasons;
use crate::pipeline::judge::{Disposition, Judged, RecipientDisposition};

/// Octets of each reason in an answer that is too long to be kept with its whole reasons.
const SHORT_REASON: usize = 100;

/// Message that was accepted: it is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AcceptedMessage {
    /// Its transaction.
    pub id: TransactionId,
    /// Its fate for each recipient, in the order of the envelope. One that is named twice
    /// stands once.
    pub recipients: Vec<(Address, RecipientDisposition)>,
    /// Message-ID that the relay gave it, without angle brackets.
    #[serde(default)]
    pub message_id: Option<String>,
    /// Reason of the quarantine, if it waits there.
    pub quarantine: Option<String>,
    /// Tags that policies put on it.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Reasons that policies gave for what they decided about it.
    #[serde(default)]
    pub reasons: Vec<String>,
}

impl AcceptedMessage {
    /// Returns it in a form that can be kept, as JSON, too: if it is too long with its whole reasons,
    /// these are cut. `None` if it names too many recipients even so.
    fn kept(mut self) -> Option<(Self, String)> {
        let whole = self.as_json();
        if whole.is_some() {
            return whole.map(|json| (self, json));
        }
        for (_, disposition) in &mut self.recipients {
            match disposition {
                RecipientDisposition::Delivered => {}
                RecipientDisposition::Suppressed(reason) => cut(reason),
                RecipientDisposition::Rejected(reply) => {
                    let mut text = reply.text();
                    cut(&mut text);
                    *reply = reply.clone().with_text(text);
                }
            }
        }
        self.quarantine.iter_mut().for_each(cut);
        (self.tags, self.reasons) = (Vec::new(), Vec::new());
        let json = self.as_json()?;
        Some((self, json))
    }

    fn as_json(&self) -> Option<String> {
        let json = serde_json::to_string(self).ok()?;
        (json.len() <= KeyedAnswer::LONGEST_ANSWER).then_some(json)
    }

    /// Reads an answer that was kept.
    ///
    /// # Errors
    /// It is not one that this version can read.
    pub(super) fn of_kept(kept: &KeyedAnswer) -> Result<Self, serde_json::Error> {
        serde_json::from_str(&kept.answer)
    }
}

fn cut(text: &mut String) {
    text.truncate(text.floor_char_boundary(SHORT_REASON));
}

/// Request of a program, as far as its answer follows from it.
#[derive(Debug)]
pub(crate) struct AnsweredSubmission {
    /// Recipients of the envelope, as the program named them.
    pub(super) named: Vec<Address>,
    /// Replies that refused some of them.
    pub(super) refused: Vec<(Address, Reply)>,
    /// Message-ID that the relay gave the message.
    pub(super) message_id: Option<String>,
    /// Key of the request, if it has one.
    pub(super) key: Option<HeldKey>,
}

/// Answer that is to be kept under the key of its request, in the commit of its message.
#[derive(Debug)]
pub(crate) struct AnswerToKeep {
    /// The key, held until the commit is over.
    pub(crate) key: HeldKey,
    /// The answer as JSON; `None` if it is too long to be kept.
    pub(crate) json: Option<String>,
}

impl AnsweredSubmission {
    /// Returns the answer to a request whose message was judged so, and what is to be kept of it;
    /// `None` if the message is not accepted.
    pub(crate) fn answer(
        &self,
        id: TransactionId,
        judged: &Judged,
    ) -> Option<(AcceptedMessage, Option<AnswerToKeep>)> {
        let (settled, quarantine) = match &judged.disposition {
            Disposition::Accepted {
                recipients,
                quarantine,
            } => (&**recipients, quarantine.clone()),
            Disposition::Discarded => (&[][..], None),
            Disposition::Refused(_) | Disposition::Recorded => return None,
        };
        let accepted = AcceptedMessage {
            id,
            recipients: self.recipients(settled),
            message_id: self.message_id.clone(),
            quarantine,
            tags: judged.findings.tags.clone(),
            reasons: reasons::of(&judged.findings.judgements, &[]),
        };
        let Some(key) = self.key.clone() else {
            return Some((accepted, None));
        };
        Some(match accepted.clone().kept() {
            Some((kept, json)) => {
                let json = Some(json);
                (kept, Some(AnswerToKeep { key, json }))
            }
            None => (accepted, Some(AnswerToKeep { key, json: None })),
        })
    }

    /// Returns what becomes of each recipient that was named, by those that the session accepted.
    fn recipients(
        &self,
        settled: &[(Address, RecipientDisposition)],
    ) -> Vec<(Address, RecipientDisposition)> {
        let mut recipients: Vec<(Address, RecipientDisposition)> = Vec::new();
        for address in &self.named {
            let is_it = |other: &Address| other.is_same_mailbox(address);
            if recipients.iter().any(|(known, _)| is_it(known)) {
                continue;
            }
            let settled = settled.iter().find(|(other, _)| is_it(other));
            let refused = self.refused.iter().find(|(other, _)| is_it(other));
            let fate = match (settled, refused) {
                (Some((_, fate)), _) => fate.clone(),
                (None, Some((_, reply))) => RecipientDisposition::Rejected(reply.clone()),
                (None, None) => {
                    RecipientDisposition::Suppressed("a policy discarded the message".to_owned())
                }
            };
            recipients.push((address.clone(), fate));
        }
        recipients
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gatepost_message::{Message, Millis};
    use gatepost_policy::Findings;

    use super::super::HttpProgram;
    use super::super::keys::{KeysInHand, SubmissionKey};
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn request(named: Vec<Address>, refused: Vec<(Address, Reply)>) -> AnsweredSubmission {
        let program = HttpProgram {
            account: "acme".to_owned(),
            token: "token".to_owned(),
        };
        let key = SubmissionKey::new("order 4711", [7; 32]).unwrap();
        let key = Arc::<KeysInHand>::default().hold(&program, &key).unwrap();
        AnsweredSubmission {
            named,
            refused,
            message_id: None,
            key: Some(key),
        }
    }

    fn judged(disposition: &Disposition) -> Judged {
        Judged {
            disposition: disposition.clone(),
            message: Message::from_bytes(bytes::Bytes::new()),
            facts: None,
            metadata: None,
            findings: Findings::default(),
            refused_by_relay: None,
        }
    }

    /// Returns the answer, and the one that is read from what is kept of it.
    fn answered(
        request: &AnsweredSubmission,
        disposition: &Disposition,
    ) -> (AcceptedMessage, AcceptedMessage) {
        let id = TransactionId::new();
        let (accepted, to_keep) = request.answer(id, &judged(disposition)).unwrap();
        let kept = to_keep.unwrap().at(id, Millis(1)).unwrap();
        assert!(kept.is_storable());
        (accepted, AcceptedMessage::of_kept(&kept).unwrap())
    }

    #[test]
    fn a_kept_answer_says_the_same_of_each_recipient() {
        let named = ["a@b.example", "b@b.example", "c@b.example", "d@b.example"].map(address);
        let no = Reply::new(550, "5.1.1", "nobody \"here\"\nsorry");
        let request = request(named.to_vec(), vec![(named[1].clone(), no.clone())]);
        let accepted = Disposition::Accepted {
            recipients: vec![
                (named[0].clone(), RecipientDisposition::Delivered),
                (
                    named[2].clone(),
                    RecipientDisposition::Suppressed("opted out".to_owned()),
                ),
                (named[3].clone(), RecipientDisposition::Rejected(no.clone())),
            ],
            quarantine: Some("odd".to_owned()),
        };
        let (first, again) = answered(&request, &accepted);
        assert_eq!(again, first);
        assert_eq!(first.quarantine.as_deref(), Some("odd"));
        let fates: Vec<_> = first.recipients.into_iter().map(|(_, fate)| fate).collect();
        assert_eq!(
            fates,
            [
                RecipientDisposition::Delivered,
                RecipientDisposition::Rejected(no.clone()),
                RecipientDisposition::Suppressed("opted out".to_owned()),
                RecipientDisposition::Rejected(no),
            ]
        );
        let (first, again) = answered(&request, &Disposition::Discarded);
        assert_eq!(again, first);
        assert!(matches!(
            &first.recipients[0].1,
            RecipientDisposition::Suppressed(why) if why.contains("discarded")
        ));
    }

    #[test]
    fn an_answer_that_is_too_long_is_kept_with_short_reasons() {
        let local = "l".repeat(64);
        let named: Vec<_> = (0..1000)
            .map(|at| address(&format!("{local}@{at}.{}.example", ["d"; 85].join("."))))
            .collect();
        let long = Reply::new(550, "5.7.1", "no\n".repeat(90));
        let rejected = |address: &Address| {
            let fate = RecipientDisposition::Rejected(long.clone());
            (address.clone(), fate)
        };
        let mut recipients: Vec<_> = named.iter().map(rejected).collect();
        recipients[0].1 = RecipientDisposition::Suppressed("é".repeat(1000));
        let request = request(named, Vec::new());
        let (first, again) = answered(
            &request,
            &Disposition::Accepted {
                recipients,
                quarantine: None,
            },
        );
        assert_eq!(again, first, "the first answer is cut, too");
        assert_eq!(first.recipients.len(), 1000);
        let RecipientDisposition::Suppressed(reason) = &first.recipients[0].1 else {
            panic!("{:?}", first.recipients[0]);
        };
        assert_eq!(reason, &"é".repeat(50));
    }

    #[test]
    fn a_message_that_is_not_accepted_has_no_answer() {
        let request = request(vec![address("a@b.example")], Vec::new());
        let no = Reply::new(550, "5.7.1", "no");
        for disposition in [Disposition::Refused(no), Disposition::Recorded] {
            let answer = request.answer(TransactionId::new(), &judged(&disposition));
            assert!(answer.is_none(), "{answer:?}");
        }
    }
}
