//! Judging ahead: messages of one dry run side by side, with the results of one after another.
//!
//! What a message leaves in the memory of policies can matter for the next one. So a message is
//! judged ahead with the memory as it is, and every answer of the memory is noted. When its turn
//! comes, the memory is asked the same again: if all answers are still those, so is the decision, as
//! a policy is a function of what it is told. If one differs, the message is judged again.
//!
//! The same holds for what else has an order. Circuit breakers remember faults: a message is judged
//! ahead by versions that remember none, and once a call fails, all are judged in their turn. Log
//! lines are written in order: where judging ahead would have written one, the message is judged
//! again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatepost_message::Millis;
use gatepost_model::{Machine, Scope};
use gatepost_policy::{Chain, Memory, Slot};
use parking_lot::Mutex;
use tracing::instrument::WithSubscriber as _;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

use super::{DecidedMessage, DryRun, DryRunMessage, DryRunResult};

/// Number of answers that are noted of one message: after more, it is judged in its turn.
const MAX_ANSWERS: usize = 10_000;

/// Chains for all messages that are judged ahead.
#[derive(Default)]
pub(super) struct Assistants {
    idle: Mutex<Vec<Assistant>>,
    /// True once a call has failed.
    stopped: AtomicBool,
}

/// Chain that judges one message at a time, of versions that remember no faults.
struct Assistant {
    listener: String,
    chain: Chain,
    quiet: Dispatch,
    would_log: Arc<AtomicBool>,
}

/// Message that may have been judged ahead.
pub struct JudgedAhead {
    submitted: DryRunMessage,
    ahead: Option<(DecidedMessage, Arc<NotedMemory>)>,
}

impl DryRun {
    /// Judges a message before its turn, if that is possible. Several may be judged at once.
    pub async fn judge_ahead(&self, submitted: DryRunMessage) -> JudgedAhead {
        if self.assistants.stopped.load(Ordering::Acquire) {
            return JudgedAhead {
                submitted,
                ahead: None,
            };
        }
        let listener = &submitted.transaction.session.listener;
        let assistant = self.assistant(listener);
        let memory = Arc::new(NotedMemory {
            memory: self.memory.clone(),
            answers: Mutex::default(),
        });
        let decided = self
            .decide(&assistant.chain, memory.clone(), None, submitted.clone())
            .with_subscriber(assistant.quiet.clone())
            .await;
        let would_log = assistant.would_log.swap(false, Ordering::AcqRel);
        let mut judgements = decided.evaluated.judged.findings.judgements.iter();
        let is_sound = !would_log && judgements.all(|judgement| judgement.error.is_none());
        if is_sound {
            self.assistants.idle.lock().push(assistant);
        }
        JudgedAhead {
            submitted,
            ahead: is_sound.then_some((decided, memory)),
        }
    }

    /// Finishes a message in its turn, after all messages before it.
    pub async fn finish(&self, judged: JudgedAhead) -> DryRunResult {
        let JudgedAhead { submitted, ahead } = judged;
        let stopped = self.assistants.stopped.load(Ordering::Acquire);
        let ahead = ahead.filter(|(_, memory)| !stopped && memory.answers_the_same());
        let result = match ahead {
            Some((mut decided, _)) => {
                let listener = &submitted.transaction.session.listener;
                let chain = self.policies.chain(listener);
                let evaluated = &mut decided.evaluated;
                evaluated.policies = evaluated.policies.clone().with_versions_of(&chain);
                self.conclude(decided).await
            }
            None => self.judge(submitted).await,
        };
        let mut judgements = result.findings.judgements.iter();
        if judgements.any(|judgement| judgement.error.is_some()) {
            self.assistants.stopped.store(true, Ordering::Release);
        }
        result
    }

    fn assistant(&self, listener: &str) -> Assistant {
        let mut idle = self.assistants.idle.lock();
        if let Some(at) = idle.iter().position(|of| of.listener == listener) {
            return idle.swap_remove(at);
        }
        drop(idle);
        let chain = self.policies.chain(listener);
        let versions = chain.slots().iter().map(|slot| slot.current().unburdened());
        let would_log = Arc::<AtomicBool>::default();
        Assistant {
            listener: listener.to_owned(),
            chain: Chain::new(versions.map(Slot::new)),
            quiet: Dispatch::new(Quiet {
                around: tracing::dispatcher::get_default(Dispatch::clone),
                level: LevelFilter::current(),
                would_log: Arc::clone(&would_log),
            }),
            would_log,
        }
    }
}

/// Memory that notes its answers.
pub(super) struct NotedMemory {
    memory: Arc<dyn Memory>,
    answers: Mutex<Vec<NotedAnswer>>,
}

/// An answer with its question.
enum NotedAnswer {
    Counted {
        scope: Scope,
        key: String,
        seconds: u32,
        now: Millis,
        answer: u64,
    },
    Seen {
        scope: Scope,
        key: String,
        now: Millis,
        answer: bool,
    },
    Machine {
        account: String,
        address: String,
        now: Millis,
        answer: Option<Machine>,
    },
}

impl NotedMemory {
    fn note(&self, answer: NotedAnswer) {
        let mut answers = self.answers.lock();
        if answers.len() <= MAX_ANSWERS {
            answers.push(answer);
        }
    }

    /// Returns true if the memory would answer the same now.
    fn answers_the_same(&self) -> bool {
        let memory = &self.memory;
        let answers = self.answers.lock();
        answers.len() <= MAX_ANSWERS
            && answers.iter().all(|noted| match noted {
                NotedAnswer::Counted {
                    scope,
                    key,
                    seconds,
                    now,
                    answer,
                } => memory.counted(scope, key, *seconds, *now) == *answer,
                NotedAnswer::Seen {
                    scope,
                    key,
                    now,
                    answer,
                } => memory.seen(scope, key, *now) == *answer,
                NotedAnswer::Machine {
                    account,
                    address,
                    now,
                    answer,
                } => memory.machine(account, address, *now) == *answer,
            })
    }
}

impl Memory for NotedMemory {
    fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 {
        let answer = self.memory.counted(scope, key, seconds, now);
        self.note(NotedAnswer::Counted {
            scope: scope.clone(),
            key: key.to_owned(),
            seconds,
            now,
            answer,
        });
        answer
    }

    fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool {
        let answer = self.memory.seen(scope, key, now);
        self.note(NotedAnswer::Seen {
            scope: scope.clone(),
            key: key.to_owned(),
            now,
            answer,
        });
        answer
    }

    fn machine(&self, account: &str, address: &str, now: Millis) -> Option<Machine> {
        let answer = self.memory.machine(account, address, now);
        self.note(NotedAnswer::Machine {
            account: account.to_owned(),
            address: address.to_owned(),
            now,
            answer: answer.clone(),
        });
        answer
    }
}

/// Subscriber that writes nothing, and remembers that something would have been written.
struct Quiet {
    around: Dispatch,
    level: LevelFilter,
    would_log: Arc<AtomicBool>,
}

impl Subscriber for Quiet {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && self.around.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.would_log.store(true, Ordering::Release);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
