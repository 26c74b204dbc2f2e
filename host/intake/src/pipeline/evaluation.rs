//! Evaluation of one transaction: the rules of the host and the policies' hooks, from MAIL to the
//! route of each recipient.
//!
//! A live session and a dry run walk a transaction through these steps alike. No step changes
//! anything outside: whoever drives the evaluation records the judgements and carries out the
//! decision.

use std::sync::Arc;

use gatepost_directory::ProbeId;
use gatepost_message::{Address, Message, TransactionId};
use gatepost_model::{Flow, Judgement, Queued, Routing, Transaction};
use gatepost_policy::{Findings, Pinned, RouteRuling};
use gatepost_smtp::Reply;

use super::admission::{self, Admission};
use super::by_target::ByTarget;
use super::connection::Connection;
use super::judge::{Arrival, Judged, judge};
use crate::edits::host_rules;
use crate::ownership::Ownership;
use crate::return_path::ReturnAddress;
use crate::returns::MatchedReport;

/// A transaction in evaluation, by policies in fixed versions.
pub struct Evaluation {
    transaction: Transaction,
    policies: Pinned,
    findings: Findings,
    /// Number of judgements before the step made last.
    earlier: usize,
    /// Message to whose return path this one goes, and to nobody else.
    returned: Option<TransactionId>,
    /// Support addresses to whose forwarding targets the message goes.
    by_target: Vec<Address>,
    /// Probe to whose mailbox this message goes, and to nobody else.
    probe: Option<ProbeId>,
}

impl Evaluation {
    /// Begins with the findings on the client. The transaction has no account and no recipient yet.
    pub fn begin(policies: Pinned, transaction: Transaction, connection: &Connection) -> Self {
        let findings = connection.findings();
        Self {
            earlier: findings.judgements.len(),
            transaction,
            policies,
            findings,
            returned: None,
            by_target: Vec::new(),
            probe: None,
        }
    }

    /// Returns the support addresses to whose forwarding targets the message goes.
    pub(crate) fn by_target(&self) -> &[Address] {
        &self.by_target
    }

    /// Returns the probe to whose mailbox the message goes.
    pub(crate) fn probe(&self) -> Option<&ProbeId> {
        self.probe.as_ref()
    }

    /// Returns the message to whose return path this one goes.
    pub(crate) fn returned(&self) -> Option<TransactionId> {
        self.returned
    }

    /// Takes over what the message says as a report. One to a return path belongs to the account
    /// that sent the message; any other is tagged.
    pub(crate) fn returns(&mut self, report: &MatchedReport) {
        match self.returned {
            Some(_) => self.transaction.account = report.account().map(str::to_owned),
            None => report.tags().for_each(|tag| self.tag(tag)),
        }
    }

    /// Adds a tag of the relay's own.
    pub(crate) fn tag(&mut self, tag: String) {
        if self.returned.is_none() && !self.findings.tags.contains(&tag) {
            self.findings.tags.push(tag);
        }
    }

    /// Returns the transaction, with its account and the recipients accepted so far.
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// Returns the calls of policies in the step made last.
    pub fn new_judgements(&self) -> &[Judgement] {
        &self.findings.judgements[self.earlier..]
    }

    /// Decides about the sender. Returns the reply that refuses it, if any.
    pub async fn sender(&mut self, ownership: Ownership<'_>) -> Option<Reply> {
        let admission = admission::sender(ownership, &self.policies, &mut self.transaction).await;
        self.add(admission)
    }

    /// Decides about a recipient, which is added to the transaction unless it is refused or was
    /// named before. In the place of a forwarding target stands its support address. Returns the
    /// reply that refuses it, if any.
    pub async fn recipient(
        &mut self,
        ownership: Ownership<'_>,
        address: &Address,
    ) -> Option<Reply> {
        if let Some(admission) = self.return_path(ownership, address) {
            return self.add(admission);
        }
        let Self {
            policies,
            transaction,
            by_target,
            ..
        } = self;
        let support = match transaction.session.flow {
            Flow::Inbound => ownership.directory.target(address),
            _ => None,
        };
        let support = support.map(|support| {
            // Whoever takes it next may not know other characters.
            let ascii = support.address.to_ascii();
            ascii.unwrap_or_else(|| support.address.clone())
        });
        let address = support.as_ref().unwrap_or(address);
        let admission = admission::recipient(ownership, policies, transaction, address).await;
        if let Some(support) = support.filter(|_| admission.refusal.is_none()) {
            // As the transaction names it: it may have been named before.
            let mut named = transaction.recipients.iter();
            by_target.extend(named.find(|named| named.is_same_mailbox(&support)).cloned());
        }
        self.add(admission)
    }

    /// Decides about a recipient that is the return path of a message or the mailbox of a probe, or
    /// may not be one beside the others; `None` if it is neither. Such a message is the relay's own:
    /// it goes to nobody, and no policy is asked.
    fn return_path(&mut self, ownership: Ownership<'_>, address: &Address) -> Option<Admission> {
        let Self { transaction, .. } = self;
        let found = match transaction.session.flow {
            Flow::Inbound => ownership.return_address(address, transaction.time),
            _ => ReturnAddress::No,
        };
        let alone = Reply::new(452, "4.5.3", "Send it to this recipient alone");
        match found {
            ReturnAddress::No => {
                let is_own = self.returned.is_some() || self.probe.is_some();
                is_own.then(|| Admission::refused(alone))
            }
            ReturnAddress::Invalid => {
                let reply = Reply::new(550, "5.1.1", "No such recipient here");
                Some(Admission::refused(reply))
            }
            ReturnAddress::Of(id) => Some(match self.returned {
                Some(other) if other == id => Admission::granted(),
                None if transaction.recipients.is_empty() => {
                    transaction.recipients.push(address.clone());
                    self.returned = Some(id);
                    Admission::granted()
                }
                _ => Admission::refused(alone),
            }),
            ReturnAddress::Probe(id) => Some(match &self.probe {
                Some(other) if *other == id => Admission::granted(),
                None if transaction.recipients.is_empty() => {
                    transaction.recipients.push(address.clone());
                    let account = ownership.directory.domain(address.domain());
                    transaction.account = account.map(|of| of.account.to_string());
                    self.probe = Some(id);
                    Admission::granted()
                }
                _ => Admission::refused(alone),
            }),
        }
    }

    /// Judges the message at the end of data. Returns the transaction with the judged message.
    pub async fn message(self, message: Message, arrival: Arrival<'_>) -> Evaluated {
        let Self {
            transaction,
            policies,
            findings,
            returned,
            probe,
            by_target,
            ..
        } = self;
        let earlier = findings.judgements.len();
        let policies = policies.in_directory(|known| ByTarget::known_to(known, by_target));
        let policies = match arrival.answered {
            Some(answered) => policies.knowing(|identity| answered.known_to(identity)),
            None => policies,
        };
        if returned.is_some() || probe.is_some() {
            return Evaluated {
                transaction,
                policies,
                judged: Judged::recorded(message, findings),
                earlier,
            };
        }
        let judged = judge(&policies, &transaction, message, arrival, findings).await;
        Evaluated {
            transaction,
            policies,
            judged,
            earlier,
        }
    }

    /// Ends a transaction that came to no end of data, because it was refused with this reply.
    pub fn refused(self, reply: Reply, message: Message) -> Evaluated {
        Evaluated {
            transaction: self.transaction,
            policies: self.policies,
            judged: Judged::refused(reply, message, self.findings),
            earlier: self.earlier,
        }
    }

    fn add(&mut self, admission: Admission) -> Option<Reply> {
        self.earlier = self.findings.judgements.len();
        admission.add_to(&mut self.findings, self.transaction.account.as_deref())
    }
}

/// A transaction whose message was judged.
pub struct Evaluated {
    /// Transaction with its account and the recipients that RCPT accepted.
    pub transaction: Transaction,
    /// Policies that judged it.
    pub policies: Pinned,
    /// Message with its disposition and all findings.
    pub judged: Judged,
    earlier: usize,
}

impl Evaluated {
    /// Returns the calls of policies about the message.
    pub fn new_judgements(&self) -> &[Judgement] {
        &self.judged.findings.judgements[self.earlier..]
    }
}

/// Asks for the route of a recipient after so many attempts. Mail with the null reverse-path
/// [takes](host_rules::may_be_routed) the default route, and no policy is asked.
pub async fn route(
    policies: &Pinned,
    transaction: &Transaction,
    recipient: &Address,
    attempts: u32,
    queued: &Arc<Queued>,
) -> RouteRuling {
    if !host_rules::may_be_routed(transaction) {
        return RouteRuling {
            routing: Routing::Pass,
            effects: Vec::new(),
            judgements: Vec::new(),
        };
    }
    let ruling = policies.route(transaction, recipient, attempts, queued);
    ruling.await
}
