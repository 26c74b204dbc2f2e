//! The chain of a listener: its policies in order, and the fold of their judgements into a ruling.
//!
//! Each policy sees the message as the earlier ones left it. `reject`, `tempfail` and `discard`
//! end the chain; `quarantine` sticks and the chain goes on; `accept` skips nothing. A ruling is
//! data: the caller carries it out.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use gatepost_authentication::Facts;
use gatepost_contract::directory::Directory;
use gatepost_contract::identity::Identity;
use gatepost_message::{Address, Message, Millis};
use gatepost_model::{
    AttemptResult, Effect, FaultKind, Judgement, Queued, Routing, Scope, Session, Transaction,
    Verdict,
};
use serde::{Deserialize, Serialize};

use crate::answers::KeptAnswers;
use crate::budget::{Budget, Sizes};
use crate::findings::Findings;
use crate::hook_call::HookCall;
use crate::hooks::CallContext;
use crate::memory::PolicyContext;
use crate::recorder::{Question, Recorder};
use crate::slot::Slot;
use crate::trial::{TrialPart, VersionTrial, ask_apart};
use crate::version::{Hook, Version};

/// Policies of one listener, in order.
#[derive(Debug, Clone, Default)]
pub struct Chain(Arc<[Arc<Slot>]>);

/// Chain with fixed versions: one transaction is judged by these from beginning to end. Holds
/// the budget of its calls, too.
#[derive(Clone)]
pub struct Pinned {
    versions: Arc<[Arc<Version>]>,
    /// Versions under trial beside them, by their places; empty where there is none.
    trials: Arc<[Option<Arc<VersionTrial>>]>,
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

    /// Returns the chain with the versions that are active in another one, and with the same
    /// sources of look-ups.
    #[must_use]
    pub fn with_versions_of(mut self, chain: &Chain) -> Self {
        self.versions = chain.0.iter().map(|slot| slot.current()).collect();
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
        let trials = match self.0.iter().any(|slot| slot.has_trial()) {
            true => self.0.iter().map(|slot| slot.trial()).collect(),
            false => Arc::default(),
        };
        Pinned {
            versions: self.0.iter().map(|slot| slot.current()).collect(),
            trials,
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
            trials: Arc::default(),
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

    /// Asks the policy at a place, within this budget; `None` if it has no such hook. Where another
    /// version is under trial, that is asked, too, and may decide.
    async fn call(&self, place: usize, call: HookCall<'_>, budget: &Budget) -> Option<Judgement> {
        let version = self.versions.get(place)?;
        let exports = |version: &Version| version.hooks().contains(&call.hook());
        let trial = self.trials.get(place).and_then(Option::as_ref);
        let trial = trial.filter(|trial| exports(version) || exports(trial.version()));
        match trial.map(|trial| (trial, trial.part(&call))) {
            Some((trial, TrialPart::Shadow)) => {
                let kept = KeptAnswers::default();
                let judged = match exports(version) {
                    true => Some(self.decide(version, call, budget, Some(&kept)).await),
                    false => None,
                };
                let (active, present) = (judged.clone(), self.look_ups.clone());
                trial.offer(call, active, kept.take(), present, self.sizes);
                judged
            }
            Some((trial, TrialPart::Canary(candidate))) => {
                self.try_canary(version, trial, candidate, call, budget)
                    .await
            }
            _ if exports(version) => Some(self.decide(version, call, budget, None).await),
            _ => None,
        }
    }

    /// Has the candidate decide, with the active version as the control. If the candidate fails, the
    /// active version decides.
    async fn try_canary(
        &self,
        active: &Arc<Version>,
        trial: &VersionTrial,
        candidate: &Arc<Version>,
        call: HookCall<'_>,
        budget: &Budget,
    ) -> Option<Judgement> {
        let exports = |version: &Version| version.hooks().contains(&call.hook());
        let (kept, logged) = (KeptAnswers::default(), AtomicU64::new(0));
        let answered = match exports(candidate) {
            true => {
                let keeping = Some(&kept);
                Some((self.ask(candidate, call, budget, keeping, Some(&logged))).await)
            }
            false => None,
        };
        let logged = logged.into_inner();
        let fault = answered.as_ref().and_then(|of| of.error.as_ref());
        if let Some(fault) = fault {
            let (policy, digest) = (candidate.name(), candidate.digest());
            tracing::debug!(policy, digest, %fault, "fault of a canary; the active version decides");
            let is_overload = fault.kind == FaultKind::Overload;
            let decided = match exports(active) {
                true => Some(self.decide(active, call, budget, None).await),
                false => None,
            };
            if !is_overload {
                trial.compare(&call, decided.as_ref(), answered.as_ref(), logged);
            }
            return decided;
        }
        let answers = Arc::new(kept.take());
        let control = ask_apart(active, call, answers, &self.look_ups, self.sizes);
        let (control, _) = control.await;
        let overloaded = (control.as_ref().and_then(|of| of.error.as_ref()))
            .is_some_and(|fault| fault.kind == FaultKind::Overload);
        if !overloaded {
            trial.compare(&call, control.as_ref(), answered.as_ref(), logged);
        }
        if let Some(judgement) = &answered {
            self.account(candidate, judgement);
        }
        answered
    }

    /// Makes one call that decides, unless the recorder knows its judgement.
    async fn decide(
        &self,
        version: &Arc<Version>,
        call: HookCall<'_>,
        budget: &Budget,
        keeping: Option<&KeptAnswers>,
    ) -> Judgement {
        let known = (self.recorder.as_ref()).and_then(|recorder| recorder.known(version));
        let judgement = match known {
            Some(known) => known,
            None => self.ask(version, call, budget, keeping, None).await,
        };
        self.account(version, &judgement);
        judgement
    }

    async fn ask(
        &self,
        version: &Version,
        call: HookCall<'_>,
        budget: &Budget,
        keeping: Option<&KeptAnswers>,
        logged: Option<&AtomicU64>,
    ) -> Judgement {
        let recorder = self.recorder.as_ref();
        let watched = recorder.map(|recorder| recorder.sources(version, &self.look_ups));
        let sources = watched.as_ref().unwrap_or(&self.look_ups);
        let kept = keeping.map(|kept| kept.keeping(sources));
        let context = CallContext {
            look_ups: kept.as_ref().unwrap_or(sources),
            budget: Some(budget),
            sizes: self.sizes,
            is_live: self.is_live,
            logged,
        };
        call.put(version, context).await
    }

    /// Counts the judgement of a call that decided, and tells the recorder of it.
    fn account(&self, version: &Version, judgement: &Judgement) {
        if self.is_live {
            version.count(judgement);
        }
        if let Some(recorder) = &self.recorder {
            recorder.judged(judgement);
        }
    }

    /// Returns the versions in the order in which they are asked.
    pub fn versions(&self) -> &[Arc<Version>] {
        &self.versions
    }

    /// Returns true if one of its message hooks reads the facts about the message's origin, which
    /// then have to be gathered first.
    pub fn wants_authentication(&self) -> bool {
        let candidates = self.trials.iter().flatten().map(|trial| trial.version());
        let mut versions = self.versions.iter().chain(candidates);
        versions.any(|version| {
            version.hooks().contains(&Hook::Message) && version.wants_authentication()
        })
    }

    /// Returns the places of the policies, in the order in which they are asked.
    fn places(&self) -> std::ops::Range<usize> {
        0..self.versions.len()
    }

    /// Asks the connect hooks about a client that connected at `now`.
    pub async fn connect(&self, session: &Session, now: Millis) -> Ruling {
        self.asked(Question::Connect(session, now));
        let mut ruling = Ruling::default();
        for place in self.places() {
            let call = HookCall::Connect(session, now);
            let Some(judgement) = self.call(place, call, &self.budget).await else {
                continue;
            };
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
        for place in self.places() {
            let call = HookCall::Sender(transaction);
            let Some(judgement) = self.call(place, call, &self.budget).await else {
                continue;
            };
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
        for place in self.places() {
            let call = HookCall::Recipient(transaction, recipient);
            let Some(judgement) = self.call(place, call, &self.budget).await else {
                continue;
            };
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
        for place in self.places() {
            let call = HookCall::Message(transaction, &message, facts);
            let Some(judgement) = self.call(place, call, &self.budget).await else {
                continue;
            };
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
        for place in self.places() {
            let call = HookCall::Route(transaction, recipient, previous, queued);
            let Some(judgement) = self.call(place, call, &budget).await else {
                continue;
            };
            let routing = judgement.routing.as_deref().cloned();
            let routing = routing.unwrap_or(Routing::Pass);
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
        for place in self.places() {
            let call = HookCall::Outcome(transaction, result, queued);
            let Some(judgement) = self.call(place, call, &budget).await else {
                continue;
            };
            ruling
                .effects
                .extend(scoped_effects(transaction, &judgement));
            ruling.judgements.push(judgement);
        }
        ruling
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
