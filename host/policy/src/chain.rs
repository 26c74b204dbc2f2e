//! The chain of a listener: its policies in order, and the fold of their judgements into a ruling.
//!
//! Each policy sees the message as the earlier ones left it. `reject`, `tempfail` and `discard`
//! end the chain; `quarantine` sticks and the chain goes on; `accept` skips nothing. A ruling is
//! data: the caller carries it out.

use std::sync::Arc;

use gatepost_authentication::Facts;
use gatepost_contract::directory::Directory;
use gatepost_contract::identity::Identity;
use gatepost_message::{Address, Message, Millis};
use gatepost_model::{
    AttemptResult, Effect, Judgement, Queued, Routing, Scope, Session, Transaction, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::budget::{Budget, Sizes};
use crate::findings::Findings;
use crate::hooks::CallContext;
use crate::memory::PolicyContext;
use crate::recorder::{Question, Recorder};
use crate::slot::Slot;
use crate::version::{Hook, Version};

/// Policies of one listener, in order.
#[derive(Debug, Clone, Default)]
pub struct Chain(Arc<[Arc<Slot>]>);

/// Chain with fixed versions: one transaction is judged by these from beginning to end. Holds
/// the budget of its calls, too.
#[derive(Clone)]
pub struct Pinned {
    versions: Arc<[Arc<Version>]>,
    look_ups: PolicyContext,
    sizes: Sizes,
    budget: Arc<Budget>,
    recorder: Option<Arc<dyn Recorder>>,
    /// False if its calls count for and against nobody.
    is_live: bool,
}

impl std::fmt::Debug for Pinned {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("Pinned")
            .field(&self.versions)
            .finish()
    }
}

impl Pinned {
    /// Returns the chain with another identity of the relay, made of the present one.
    #[must_use]
    pub fn knowing(mut self, with: impl FnOnce(Arc<dyn Identity>) -> Arc<dyn Identity>) -> Self {
        self.look_ups.identity = with(self.look_ups.identity);
        self
    }

    /// Returns the chain with another directory, made of the present one.
    #[must_use]
    pub fn in_directory(
        mut self,
        with: impl FnOnce(Arc<dyn Directory>) -> Arc<dyn Directory>,
    ) -> Self {
        self.look_ups.directory = with(self.look_ups.directory);
        self
    }
}

/// Ruling of a chain on a session, a sender or a recipient.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ruling {
    /// Pass, accept, reject or tempfail.
    pub verdict: Verdict,
    /// Judgements of all calls that were made, in order.
    pub judgements: Vec<Judgement>,
}

/// Ruling of a chain on a message.
#[derive(Debug, Clone)]
pub struct MessageRuling {
    /// Verdict on the message as a whole.
    pub verdict: Verdict,
    /// Message after all edits that were allowed.
    pub message: Message,
    /// Findings of all hooks, including those before the end of data.
    pub findings: Findings,
}

/// Ruling of a chain on the route of a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRuling {
    /// Routing of the first policy that had an opinion; `Pass` if none had.
    pub routing: Routing,
    /// Effects to store, each with its scope.
    pub effects: Vec<(Scope, Effect)>,
    /// Judgements of all calls that were made, in order.
    pub judgements: Vec<Judgement>,
}

/// Ruling of a chain on the outcome of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRuling {
    /// Effects to store, each with its scope.
    pub effects: Vec<(Scope, Effect)>,
    /// Judgements of all calls that were made, in order.
    pub judgements: Vec<Judgement>,
}

impl Chain {
    /// Makes a chain that asks these policies in this order.
    pub fn new(slots: impl IntoIterator<Item = Arc<Slot>>) -> Self {
        Self(slots.into_iter().collect())
    }

    /// Returns the slots of its policies.
    pub fn slots(&self) -> &[Arc<Slot>] {
        &self.0
    }

    /// Fixes the versions that are active now and the sources of their look-ups.
    pub fn begin(&self, look_ups: impl Into<PolicyContext>) -> Pinned {
        Pinned {
            versions: self.0.iter().map(|slot| slot.current()).collect(),
            look_ups: look_ups.into(),
            sizes: Sizes::default(),
            budget: Arc::default(),
            recorder: None,
            is_live: true,
        }
    }
}

impl Pinned {
    /// Makes a chain of these versions whose calls count for and against nobody: no circuit breaker is
    /// asked or told, nothing is counted in the metrics, and log lines of policies are dropped.
    pub fn apart(versions: Arc<[Arc<Version>]>, look_ups: impl Into<PolicyContext>) -> Self {
        Self {
            versions,
            look_ups: look_ups.into(),
            sizes: Sizes::default(),
            budget: Arc::default(),
            recorder: None,
            is_live: false,
        }
    }

    /// Has a recorder watch all questions and calls from now on.
    #[must_use]
    pub fn watched_by(self, recorder: Arc<dyn Recorder>) -> Self {
        Self {
            recorder: Some(recorder),
            ..self
        }
    }

    /// Sets the sizes to which edits may make a message grow.
    #[must_use]
    pub fn within(self, sizes: Sizes) -> Self {
        Self { sizes, ..self }
    }

    fn asked(&self, question: Question<'_>) {
        if let Some(recorder) = &self.recorder {
            recorder.asked(question);
        }
    }

    /// Makes one call, within this budget, unless the recorder knows its judgement.
    async fn call<'a, F, J>(&'a self, version: &'a Arc<Version>, budget: &'a Budget, call: F) -> J
    where
        F: AsyncFnOnce(CallContext<'_>) -> J,
        J: AsJudgement,
    {
        let known = (self.recorder.as_ref()).and_then(|recorder| recorder.known(version));
        let called = match known.and_then(J::of_known) {
            Some(known) => known,
            None => {
                let recorder = self.recorder.as_ref();
                let watched = recorder.map(|recorder| recorder.sources(version, &self.look_ups));
                let context = CallContext {
                    look_ups: watched.as_ref().unwrap_or(&self.look_ups),
                    budget: Some(budget),
                    sizes: self.sizes,
                    is_live: self.is_live,
                };
                call(context).await
            }
        };
        if self.is_live {
            version.count(called.judgement());
        }
        if let Some(recorder) = &self.recorder {
            recorder.judged(called.judgement());
        }
        called
    }

    /// Returns the versions in the order in which they are asked.
    pub fn versions(&self) -> &[Arc<Version>] {
        &self.versions
    }

    /// Returns true if one of its message hooks reads the facts about the message's origin, which
    /// then have to be gathered first.
    pub fn wants_authentication(&self) -> bool {
        self.exporting(Hook::Message)
            .any(|version| version.wants_authentication())
    }

    fn exporting(&self, hook: Hook) -> impl Iterator<Item = &Arc<Version>> {
        self.versions
            .iter()
            .filter(move |version| version.hooks().contains(&hook))
    }

    /// Asks the connect hooks about a client that connected at `now`.
    pub async fn connect(&self, session: &Session, now: Millis) -> Ruling {
        self.asked(Question::Connect(session, now));
        let mut ruling = Ruling::default();
        for version in self.exporting(Hook::Connect) {
            let call =
                async |context: CallContext<'_>| version.connect(session, now, context).await;
            let judgement = self.call(version, &self.budget, call).await;
            if ruling.fold(judgement) {
                break;
            }
        }
        ruling
    }

    /// Asks the sender hooks about the reverse-path of MAIL FROM.
    pub async fn sender(&self, transaction: &Transaction) -> Ruling {
        self.asked(Question::Sender(transaction));
        let mut ruling = Ruling::default();
        for version in self.exporting(Hook::Sender) {
            let call = async |context: CallContext<'_>| version.sender(transaction, context).await;
            let judgement = self.call(version, &self.budget, call).await;
            if ruling.fold(judgement) {
                break;
            }
        }
        ruling
    }

    /// Asks the recipient hooks about RCPT TO. `transaction` holds the recipients accepted before.
    pub async fn recipient(&self, transaction: &Transaction, recipient: &Address) -> Ruling {
        self.asked(Question::Recipient(transaction, recipient));
        let mut ruling = Ruling::default();
        for version in self.exporting(Hook::Recipient) {
            let call = async |context: CallContext<'_>| {
                version.recipient(transaction, recipient, context).await
            };
            let judgement = self.call(version, &self.budget, call).await;
            if ruling.fold(judgement) {
                break;
            }
        }
        ruling
    }

    /// Asks the message hooks at the end of data.
    ///
    /// `facts` are those about the message's origin. They may be absent where
    /// [no policy reads them](Self::wants_authentication): a policy that asks for them all the same
    /// is at fault. `findings` come from the hooks before; their edits are carried out first.
    pub async fn message(
        &self,
        transaction: &Transaction,
        message: Message,
        facts: Option<&Arc<Facts>>,
        mut findings: Findings,
    ) -> MessageRuling {
        self.asked(Question::Message {
            transaction,
            message: &message,
            facts,
            findings: &findings,
        });
        let edited = message.edited(&findings.edits);
        let mut message = match self.sizes.allow(&message, &edited) {
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
        for version in self.exporting(Hook::Message) {
            let call = async |context: CallContext<'_>| {
                version.message(transaction, &message, facts, context).await
            };
            let judgement = self.call(version, &self.budget, call).await;
            let newer = judgement.verdict.clone();
            findings.edits.clear();
            findings.fold(judgement, transaction.account.as_deref());
            message = message.edited(&findings.edits);
            let ends = newer.stops_chain();
            verdict = combine_verdicts(verdict, newer);
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

    /// Asks the route hooks for the way to a recipient that is due. The first policy with an
    /// opinion decides, and a fault defers. `previous` counts the attempts so far.
    pub async fn route(
        &self,
        transaction: &Transaction,
        recipient: &Address,
        previous: u32,
        queued: &Arc<Queued>,
    ) -> RouteRuling {
        self.asked(Question::Route {
            transaction,
            recipient,
            previous,
            queued,
        });
        let mut ruling = RouteRuling {
            routing: Routing::Pass,
            effects: Vec::new(),
            judgements: Vec::new(),
        };
        let budget = Budget::default();
        for version in self.exporting(Hook::Route) {
            let call = async |context: CallContext<'_>| {
                (version.route(transaction, recipient, previous, queued, context)).await
            };
            let (routing, judgement) = self.call(version, &budget, call).await;
            ruling
                .effects
                .extend(scoped_effects(transaction, &judgement));
            ruling.judgements.push(judgement);
            if routing != Routing::Pass {
                ruling.routing = routing;
                break;
            }
        }
        ruling
    }

    /// Tells the outcome hooks how an attempt ended.
    pub async fn outcome(
        &self,
        transaction: &Transaction,
        result: &Arc<AttemptResult>,
        queued: &Arc<Queued>,
    ) -> OutcomeRuling {
        self.asked(Question::Outcome {
            transaction,
            result,
            queued,
        });
        let mut ruling = OutcomeRuling {
            effects: Vec::new(),
            judgements: Vec::new(),
        };
        let budget = Budget::default();
        for version in self.exporting(Hook::Outcome) {
            let call = async |context: CallContext<'_>| {
                version.outcome(transaction, result, queued, context).await
            };
            let judgement = self.call(version, &budget, call).await;
            ruling
                .effects
                .extend(scoped_effects(transaction, &judgement));
            ruling.judgements.push(judgement);
        }
        ruling
    }
}

/// Answer of a call with its judgement, which alone the route hook has more of.
trait AsJudgement: Sized {
    fn judgement(&self) -> &Judgement;
    fn of_known(judgement: Judgement) -> Option<Self>;
}

impl AsJudgement for Judgement {
    fn judgement(&self) -> &Judgement {
        self
    }

    fn of_known(judgement: Judgement) -> Option<Self> {
        Some(judgement)
    }
}

impl AsJudgement for (Routing, Judgement) {
    fn judgement(&self) -> &Judgement {
        &self.1
    }

    fn of_known(judgement: Judgement) -> Option<Self> {
        let routing = judgement.routing.clone()?;
        Some((*routing, judgement))
    }
}

/// Returns the effects of a call, each with its scope.
fn scoped_effects(transaction: &Transaction, judgement: &Judgement) -> Vec<(Scope, Effect)> {
    let scope = Scope {
        policy: judgement.policy.clone(),
        account: transaction.account.clone(),
    };
    let effects = judgement.decision.effects.iter();
    effects
        .map(|effect| (scope.clone(), effect.clone()))
        .collect()
}

/// Combines the verdict so far with the verdict of a later policy.
fn combine_verdicts(older: Verdict, newer: Verdict) -> Verdict {
    match (older, newer) {
        // A later policy must not drop a message that waits for a person's decision.
        (
            kept @ Verdict::Quarantine(_),
            Verdict::Pass | Verdict::Accept | Verdict::Discard | Verdict::Quarantine(_),
        ) => kept,
        (Verdict::Accept, Verdict::Pass) => Verdict::Accept,
        (_, newer) => newer,
    }
}

impl Ruling {
    /// Folds one judgement in. Returns true if the chain ends with it.
    fn fold(&mut self, judgement: Judgement) -> bool {
        let ends = judgement.verdict.stops_chain();
        if ends || judgement.verdict == Verdict::Accept {
            self.verdict = judgement.verdict.clone();
        }
        self.judgements.push(judgement);
        ends
    }
}
