//! Each hook of one version: the call, the check of the answer, and what a fault becomes.

use std::sync::Arc;

use gatepost_authentication::Facts;
use gatepost_message::{Address, Message, Millis, TransactionId};
use gatepost_smtp::Reply;

use crate::call::{self, Called, decision_handle, message_handle};
use crate::chain::AttemptResult;
use crate::contract::wit::types;
use crate::decision::{Decision, Fault, FaultKind, Judgement, Routing, Verdict};
use crate::definition::OnError;
use crate::host::View;
use crate::memory::{LookUps, Scope};
use crate::version::{Hook, Version};
use crate::{Session, Transaction, convert};

/// What a client is told when a policy could not decide.
fn undecided() -> Reply {
    Reply::new(
        451,
        "4.3.0",
        "A policy could not decide on this; please try again later",
    )
}

impl Version {
    pub(crate) async fn connect(
        &self,
        session: &Session,
        now: Millis,
        look_ups: &LookUps,
    ) -> Judgement {
        let view = self.view(None, None, now, &[], look_ups, None);
        let session = convert::session(session);
        let called = self
            .call(Hook::Connect, view, (&session, decision_handle()))
            .await;
        self.judgement(Hook::Connect, called)
    }

    pub(crate) async fn sender(&self, transaction: &Transaction, look_ups: &LookUps) -> Judgement {
        let view = self.view_of(transaction, None, look_ups);
        let transaction = convert::transaction(transaction);
        let called = self
            .call(Hook::Sender, view, (&transaction, decision_handle()))
            .await;
        self.judgement(Hook::Sender, called)
    }

    pub(crate) async fn recipient(
        &self,
        transaction: &Transaction,
        recipient: &Address,
        look_ups: &LookUps,
    ) -> Judgement {
        let view = self.view_of(transaction, None, look_ups);
        let transaction = convert::transaction(transaction);
        let parameters = (&transaction, recipient.as_str(), decision_handle());
        let called = self.call(Hook::Recipient, view, parameters).await;
        self.judgement(Hook::Recipient, called)
    }

    pub(crate) async fn message(
        &self,
        transaction: &Transaction,
        message: &Message,
        facts: Option<&Arc<Facts>>,
        look_ups: &LookUps,
    ) -> Judgement {
        let mut view = self.view_of(transaction, Some(message.clone()), look_ups);
        view.facts = facts.cloned();
        let transaction = convert::transaction(transaction);
        let parameters = (&transaction, message_handle(), decision_handle());
        let called = self.call(Hook::Message, view, parameters).await;
        self.judgement(Hook::Message, called)
    }

    /// The routing stands beside the judgement, whose verdict says only whether it was a fault.
    pub(crate) async fn route(
        &self,
        transaction: &Transaction,
        recipient: &Address,
        previous: u32,
        look_ups: &LookUps,
    ) -> (Routing, Judgement) {
        let view = self.view_of(transaction, None, look_ups);
        let transaction = convert::transaction(transaction);
        let attempt = convert::attempt(recipient, previous);
        let parameters = (&transaction, &attempt, decision_handle());
        let called: Called<(types::Routing,)> = self.guarded(Hook::Route, view, parameters).await;
        let answer = called.answer.and_then(|((routing,), decision)| {
            Ok((convert::routing(routing).map_err(contradiction)?, decision))
        });
        self.settle(Hook::Route, answer.as_ref().err());
        let (routing, verdict, decision, error) = match answer {
            Ok((routing, decision)) => (routing, Verdict::Pass, decision, None),
            Err(fault) => {
                let verdict = Verdict::Tempfail(undecided());
                (
                    Routing::Defer(undecided()),
                    verdict,
                    Decision::default(),
                    Some(fault),
                )
            }
        };
        (
            routing,
            self.judged(Hook::Route, verdict, decision, called.micros, error),
        )
    }

    pub(crate) async fn outcome(
        &self,
        transaction: &Transaction,
        result: &AttemptResult,
        look_ups: &LookUps,
    ) -> Judgement {
        let view = self.view_of(transaction, None, look_ups);
        let transaction = convert::transaction(transaction);
        let result = convert::attempt_result(result);
        let parameters = (&transaction, &result, decision_handle());
        let called: Called<()> = self.guarded(Hook::Outcome, view, parameters).await;
        self.settle(Hook::Outcome, called.answer.as_ref().err());
        let (decision, error) = match called.answer {
            Ok(((), decision)) => (decision, None),
            Err(fault) => (Decision::default(), Some(fault)),
        };
        self.judged(Hook::Outcome, Verdict::Pass, decision, called.micros, error)
    }

    async fn call<P>(&self, hook: Hook, view: View, parameters: P) -> Called<Verdict>
    where
        P: wasmtime::component::ComponentNamedList + wasmtime::component::Lower + Send + Sync,
    {
        let called: Called<(types::Verdict,)> = self.guarded(hook, view, parameters).await;
        let answer = called.answer.and_then(|((verdict,), decision)| {
            let verdict = convert::verdict(verdict).map_err(contradiction)?;
            self.check(hook, &verdict).map_err(contradiction)?;
            Ok((verdict, decision))
        });
        self.settle(hook, answer.as_ref().err());
        Called {
            answer,
            micros: called.micros,
        }
    }

    /// The call itself, if the circuit breaker lets it through.
    async fn guarded<P, R>(&self, hook: Hook, view: View, parameters: P) -> Called<R>
    where
        P: wasmtime::component::ComponentNamedList + wasmtime::component::Lower + Send + Sync,
        R: wasmtime::component::ComponentNamedList
            + wasmtime::component::Lift
            + Send
            + Sync
            + 'static,
    {
        match self.admitted(hook) {
            Ok(()) => {
                let Self {
                    engine,
                    loaded,
                    definition,
                    ..
                } = self;
                call::call(engine, loaded, hook, definition.limits, view, parameters).await
            }
            Err(fault) => Called {
                answer: Err(fault),
                micros: 0,
            },
        }
    }

    fn admitted(&self, hook: Hook) -> Result<(), Fault> {
        if self.breaker(hook).admits() {
            return Ok(());
        }
        Err(Fault {
            kind: FaultKind::BreakerOpen,
            detail: "it kept failing and is not called for now".into(),
        })
    }

    /// Tells the circuit breaker how a call ended.
    fn settle(&self, hook: Hook, fault: Option<&Fault>) {
        match fault {
            None => self.breaker(hook).succeeded(self.name()),
            // Neither is the policy's own doing.
            Some(Fault {
                kind: FaultKind::Overload | FaultKind::BreakerOpen,
                ..
            }) => {}
            Some(fault) => self.breaker(hook).failed(self.name(), fault),
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
        let (verdict, decision, error) = match called.answer {
            Ok((verdict, decision)) => (verdict, decision, None),
            Err(fault) => {
                let verdict = match self.definition.on_error {
                    // The relay is overloaded, not the policy at fault: the client comes again.
                    _ if fault.kind == FaultKind::Overload => Verdict::Tempfail(undecided()),
                    OnError::Tempfail => Verdict::Tempfail(undecided()),
                    OnError::Skip => Verdict::Pass,
                };
                (verdict, Decision::default(), Some(fault))
            }
        };
        self.judged(hook, verdict, decision, called.micros, error)
    }

    fn judged(
        &self,
        hook: Hook,
        verdict: Verdict,
        decision: Decision,
        micros: u64,
        error: Option<Fault>,
    ) -> Judgement {
        Judgement {
            policy: self.name().to_owned(),
            digest: self.digest().to_owned(),
            hook: hook.word().into(),
            verdict,
            decision,
            micros,
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
            if fault.kind != FaultKind::BreakerOpen {
                tracing::warn!(policy, hook, digest = self.digest(), %fault, "policy fault");
            }
        }
    }

    fn view_of(
        &self,
        transaction: &Transaction,
        message: Option<Message>,
        look_ups: &LookUps,
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
            look_ups,
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
        look_ups: &LookUps,
        account: Option<String>,
    ) -> View {
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
        }
    }
}

fn contradiction(detail: String) -> Fault {
    Fault {
        kind: FaultKind::Answer,
        detail,
    }
}
