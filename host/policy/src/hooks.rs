//! The hooks of one version: the call, the check of its answer, and the verdict after a fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gatepost_authentication::Facts;
use gatepost_message::{Address, Message, Millis, TransactionId};
use gatepost_model::{
    AttemptResult, Decision, Fault, FaultKind, Judgement, Queued, Routing, Scope, Session,
    Transaction, Verdict,
};
use gatepost_smtp::Reply;

use crate::attribution::{Cause, Subject};
use crate::breaker::Admission;
use crate::budget::{Budget, MAX_DEADLINES, Sizes};
use crate::call::{self, CallResult, decision_handle, message_handle};
use crate::contract::wit::{plans as wit_plans, types};
use crate::definition::OnError;
use crate::host::{CallView, Origin};
use crate::memory::PolicyContext;
use crate::observation::HOOK_TARGET;
use crate::queue::result_handle;
use crate::version::{Hook, Version};
use crate::{convert, plans, probe};

/// Returns the reply to a client when a policy could not decide.
fn undecided() -> Reply {
    Reply::new(
        451,
        "4.3.0",
        "A policy could not decide on this; please try again later",
    )
}

/// Returns the reply to mail that makes a policy fail each time: it need not be sent again.
fn unjudgeable() -> Reply {
    Reply::new(
        554,
        "5.6.0",
        "A policy fails on this each time it is tried; it is not to be sent again",
    )
}

/// Returns the reply to a recipient once the others have used up the transaction's budget: the
/// client sends to the rest in another transaction (RFC 5321 section 4.5.3.1.10).
fn budget_used_up() -> Reply {
    Reply::new(
        452,
        "4.5.3",
        "Too much to decide in one transaction; send to the other recipients in another",
    )
}

/// Context of a call: its look-ups and bounds.
#[derive(Clone, Copy)]
pub(crate) struct CallContext<'a> {
    pub(crate) look_ups: &'a PolicyContext,
    /// Budget of the transaction. `None` for a trial of a version, which counts for and against
    /// nobody.
    pub(crate) budget: Option<&'a Budget>,
    /// Sizes to which edits may make a message grow.
    pub(crate) sizes: Sizes,
    /// False if the call counts for and against nobody, though it has a budget.
    pub(crate) is_live: bool,
    /// Place for the number of octets that it wrote to the log, or would have written; only for a version
    /// under trial, or the one that it is compared with.
    pub(crate) logged: Option<&'a AtomicU64>,
}

impl<'a> CallContext<'a> {
    /// Makes the context of a call that only tries the version.
    pub(crate) fn trial(look_ups: &'a PolicyContext) -> Self {
        Self {
            look_ups,
            budget: None,
            sizes: Sizes::default(),
            is_live: true,
            logged: None,
        }
    }
}

impl Version {
    pub(crate) async fn connect(
        &self,
        session: &Session,
        now: Millis,
        context: CallContext<'_>,
    ) -> Judgement {
        let cause = Cause::client(session);
        let mut view = self.view(None, None, now, &[], context, None);
        view.origin = Origin::of(session, true);
        let session = convert::session(session);
        let parameters = (&session, decision_handle());
        let called = self.call(cause, context, view, parameters).await;
        self.judgement(Hook::Connect, called)
    }

    pub(crate) async fn sender(
        &self,
        transaction: &Transaction,
        context: CallContext<'_>,
    ) -> Judgement {
        let subject = Subject::ReversePath(transaction);
        let cause = Cause::of(Hook::Sender, transaction, subject);
        let view = self.transaction_view(transaction, None, context);
        let transaction = convert::transaction(transaction);
        let parameters = (&transaction, decision_handle());
        let called = self.call(cause, context, view, parameters).await;
        self.judgement(Hook::Sender, called)
    }

    pub(crate) async fn recipient(
        &self,
        transaction: &Transaction,
        recipient: &Address,
        context: CallContext<'_>,
    ) -> Judgement {
        let subject = Subject::Recipient(transaction, recipient);
        let cause = Cause::of(Hook::Recipient, transaction, subject);
        let view = self.transaction_view(transaction, None, context);
        let transaction = convert::transaction(transaction);
        let parameters = (&transaction, recipient.as_str(), decision_handle());
        let called = self.call(cause, context, view, parameters).await;
        self.judgement(Hook::Recipient, called)
    }

    pub(crate) async fn message(
        &self,
        transaction: &Transaction,
        message: &Message,
        facts: Option<&Arc<Facts>>,
        context: CallContext<'_>,
    ) -> Judgement {
        let subject = Subject::Message(transaction, message);
        let cause = Cause::of(Hook::Message, transaction, subject);
        let mut view = self.transaction_view(transaction, Some(message.clone()), context);
        view.facts = facts.cloned();
        let transaction = convert::transaction(transaction);
        let parameters = (&transaction, message_handle(), decision_handle());
        let called = self.call(cause, context, view, parameters).await;
        self.judgement(Hook::Message, called)
    }

    /// Returns the routing beside the judgement, whose verdict tells only if the call failed.
    pub(crate) async fn route(
        &self,
        transaction: &Transaction,
        recipient: &Address,
        previous: u32,
        queued: &Arc<Queued>,
        context: CallContext<'_>,
    ) -> (Routing, Judgement) {
        let subject = Subject::Attempt(transaction, recipient);
        let cause = Cause::of(Hook::Route, transaction, subject);
        let view = self.attempt_view(transaction, queued, context);
        let transaction = convert::transaction(transaction);
        let attempt = convert::attempt(recipient, previous);
        let parameters = (&transaction, &attempt, decision_handle());
        let mut called: CallResult<(wit_plans::Routing,)> = self
            .call_if_admitted(cause, context, view, parameters)
            .await;
        let begun = std::mem::take(&mut called.plans);
        let may_discard = self.definition.grants.discard;
        let called = called.and_then(|(routing,), _| {
            plans::routing(routing, begun, may_discard).map_err(contradiction)
        });
        let called = self.account_for_end(cause, context, called).await;
        let (routing, verdict) = match (&called.answer, called.is_messages_fault) {
            (Ok((routing, _)), _) => (routing.clone(), Verdict::Pass),
            // Deferred, it would wait for ever and nobody would hear of it. Failed, its sender gets
            // a notice.
            (Err(_), true) => (Routing::Fail(unjudgeable()), Verdict::Reject(unjudgeable())),
            (Err(_), false) => (Routing::Defer(undecided()), Verdict::Tempfail(undecided())),
        };
        let judgement = Judgement {
            routing: Some(Box::new(routing.clone())),
            ..self.record(Hook::Route, verdict, called)
        };
        (routing, judgement)
    }

    pub(crate) async fn outcome(
        &self,
        transaction: &Transaction,
        result: &Arc<AttemptResult>,
        queued: &Arc<Queued>,
        context: CallContext<'_>,
    ) -> Judgement {
        let subject = Subject::Attempt(transaction, &result.recipient);
        let cause = Cause::of(Hook::Outcome, transaction, subject);
        let mut view = self.attempt_view(transaction, queued, context);
        view.result = Some(Arc::clone(result));
        let transaction = convert::transaction(transaction);
        let parameters = (&transaction, result_handle(), decision_handle());
        let called: CallResult<()> = self
            .call_if_admitted(cause, context, view, parameters)
            .await;
        let called = self.account_for_end(cause, context, called).await;
        self.record(Hook::Outcome, Verdict::Pass, called)
    }

    async fn call<P>(
        &self,
        cause: Cause<'_>,
        context: CallContext<'_>,
        view: CallView,
        parameters: P,
    ) -> CallResult<Verdict>
    where
        P: wasmtime::component::ComponentNamedList + wasmtime::component::Lower + Send + Sync,
    {
        let message = view.message.clone();
        let called: CallResult<(types::Verdict,)> = self
            .call_if_admitted(cause, context, view, parameters)
            .await;
        let called = called.and_then(|(verdict,), decision| {
            let verdict = convert::verdict(verdict).map_err(contradiction)?;
            self.check(cause.hook, &verdict).map_err(contradiction)?;
            if let Some(message) = &message {
                let kind = FaultKind::Limit;
                let too_large = |detail| Fault { kind, detail };
                (context.sizes.check(message, &decision.edits)).map_err(too_large)?;
            }
            Ok(verdict)
        });
        self.account_for_end(cause, context, called).await
    }

    /// Makes the call, if circuit breaker and budget admit it.
    async fn call_if_admitted<P, R>(
        &self,
        cause: Cause<'_>,
        context: CallContext<'_>,
        view: CallView,
        parameters: P,
    ) -> CallResult<R>
    where
        P: wasmtime::component::ComponentNamedList + wasmtime::component::Lower + Send + Sync,
        R: wasmtime::component::ComponentNamedList
            + wasmtime::component::Lift
            + Send
            + Sync
            + 'static,
    {
        let Self {
            engine,
            loaded,
            definition,
            ..
        } = self;
        let (hook, limits) = (cause.hook, definition.limits);
        tracing::trace!(
            target: HOOK_TARGET,
            policy = self.name(),
            hook = hook.word(),
            trial = context.budget.is_none(),
        );
        if let Some(budget) = context.budget.filter(|_| context.is_live) {
            // Other sessions get their turn between the calls, however many a client causes.
            tokio::task::consume_budget().await;
            match self.breaker(hook).admits(&cause) {
                Admission::Granted => {}
                Admission::Open => {
                    return CallResult::not_called(Fault {
                        kind: FaultKind::BreakerOpen,
                        detail: "it kept failing and is not called for now".into(),
                    });
                }
                Admission::Repeated => {
                    let policy = self.name();
                    let mut called = CallResult::not_called(Fault {
                        kind: FaultKind::Repeated,
                        detail: format!(
                            "judged without {policy} because its fault was the message's"
                        ),
                    });
                    called.is_messages_fault = true;
                    return called;
                }
            }
            let ticks = call::ticks(limits.deadline).saturating_mul(MAX_DEADLINES);
            if budget.is_out_of_time(self.digest(), hook, ticks) {
                return CallResult::not_called(Fault {
                    kind: FaultKind::Budget,
                    detail: format!(
                        "its calls before the end of data have run for {MAX_DEADLINES} deadlines"
                    ),
                });
            }
        }
        let called = call::call(engine, loaded, hook, limits, view, parameters).await;
        if let Some(logged) = context.logged {
            logged.store(called.logged, Ordering::Relaxed);
        }
        called
    }

    /// Reports the end of a call to budget and circuit breaker, and attributes its fault.
    async fn account_for_end<R>(
        &self,
        cause: Cause<'_>,
        context: CallContext<'_>,
        mut called: CallResult<R>,
    ) -> CallResult<R> {
        let Some(budget) = context.budget else {
            return called;
        };
        if !context.is_live {
            if called.answer.is_ok() {
                budget.set_left(called.left);
            }
            return called;
        }
        let (hook, policy) = (cause.hook, self.name());
        let breaker = self.breaker(hook);
        budget.add_time(self.digest(), hook, called.slices);
        let fault = match &mut called.answer {
            Ok(_) => {
                budget.set_left(called.left);
                breaker.answered(&cause, policy);
                return called;
            }
            Err(fault) => fault,
        };
        let asks_probe = match fault.kind {
            // These faults say nothing about the version or the message.
            FaultKind::Overload | FaultKind::BreakerOpen | FaultKind::Repeated => return called,
            // The budget that is left for a hook depends on the calls before it.
            FaultKind::Budget if hook != Hook::Message => return called,
            FaultKind::Budget => {
                breaker.message_failed(&cause);
                false
            }
            FaultKind::Trap | FaultKind::Deadline | FaultKind::Limit | FaultKind::Answer => {
                breaker.failed(&cause, policy, fault)
            }
        };
        if asks_probe {
            self.probe(hook, cause.account(), context.look_ups).await;
        }
        if breaker.is_messages_fault(&cause) {
            called.is_messages_fault = true;
            fault
                .detail
                .push_str("; again, and it answers for others: the fault is the message's");
        }
        called
    }

    /// Probes the version with a harmless call: with the settings of the account, and if that
    /// fails, without.
    async fn probe(&self, hook: Hook, account: Option<&str>, look_ups: &PolicyContext) {
        let policy = self.name();
        for account in account.map(Some).into_iter().chain([None]) {
            let fault = probe::hook(self, hook, account, look_ups).await;
            if let Some(fault) = &fault
                && fault.kind == FaultKind::Overload
            {
                return;
            }
            self.breaker(hook).probed(account, policy, fault.as_ref());
            if fault.is_none() {
                return;
            }
        }
    }

    /// Refuses a verdict that the contract does not allow in this hook, or the configuration does
    /// not allow to this policy.
    fn check(&self, hook: Hook, verdict: &Verdict) -> Result<(), String> {
        match verdict {
            Verdict::Discard | Verdict::Quarantine(_) if hook != Hook::Message => Err(format!(
                "it says {} in the {} hook",
                verdict.word(),
                hook.word()
            )),
            Verdict::Discard if !self.definition.grants.discard => {
                Err("it discards without the `discard` grant".into())
            }
            _ => Ok(()),
        }
    }

    fn judgement(&self, hook: Hook, called: CallResult<Verdict>) -> Judgement {
        let verdict = match &called.answer {
            Ok((verdict, _)) => verdict.clone(),
            Err(fault) => match (fault.kind, self.definition.on_error) {
                // The relay is overloaded, and the policy is not at fault: the client tries again.
                (FaultKind::Overload, _) => Verdict::Tempfail(undecided()),
                // A client must not escape a policy by naming many recipients.
                (FaultKind::Budget, _) if hook == Hook::Recipient => {
                    Verdict::Tempfail(budget_used_up())
                }
                (_, OnError::Tempfail) if called.is_messages_fault => {
                    Verdict::Reject(unjudgeable())
                }
                (_, OnError::Tempfail) => Verdict::Tempfail(undecided()),
                (_, OnError::Skip) => Verdict::Pass,
            },
        };
        self.record(hook, verdict, called)
    }

    fn record<R>(&self, hook: Hook, verdict: Verdict, called: CallResult<R>) -> Judgement {
        if called.is_messages_fault {
            let labels = [
                ("policy", self.name().to_owned()),
                ("hook", hook.word().to_owned()),
            ];
            metrics::counter!("gatepost_policy_message_faults_total", &labels).increment(1);
        }
        let (decision, error) = match called.answer {
            Ok((_, decision)) => (decision, None),
            Err(fault) => (Decision::default(), Some(fault)),
        };
        Judgement {
            policy: self.name().to_owned(),
            digest: self.digest().to_owned(),
            hook: hook.word().into(),
            verdict,
            routing: None,
            decision,
            micros: called.micros,
            error,
        }
    }

    /// Counts a call for a client or a message in the metrics, and logs its fault. Trials of a
    /// version are not counted.
    pub(crate) fn count(&self, judgement: &Judgement) {
        let policy = self.name().to_owned();
        let hook = judgement.hook.clone();
        let labels = [("policy", policy.clone()), ("hook", hook.clone())];
        metrics::counter!("gatepost_policy_calls_total", &labels).increment(1);
        metrics::histogram!("gatepost_policy_call_micros", &labels).record(judgement.micros as f64);
        metrics::counter!(
            "gatepost_policy_verdicts_total",
            "policy" => policy.clone(), "hook" => hook.clone(),
            "verdict" => judgement.verdict.word()
        )
        .increment(1);
        if let Some(fault) = &judgement.error {
            metrics::counter!(
                "gatepost_policy_errors_total",
                "policy" => policy.clone(), "hook" => hook.clone(), "kind" => fault.kind.word()
            )
            .increment(1);
            if !matches!(fault.kind, FaultKind::BreakerOpen | FaultKind::Repeated) {
                tracing::warn!(policy, hook, digest = self.digest(), %fault, "policy fault");
            }
        }
    }

    fn transaction_view(
        &self,
        transaction: &Transaction,
        message: Option<Message>,
        context: CallContext<'_>,
    ) -> CallView {
        let Transaction {
            id,
            time,
            session,
            account,
            recipients,
            reverse_path,
        } = transaction;
        let view = self.view(
            message,
            Some(*id),
            *time,
            recipients,
            context,
            account.clone(),
        );
        CallView {
            origin: Origin::of(session, reverse_path.is_null()),
            ..view
        }
    }

    /// Returns the view of a hook about an attempt, at the attempt's time.
    fn attempt_view(
        &self,
        transaction: &Transaction,
        queued: &Arc<Queued>,
        context: CallContext<'_>,
    ) -> CallView {
        CallView {
            time: queued.attempt_time,
            queued: Some(Arc::clone(queued)),
            ..self.transaction_view(transaction, None, context)
        }
    }

    fn view(
        &self,
        message: Option<Message>,
        id: Option<TransactionId>,
        time: Millis,
        recipients: &[Address],
        context: CallContext<'_>,
        account: Option<String>,
    ) -> CallView {
        let CallContext {
            look_ups,
            budget,
            is_live,
            logged,
            ..
        } = context;
        CallView {
            is_live,
            is_candidate: is_live && logged.is_some(),
            digest: self.digest().to_owned(),
            message,
            id,
            time,
            scope: Scope {
                policy: self.name().to_owned(),
                account,
            },
            memory: look_ups.memory.clone(),
            directory: look_ups.directory.clone(),
            identity: look_ups.identity.clone(),
            origin: Origin::default(),
            facts: None,
            queued: None,
            result: None,
            duties: self.duties(),
            grants: self.definition.grants,
            recipients: recipients.into(),
            allowance: budget.map(Budget::left).unwrap_or_default(),
        }
    }
}

fn contradiction(detail: String) -> Fault {
    Fault {
        kind: FaultKind::Answer,
        detail,
    }
}
