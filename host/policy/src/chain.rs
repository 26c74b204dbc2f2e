//! A listener's policies in order, and how their judgements fold into one ruling.
//!
//! Each policy sees the message as the earlier ones left it. `reject`, `tempfail` and `discard`
//! end the chain; `quarantine` sticks and the chain goes on; `accept` skips nothing. A ruling is
//! still only data: the caller carries it out.

use std::sync::Arc;

use gatepost_authentication::Facts;
use gatepost_message::{Address, Message, Millis};
use gatepost_model::{
    AttemptResult, Effect, Judgement, Routing, Scope, Session, Transaction, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::budget::{Budget, Sizes};
use crate::findings::Findings;
use crate::hooks::Terms;
use crate::memory::LookUps;
use crate::slot::Slot;
use crate::version::{Hook, Version};

/// The ordered policies of one listener.
#[derive(Debug, Clone, Default)]
pub struct Chain(Arc<[Arc<Slot>]>);

/// A chain whose versions are fixed: what one transaction is judged by from beginning to end, and
/// what its calls together have asked for.
#[derive(Clone)]
pub struct Pinned {
    versions: Arc<[Arc<Version>]>,
    look_ups: LookUps,
    sizes: Sizes,
    budget: Arc<Budget>,
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
    /// All that was said, by the hooks before the end of data too.
    pub findings: Findings,
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
            sizes: Sizes::default(),
            budget: Arc::default(),
        }
    }
}

impl Pinned {
    /// The same, where edits may make a message no larger than that.
    #[must_use]
    pub fn within(self, sizes: Sizes) -> Self {
        Self { sizes, ..self }
    }

    fn terms(&self) -> Terms<'_> {
        self.terms_of(&self.budget)
    }

    /// With a budget of their own: an attempt at delivery is not part of the transaction.
    fn terms_of<'a>(&'a self, budget: &'a Budget) -> Terms<'a> {
        Terms {
            look_ups: &self.look_ups,
            budget: Some(budget),
            sizes: self.sizes,
        }
    }

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
            let judgement = version.connect(session, now, self.terms()).await;
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
            let judgement = version.sender(transaction, self.terms()).await;
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
                .recipient(transaction, recipient, self.terms())
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
    /// them all the same is at fault. `findings` is what the hooks before have said: their edits
    /// are carried out first.
    pub async fn message(
        &self,
        transaction: &Transaction,
        message: Message,
        facts: Option<&Arc<Facts>>,
        mut findings: Findings,
    ) -> MessageRuling {
        let edited = message.edited(&findings.edits);
        let mut message = match self.sizes.hold(&message, &edited) {
            true => edited,
            false => {
                let id = transaction.id;
                let why = "the message would be too large";
                tracing::warn!(%id, why, "edits of earlier hooks dropped");
                findings.drop_edits(why);
                message
            }
        };
        let mut verdict = Verdict::Pass;
        for version in self.having(Hook::Message) {
            let judgement = version
                .message(transaction, &message, facts, self.terms())
                .await;
            version.count(&judgement);
            let said = judgement.verdict.clone();
            findings.edits.clear();
            findings.fold(judgement, transaction.account.as_deref());
            message = message.edited(&findings.edits);
            let ends = said.stops_chain();
            verdict = followed_by(verdict, said);
            if ends {
                break;
            }
        }
        findings.edits.clear();
        MessageRuling {
            verdict,
            message,
            findings,
        }
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
        let budget = Budget::default();
        for version in self.having(Hook::Route) {
            let terms = self.terms_of(&budget);
            let (routing, judgement) = version.route(transaction, recipient, previous, terms).await;
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
        let budget = Budget::default();
        for version in self.having(Hook::Outcome) {
            let terms = self.terms_of(&budget);
            let judgement = version.outcome(transaction, result, terms).await;
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

/// Returns what remains of a verdict once a later policy of the chain has given another.
fn followed_by(older: Verdict, newer: Verdict) -> Verdict {
    match (older, newer) {
        // A message that a person is to look at is not dropped by a later policy.
        (
            kept @ Verdict::Quarantine(_),
            Verdict::Pass | Verdict::Accept | Verdict::Discard | Verdict::Quarantine(_),
        ) => kept,
        (Verdict::Accept, Verdict::Pass) => Verdict::Accept,
        (_, newer) => newer,
    }
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
