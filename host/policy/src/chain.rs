//! A listener's policies in order, and how their judgements fold into one ruling.
//!
//! Each policy sees the message as the earlier ones left it. `reject`, `tempfail` and `discard`
//! end the chain; `quarantine` sticks and the chain goes on; `accept` skips nothing. A ruling is
//! still only data: the caller carries it out.

use std::sync::Arc;

use gatepost_authentication::Facts;
use gatepost_message::{Address, FieldName, Message, Millis};
use gatepost_smtp::Reply;
use serde::{Deserialize, Serialize};

use crate::decision::{
    Classification, Decision, Effect, Ending, Judgement, RecipientVerdict, Routing, Verdict,
};
use crate::memory::{LookUps, Scope};
use crate::reserved::Reserved;
use crate::slot::Slot;
use crate::version::{Hook, Version};
use crate::{Session, Transaction};

/// The ordered policies of one listener.
#[derive(Debug, Clone, Default)]
pub struct Chain(Arc<[Arc<Slot>]>);

/// A chain whose versions are fixed: what one transaction is judged by from beginning to end.
#[derive(Clone)]
pub struct Pinned {
    versions: Arc<[Arc<Version>]>,
    look_ups: LookUps,
}

impl std::fmt::Debug for Pinned {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("Pinned")
            .field(&self.versions)
            .finish()
    }
}

/// What a chain says of a session, a sender or a recipient.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ruling {
    /// Pass, accept, reject or tempfail.
    pub verdict: Verdict,
    /// Every call that was made, in order.
    pub judgements: Vec<Judgement>,
}

/// What a chain says of a message.
#[derive(Debug, Clone)]
pub struct MessageRuling {
    /// The verdict on the message as a whole.
    pub verdict: Verdict,
    /// The message after every edit that was allowed.
    pub message: Message,
    /// Recipients judged apart; the first judgement of each holds.
    pub recipients: Vec<(Address, RecipientVerdict)>,
    /// Tags, without doubles, in the order in which they were put.
    pub tags: Vec<String>,
    /// The last classification that was given.
    pub classification: Option<Classification>,
    /// What to remember at commit, and for whom.
    pub effects: Vec<(Scope, Effect)>,
    /// Every call that was made, in order.
    pub judgements: Vec<Judgement>,
}

/// Where a recipient is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRuling {
    /// `Pass` when no policy had an opinion.
    pub routing: Routing,
    /// What to remember, and for whom.
    pub effects: Vec<(Scope, Effect)>,
    /// Every call that was made, in order.
    pub judgements: Vec<Judgement>,
}

/// What is to be remembered of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRuling {
    /// What to remember, and for whom.
    pub effects: Vec<(Scope, Effect)>,
    /// Every call that was made, in order.
    pub judgements: Vec<Judgement>,
}

/// How an attempt ended for one recipient, as the outcome hook is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptResult {
    /// The recipient.
    pub recipient: Address,
    /// How it ended.
    pub ending: Ending,
    /// The reply that ended it.
    pub reply: Reply,
    /// `host:port` of the server that was tried.
    pub server: Option<String>,
}

impl Chain {
    /// A chain of these policies, asked in this order.
    pub fn new(slots: impl IntoIterator<Item = Arc<Slot>>) -> Self {
        Self(slots.into_iter().collect())
    }

    /// Its policies.
    pub fn slots(&self) -> &[Arc<Slot>] {
        &self.0
    }

    /// Fixes the versions in use now, and what they look things up in.
    pub fn begin(&self, look_ups: impl Into<LookUps>) -> Pinned {
        Pinned {
            versions: self.0.iter().map(|slot| slot.current()).collect(),
            look_ups: look_ups.into(),
        }
    }
}

impl Pinned {
    /// The versions, in the order in which they are asked.
    pub fn versions(&self) -> &[Arc<Version>] {
        &self.versions
    }

    /// Whether one of its message hooks wants the facts about the message's origin: then they are
    /// to be gathered first.
    pub fn wants_authentication(&self) -> bool {
        self.having(Hook::Message)
            .any(|version| version.wants_authentication())
    }

    fn having(&self, hook: Hook) -> impl Iterator<Item = &Arc<Version>> {
        self.versions
            .iter()
            .filter(move |version| version.hooks().contains(&hook))
    }

    /// A client has connected, at this time.
    pub async fn connect(&self, session: &Session, now: Millis) -> Ruling {
        let mut ruling = Ruling::default();
        for version in self.having(Hook::Connect) {
            let judgement = version.connect(session, now, &self.look_ups).await;
            version.count(&judgement);
            if ruling.take(judgement) {
                break;
            }
        }
        ruling
    }

    /// MAIL FROM was given.
    pub async fn sender(&self, transaction: &Transaction) -> Ruling {
        let mut ruling = Ruling::default();
        for version in self.having(Hook::Sender) {
            let judgement = version.sender(transaction, &self.look_ups).await;
            version.count(&judgement);
            if ruling.take(judgement) {
                break;
            }
        }
        ruling
    }

    /// RCPT TO was given; `transaction` has the recipients accepted before it.
    pub async fn recipient(&self, transaction: &Transaction, recipient: &Address) -> Ruling {
        let mut ruling = Ruling::default();
        for version in self.having(Hook::Recipient) {
            let judgement = version
                .recipient(transaction, recipient, &self.look_ups)
                .await;
            version.count(&judgement);
            if ruling.take(judgement) {
                break;
            }
        }
        ruling
    }

    /// The end of data was reached. `facts` is what was gathered about the message's origin: where
    /// [nobody wants them](Self::wants_authentication) there are none, and a policy that asks for
    /// them all the same is at fault. `protected` is what earlier hooks have protected.
    pub async fn message(
        &self,
        transaction: &Transaction,
        message: Message,
        facts: Option<&Arc<Facts>>,
        mut protected: Protected,
    ) -> MessageRuling {
        let mut ruling = MessageRuling {
            verdict: Verdict::Pass,
            message,
            recipients: Vec::new(),
            tags: Vec::new(),
            classification: None,
            effects: Vec::new(),
            judgements: Vec::new(),
        };
        for version in self.having(Hook::Message) {
            let judgement = version
                .message(transaction, &ruling.message, facts, &self.look_ups)
                .await;
            version.count(&judgement);
            if ruling.take(transaction, judgement, &mut protected) {
                break;
            }
        }
        ruling
    }

    /// A recipient is due for an attempt: the first policy with an opinion decides, and a fault
    /// defers.
    pub async fn route(
        &self,
        transaction: &Transaction,
        recipient: &Address,
        previous: u32,
    ) -> RouteRuling {
        let mut ruling = RouteRuling {
            routing: Routing::Pass,
            effects: Vec::new(),
            judgements: Vec::new(),
        };
        for version in self.having(Hook::Route) {
            let (routing, judgement) = version
                .route(transaction, recipient, previous, &self.look_ups)
                .await;
            version.count(&judgement);
            ruling.effects.extend(scoped(transaction, &judgement));
            ruling.judgements.push(judgement);
            if routing != Routing::Pass {
                ruling.routing = routing;
                break;
            }
        }
        ruling
    }

    /// An attempt has ended.
    pub async fn outcome(
        &self,
        transaction: &Transaction,
        result: &AttemptResult,
    ) -> OutcomeRuling {
        let mut ruling = OutcomeRuling {
            effects: Vec::new(),
            judgements: Vec::new(),
        };
        for version in self.having(Hook::Outcome) {
            let judgement = version.outcome(transaction, result, &self.look_ups).await;
            version.count(&judgement);
            ruling.effects.extend(scoped(transaction, &judgement));
            ruling.judgements.push(judgement);
        }
        ruling
    }
}

/// The effects of a call, each with whose memory it is for.
fn scoped(transaction: &Transaction, judgement: &Judgement) -> Vec<(Scope, Effect)> {
    let scope = Scope {
        policy: judgement.policy.clone(),
        account: transaction.account.clone(),
    };
    let effects = judgement.decision.effects.iter();
    effects
        .map(|effect| (scope.clone(), effect.clone()))
        .collect()
}

impl Ruling {
    /// Folds one judgement in; true when the chain ends.
    fn take(&mut self, judgement: Judgement) -> bool {
        let ends = judgement.verdict.stops_chain();
        if ends || judgement.verdict == Verdict::Accept {
            self.verdict = judgement.verdict.clone();
        }
        self.judgements.push(judgement);
        ends
    }
}

impl MessageRuling {
    /// Folds one judgement in; true when the chain ends.
    fn take(
        &mut self,
        transaction: &Transaction,
        mut judgement: Judgement,
        protected: &mut Protected,
    ) -> bool {
        protected.apply(&mut judgement.decision);
        let decision = &judgement.decision;
        if !decision.edits.is_empty() {
            self.message = self.message.edited(&decision.edits);
        }
        for tag in &decision.tags {
            if !self.tags.contains(tag) {
                self.tags.push(tag.clone());
            }
        }
        self.classification = decision.classification.or(self.classification);
        for (recipient, verdict) in &decision.recipients {
            if !self
                .recipients
                .iter()
                .any(|(judged, _)| judged == recipient)
            {
                self.recipients.push((recipient.clone(), verdict.clone()));
            }
        }
        self.effects.extend(scoped(transaction, &judgement));
        let ends = judgement.verdict.stops_chain();
        self.verdict = match (&self.verdict, &judgement.verdict) {
            // What is to be looked at by a person is not dropped by a later policy.
            (
                Verdict::Quarantine(_),
                Verdict::Pass | Verdict::Accept | Verdict::Discard | Verdict::Quarantine(_),
            ) => self.verdict.clone(),
            (Verdict::Accept, Verdict::Pass) => Verdict::Accept,
            (_, newer) => newer.clone(),
        };
        self.judgements.push(judgement);
        ends
    }
}

/// The fields that no policy, or no later one, may change, gathered from hook to hook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protected {
    names: Vec<FieldName>,
    reserved: Reserved,
}

impl Protected {
    /// The same, with what is the relay's alone.
    #[must_use]
    pub fn reserving(self, reserved: Reserved) -> Self {
        Self { reserved, ..self }
    }

    /// Takes out of a decision the edits that are the relay's alone or that an earlier policy has
    /// ruled out, puts them on record, and adds the fields that this decision protects.
    pub fn apply(&mut self, decision: &mut Decision) {
        let Decision {
            edits,
            dropped,
            protected,
            ..
        } = decision;
        edits.retain(|edit| {
            let protected = || {
                let broken = self.names.contains(edit.name());
                broken.then_some("the field is protected")
            };
            let why = self.reserved.forbids(edit).or_else(protected);
            if let Some(why) = why {
                let name = edit.name().as_str();
                dropped.push(format!("edit of {name} dropped: {why}"));
            }
            why.is_none()
        });
        for name in protected {
            if !self.names.contains(name) {
                self.names.push(name.clone());
            }
        }
    }
}
