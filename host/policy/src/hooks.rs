//! Each hook of one version: the call, the check of the answer, and what a fault becomes.

use std::sync::Arc;

use gatepost_authentication::Facts;
use gatepost_message::{Address, Message, Millis, TransactionId};
use gatepost_model::{
    AttemptResult, Decision, Fault, FaultKind, Judgement, Routing, Scope, Session, Transaction,
    Verdict,
};
use gatepost_smtp::Reply;

use crate::attribution::{Cause, Subject};
use crate::breaker::Admission;
use crate::budget::{Budget, DEADLINES, Sizes};
use crate::call::{self, Called, decision_handle, message_handle};
use crate::contract::wit::types;
use crate::definition::OnError;
use crate::host::View;
use crate::memory::LookUps;
use crate::version::{Hook, Version};
use crate::{convert, probe};

/// What a client is told when a policy could not decide.
fn undecided() -> Reply {
    Reply::new(
        451,
        "4.3.0",
        "A policy could not decide on this; please try again later",
    )
}

/// What is said of mail that makes a policy fail each time it comes: it need not come again.
fn unjudgeable() -> Reply {
    Reply::new(
        554,
        "5.6.0",
        "A policy fails on this each time it is tried; it is not to be sent again",
    )
}

/// What a client is told whose recipients have used up what a transaction may have: the others are
/// taken in another one (RFC 5321 section 4.5.3.1.10).
fn too_much() -> Reply {
    Reply::new(
        452,
        "4.5.3",
        "Too much to decide in one transaction; send to the other recipients in another",
    )
}

/// What a call is made with.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) look_ups: &'a LookUps,
    /// What is left for the transaction. `None` where a version is only tried: such a call counts
    /// for and against nobody.
    pub(crate) budget: Option<&'a Budget>,
    /// The largest that edits may make a message.
    pub(crate) sizes: Sizes,
}

impl<'a> Terms<'a> {
    /// Of a call that only tries the version.
    pub(crate) fn trial(look_ups: &'a LookUps) -> Self {
        Self {
            look_ups,
            budget: None,
            sizes: Sizes::default(),
        }
    }
}

impl Version {
    pub(crate) async fn connect(
        &self,
        session: &Session,
        now: Millis,
        terms: Terms<'_>,
    ) -> Judgement {
        let cause = Cause::client(session);
        let view = self.view(None, None, now, &[], terms, None);
        let session = convert::session(session);
        let parameters = (&session, decision_handle());
        let called = self.call(cause, terms, view, parameters).await;
        self.judgement(Hook::Connect, called)
    }

    pub(crate) async fn sender(&self, transaction: &Transaction, terms: Terms<'_>) -> Judgement {
        let subject = Subject::ReversePath(transaction);
        let cause = Cause::of(Hook::Sender, transaction, subject);
        let view = self.view_of(transaction, None, terms);
        let transaction = convert::transaction(transaction);
        let parameters = (&transaction, decision_handle());
        let called = self.call(cause, terms, view, parameters).await;
        self.judgement(Hook::Sender, called)
    }

    pub(crate) async fn recipient(
        &self,
        transaction: &Transaction,
        recipient: &Address,
        terms: Terms<'_>,
    ) -> Judgement {
        let subject = Subject::Recipient(transaction, recipient);
        let cause = Cause::of(Hook::Recipient, transaction, subject);
        let view = self.view_of(transaction, None, terms);
        let transaction = convert::transaction(transaction);
        let parameters = (&transaction, recipient.as_str(), decision_handle());
        let called = self.call(cause, terms, view, parameters).await;
        self.judgement(Hook::Recipient, called)
    }

    pub(crate) async fn message(
        &self,
        transaction: &Transaction,
        message: &Message,
        facts: Option<&Arc<Facts>>,
        terms: Terms<'_>,
    ) -> Judgement {
        let subject = Subject::Message(transaction, message);
        let cause = Cause::of(Hook::Message, transaction, subject);
        let mut view = self.view_of(transaction, Some(message.clone()), terms);
        view.facts = facts.cloned();
        let transaction = convert::transaction(transaction);
        let parameters = (&transaction, message_handle(), decision_handle());
        let called = self.call(cause, terms, view, parameters).await;
        self.judgement(Hook::Message, called)
    }

    /// The routing stands beside the judgement, whose verdict says only whether it was a fault.
    pub(crate) async fn route(
        &self,
        transaction: &Transaction,
        recipient: &Address,
        previous: u32,
        terms: Terms<'_>,
    ) -> (Routing, Judgement) {
        let subject = Subject::Attempt(transaction, recipient);
        let cause = Cause::of(Hook::Route, transaction, subject);
        let view = self.view_of(transaction, None, terms);
        let transaction = convert::transaction(transaction);
        let attempt = convert::attempt(recipient, previous);
        let parameters = (&transaction, &attempt, decision_handle());
        let called: Called<(types::Routing,)> = self.guarded(cause, terms, view, parameters).await;
        let called =
            called.and_then(|(routing,), _| convert::routing(routing).map_err(contradiction));
        let called = self.settled(cause, terms, called).await;
        let (routing, verdict) = match (&called.answer, called.is_messages_fault) {
            (Ok((routing, _)), _) => (routing.clone(), Verdict::Pass),
            // It would wait for ever, and nobody would hear of it: its sender gets a notice.
            (Err(_), true) => (Routing::Fail(unjudgeable()), Verdict::Reject(unjudgeable())),
            (Err(_), false) => (Routing::Defer(undecided()), Verdict::Tempfail(undecided())),
        };
        (routing, self.judged(Hook::Route, verdict, called))
    }

    pub(crate) async fn outcome(
        &self,
        transaction: &Transaction,
        result: &AttemptResult,
        terms: Terms<'_>,
    ) -> Judgement {
        let subject = Subject::Attempt(transaction, &result.recipient);
        let cause = Cause::of(Hook::Outcome, transaction, subject);
        let view = self.view_of(transaction, None, terms);
        let transaction = convert::transaction(transaction);
        let result = convert::attempt_result(result);
        let parameters = (&transaction, &result, decision_handle());
        let called: Called<()> = self.guarded(cause, terms, view, parameters).await;
        let called = self.settled(cause, terms, called).await;
        self.judged(Hook::Outcome, Verdict::Pass, called)
    }

    async fn call<P>(
        &self,
        cause: Cause<'_>,
        terms: Terms<'_>,
        view: View,
        parameters: P,
    ) -> Called<Verdict>
    where
        P: wasmtime::component::ComponentNamedList + wasmtime::component::Lower + Send + Sync,
    {
        let message = view.message.clone();
        let called: Called<(types::Verdict,)> = self.guarded(cause, terms, view, parameters).await;
        let called = called.and_then(|(verdict,), decision| {
            let verdict = convert::verdict(verdict).map_err(contradiction)?;
            self.check(cause.hook, &verdict).map_err(contradiction)?;
            if let Some(message) = &message {
                let kind = FaultKind::Limit;
                let too_large = |detail| Fault { kind, detail };
                (terms.sizes.check(message, &decision.edits)).map_err(too_large)?;
            }
            Ok(verdict)
        });
        self.settled(cause, terms, called).await
    }

    /// The call itself, if circuit breaker and budget let it through.
    async fn guarded<P, R>(
        &self,
        cause: Cause<'_>,
        terms: Terms<'_>,
        view: View,
        parameters: P,
    ) -> Called<R>
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
        if let Some(budget) = terms.budget {
            // However many calls a client asks for in a row, others have their turn between them.
            tokio::task::consume_budget().await;
            match self.breaker(hook).admits(&cause) {
                Admission::Granted => {}
                Admission::Open => {
                    return Called::not_made(Fault {
                        kind: FaultKind::BreakerOpen,
                        detail: "it kept failing and is not called for now".into(),
                    });
                }
                Admission::Repeated => {
                    let policy = self.name();
                    let mut called = Called::not_made(Fault {
                        kind: FaultKind::Repeated,
                        detail: format!(
                            "judged without {policy} because its fault was the message's"
                        ),
                    });
                    called.is_messages_fault = true;
                    return called;
                }
            }
            let ticks = call::ticks(limits.deadline).saturating_mul(DEADLINES);
            if budget.has_no_time(self.name(), hook, ticks) {
                return Called::not_made(Fault {
                    kind: FaultKind::Budget,
                    detail: format!(
                        "its calls before the end of data have run for {DEADLINES} deadlines"
                    ),
                });
            }
        }
        call::call(engine, loaded, hook, limits, view, parameters).await
    }

    /// Tells budget and circuit breaker how a call ended, and finds out whose fault a fault is.
    async fn settled<R>(
        &self,
        cause: Cause<'_>,
        terms: Terms<'_>,
        mut called: Called<R>,
    ) -> Called<R> {
        let Some(budget) = terms.budget else {
            return called;
        };
        let (hook, policy) = (cause.hook, self.name());
        let breaker = self.breaker(hook);
        budget.ran(policy, hook, called.slices);
        let fault = match &mut called.answer {
            Ok(_) => {
                budget.keep(called.left);
                breaker.answered(&cause, policy);
                return called;
            }
            Err(fault) => fault,
        };
        let asks_probe = match fault.kind {
            // None of these says anything of the version or of the message.
            FaultKind::Overload | FaultKind::BreakerOpen | FaultKind::Repeated => return called,
            // What is left to the message hook depends on what was said before it.
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
            self.probe(hook, cause.account(), terms.look_ups).await;
        }
        if breaker.is_messages_fault(&cause) {
            called.is_messages_fault = true;
            fault
                .detail
                .push_str("; again, and it answers for others: the fault is the message's");
        }
        called
    }

    /// Has the version answer its own harmless call: as the account has set it, and where it
    /// cannot, as nobody has.
    async fn probe(&self, hook: Hook, account: Option<&str>, look_ups: &LookUps) {
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

    /// What the contract allows in this hook, and the configuration to this policy.
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

    fn judgement(&self, hook: Hook, called: Called<Verdict>) -> Judgement {
        let verdict = match &called.answer {
            Ok((verdict, _)) => verdict.clone(),
            Err(fault) => match (fault.kind, self.definition.on_error) {
                // The relay is overloaded, not the policy at fault: the client comes again.
                (FaultKind::Overload, _) => Verdict::Tempfail(undecided()),
                // Who names recipients enough must not get rid of a policy for the rest of them.
                (FaultKind::Budget, _) if hook == Hook::Recipient => Verdict::Tempfail(too_much()),
                (_, OnError::Tempfail) if called.is_messages_fault => {
                    Verdict::Reject(unjudgeable())
                }
                (_, OnError::Tempfail) => Verdict::Tempfail(undecided()),
                (_, OnError::Skip) => Verdict::Pass,
            },
        };
        self.judged(hook, verdict, called)
    }

    fn judged<R>(&self, hook: Hook, verdict: Verdict, called: Called<R>) -> Judgement {
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
            decision,
            micros: called.micros,
            error,
        }
    }

    /// Counts a call that was made for a client or a message, and logs its fault. Calls that try
    /// a version at load are not counted.
    pub(crate) fn count(&self, judgement: &Judgement) {
        let policy = self.name().to_owned();
        let hook = judgement.hook.clone();
        let labels = [("policy", policy.clone()), ("hook", hook.clone())];
        metrics::counter!("gatepost_policy_calls_total", &labels).increment(1);
        metrics::histogram!("gatepost_policy_call_micros", &labels).record(judgement.micros as f64);
        metrics::counter!(
            "gatepost_policy_verdicts_total",
            "policy" => policy.clone(), "hook" => hook.clone(), "verdict" => judgement.verdict.word()
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

    fn view_of(
        &self,
        transaction: &Transaction,
        message: Option<Message>,
        terms: Terms<'_>,
    ) -> View {
        let Transaction {
            id,
            time,
            session,
            account,
            recipients,
            ..
        } = transaction;
        let view = self.view(
            message,
            Some(*id),
            *time,
            recipients,
            terms,
            account.clone(),
        );
        View {
            user: session.user.clone(),
            ..view
        }
    }

    fn view(
        &self,
        message: Option<Message>,
        id: Option<TransactionId>,
        time: Millis,
        recipients: &[Address],
        terms: Terms<'_>,
        account: Option<String>,
    ) -> View {
        let Terms {
            look_ups, budget, ..
        } = terms;
        View {
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
            user: None,
            facts: None,
            duties: self.duties(),
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
