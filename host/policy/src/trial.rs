//! Trial of a version beside the active one: in its shadow, or as a canary.
//!
//! A **shadow** is asked what the active version was asked, after that has answered and in a task of
//! its own. It never delays a reply, decides nothing, and its requests and log lines are dropped. Its
//! calls have a budget of time and a short queue; what is beyond is skipped and counted.
//!
//! A **canary** decides for a [`Share`] of the mail, by account and correspondent. There the active
//! version is asked, too, as the control, in a call that counts for nobody. If the candidate fails,
//! the active version's answer decides. Connect and sender hooks stay with the active version: the
//! account is not known yet.
//!
//! In both the second call gets the same answers to its look-ups as the first.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use gatepost_message::TransactionId;
use gatepost_model::Judgement;
use gatepost_rollout::{DifferenceKind, Ppm, Share};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::answers::{Answered, GivenAnswers};
use crate::budget::{Budget, Sizes};
use crate::difference::{differences, word};
use crate::hook_call::{HookCall, KeptCall};
use crate::hooks::CallContext;
use crate::memory::PolicyContext;
use crate::version::{Hook, Version};

/// Calls that may wait for a shadow.
const QUEUE: usize = 64;

/// Time for which a shadow may save its budget up.
const SAVED: Duration = Duration::from_secs(1);

/// Hears of the calls of a trial. No method may wait.
pub trait TrialObserver: Send + Sync {
    /// Both versions have answered a call.
    fn compared(&self, call: &ComparedCall<'_>);

    /// A call was not put to the shadow: its budget is used up, or its queue full.
    fn skipped(&self);
}

/// Call that both versions have answered.
#[derive(Debug)]
pub struct ComparedCall<'a> {
    /// Hook.
    pub hook: Hook,
    /// Transaction, if one has begun.
    pub transaction: Option<TransactionId>,
    /// Judgement of the active version; `None` if it has no such hook.
    pub active: Option<&'a Judgement>,
    /// Judgement of the candidate; `None` if it has no such hook.
    pub candidate: Option<&'a Judgement>,
    /// Octets that the candidate wrote to the log, or would have written.
    pub logged: u64,
    /// Kinds of difference.
    pub differences: Vec<DifferenceKind>,
}

impl ComparedCall<'_> {
    /// Returns true if the word of the verdict is another, or that of the routing.
    pub fn is_changed(&self) -> bool {
        let changes = [DifferenceKind::Verdict, DifferenceKind::Route];
        let [active, candidate] = [self.active, self.candidate].map(|of| of.map_or("pass", word));
        active != candidate && changes.iter().any(|kind| self.differences.contains(kind))
    }

    /// Returns both answers in words, the active version's first.
    pub fn in_words(&self) -> [String; 2] {
        [self.active, self.candidate].map(|judgement| {
            let Some(judgement) = judgement else {
                return "not asked".to_owned();
            };
            if let Some(fault) = &judgement.error {
                return fault.to_string();
            }
            let decision = &judgement.decision;
            let mut words = word(judgement).to_owned();
            for (name, list) in [("", &decision.reasons), ("tags: ", &decision.tags)] {
                if !list.is_empty() {
                    words = format!("{words} ({name}{})", list.join("; "));
                }
            }
            let requests = [
                ("edits", decision.edits.len()),
                ("recipients", decision.recipients.len()),
                ("effects", decision.effects.len()),
            ];
            for (name, count) in requests.into_iter().filter(|(_, count)| *count > 0) {
                words = format!("{words}, {count} {name}");
            }
            words
        })
    }
}

/// Version under trial beside the active one.
pub struct VersionTrial {
    version: Arc<Version>,
    kind: TrialKind,
    observer: Arc<dyn TrialObserver>,
    /// True once it is over, for transactions that began before, too.
    ended: Arc<AtomicBool>,
}

enum TrialKind {
    Shadow(Shadow),
    Canary(Share),
}

struct Shadow {
    calls: mpsc::Sender<ShadowedCall>,
    budget: Arc<ShadowBudget>,
}

impl std::fmt::Debug for VersionTrial {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut trial = formatter.debug_struct("VersionTrial");
        trial
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Part of a trial in one call.
pub(crate) enum TrialPart<'a> {
    /// The active version is asked alone.
    None,
    /// The active version is asked, and its answers are to be offered to the shadow.
    Shadow,
    /// The candidate decides.
    Canary(&'a Arc<Version>),
}

impl VersionTrial {
    /// Begins to shadow the active version, with a budget that is a share of one core.
    ///
    /// # Panics
    /// Outside of a runtime of tokio.
    pub fn shadow(
        version: Arc<Version>,
        budget: Ppm,
        observer: Arc<dyn TrialObserver>,
    ) -> Arc<Self> {
        let (calls, waiting) = mpsc::channel(QUEUE);
        let budget = Arc::new(ShadowBudget::new(budget));
        let trial = Arc::new(Self {
            version,
            kind: TrialKind::Shadow(Shadow {
                calls,
                budget: Arc::clone(&budget),
            }),
            observer,
            ended: Arc::default(),
        });
        tokio::spawn(follow(Arc::downgrade(&trial), waiting, budget));
        trial
    }

    /// Makes a canary for a share of the mail.
    pub fn canary(
        version: Arc<Version>,
        share: Share,
        observer: Arc<dyn TrialObserver>,
    ) -> Arc<Self> {
        Arc::new(Self {
            version,
            kind: TrialKind::Canary(share),
            observer,
            ended: Arc::default(),
        })
    }

    /// Makes the same canary with another share.
    pub fn with_share(&self, share: Share) -> Arc<Self> {
        Arc::new(Self {
            version: Arc::clone(&self.version),
            kind: TrialKind::Canary(share),
            observer: Arc::clone(&self.observer),
            ended: Arc::clone(&self.ended),
        })
    }

    /// Returns the version under trial.
    pub fn version(&self) -> &Arc<Version> {
        &self.version
    }

    /// Ends it, at once and for transactions that have begun.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Returns true if it is over.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Returns true if the candidate decides for mail of this account and correspondent.
    pub(crate) fn decides_for(&self, account: &str, correspondent: &str) -> bool {
        match &self.kind {
            TrialKind::Canary(share) => !self.has_ended() && share.has(account, correspondent),
            TrialKind::Shadow(_) => false,
        }
    }

    /// Returns the part that it has in a call.
    pub(crate) fn part(&self, call: &HookCall<'_>) -> TrialPart<'_> {
        if self.has_ended() {
            return TrialPart::None;
        }
        match &self.kind {
            TrialKind::Shadow(shadow) => {
                if shadow.calls.capacity() == 0 || !shadow.budget.has_some() {
                    self.observer.skipped();
                    return TrialPart::None;
                }
                TrialPart::Shadow
            }
            TrialKind::Canary(_) => match call.parties() {
                Some((account, correspondent)) if self.decides_for(account, &correspondent) => {
                    TrialPart::Canary(&self.version)
                }
                _ => TrialPart::None,
            },
        }
    }

    /// Offers a call that the active version has answered to the shadow.
    pub(crate) fn offer(
        &self,
        call: HookCall<'_>,
        active: Option<Judgement>,
        answers: Vec<Answered>,
        present: PolicyContext,
        sizes: Sizes,
    ) {
        if let TrialKind::Shadow(shadow) = &self.kind {
            let shadowed = ShadowedCall {
                call: call.kept(),
                active,
                answers: Arc::new(answers),
                present,
                sizes,
            };
            if shadow.calls.try_send(shadowed).is_err() {
                self.observer.skipped();
            }
        }
    }

    /// Tells the observer of a call that both have answered.
    pub(crate) fn compare(
        &self,
        call: &HookCall<'_>,
        active: Option<&Judgement>,
        candidate: Option<&Judgement>,
        logged: u64,
    ) {
        self.observer.compared(&ComparedCall {
            hook: call.hook(),
            transaction: call.id(),
            active,
            candidate,
            logged,
            differences: differences(active, candidate),
        });
    }
}

/// Makes a call that counts for nobody, with answers that another call got. Returns the judgement and
/// the octets that it would have written to the log; no judgement if the version has no such hook.
pub(crate) async fn ask_apart(
    version: &Version,
    call: HookCall<'_>,
    answers: Arc<Vec<Answered>>,
    present: &PolicyContext,
    sizes: Sizes,
) -> (Option<Judgement>, u64) {
    if !version.hooks().contains(&call.hook()) {
        return (None, 0);
    }
    let given = GivenAnswers::new(answers, Arc::default()).before(present);
    let (budget, logged) = (Budget::default(), AtomicU64::new(0));
    let context = CallContext {
        look_ups: &given,
        budget: Some(&budget),
        sizes,
        is_live: false,
        logged: Some(&logged),
    };
    let judgement = call.put(version, context).await;
    (Some(judgement), logged.into_inner())
}

/// Call that waits for a shadow.
struct ShadowedCall {
    call: KeptCall,
    active: Option<Judgement>,
    answers: Arc<Vec<Answered>>,
    present: PolicyContext,
    sizes: Sizes,
}

/// Puts the calls to the shadow, one after another, until its trial is dropped.
async fn follow(
    trial: Weak<VersionTrial>,
    mut waiting: mpsc::Receiver<ShadowedCall>,
    budget: Arc<ShadowBudget>,
) {
    while let Some(shadowed) = waiting.recv().await {
        let Some(trial) = trial.upgrade().filter(|trial| !trial.has_ended()) else {
            return;
        };
        if !budget.has_some() {
            trial.observer.skipped();
            continue;
        }
        let ShadowedCall {
            call,
            active,
            answers,
            present,
            sizes,
        } = shadowed;
        let begun = Instant::now();
        let asked = ask_apart(&trial.version, call.call(), answers, &present, sizes);
        let (candidate, logged) = asked.await;
        budget.take(begun.elapsed());
        trial.compare(&call.call(), active.as_ref(), candidate.as_ref(), logged);
        // Mail has its turn first.
        tokio::task::yield_now().await;
    }
}

/// Time that a shadow may use.
struct ShadowBudget {
    /// Share of one core.
    share: f64,
    /// Time that is left, in seconds, and when it was counted.
    left: Mutex<(f64, Instant)>,
}

impl ShadowBudget {
    fn new(share: Ppm) -> Self {
        let share = share.fraction();
        Self {
            share,
            left: Mutex::new((share * SAVED.as_secs_f64(), Instant::now())),
        }
    }

    fn has_some(&self) -> bool {
        let mut left = self.left.lock();
        let now = Instant::now();
        let passed = now.duration_since(left.1).as_secs_f64();
        let most = self.share * SAVED.as_secs_f64();
        *left = ((left.0 + passed * self.share).min(most), now);
        left.0 > 0.0
    }

    fn take(&self, time: Duration) {
        self.left.lock().0 -= time.as_secs_f64();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_used_up_and_comes_back() {
        let budget = ShadowBudget::new(Ppm::percent(10));
        assert!(budget.has_some());
        budget.take(Duration::from_secs(1));
        assert!(!budget.has_some(), "a tenth of a second was saved");
        // 0.9 seconds of work are 9 seconds of a tenth of a core.
        budget.left.lock().1 -= Duration::from_secs(8);
        assert!(!budget.has_some());
        budget.left.lock().1 -= Duration::from_secs(2);
        assert!(budget.has_some());
    }
}
