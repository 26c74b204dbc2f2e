//! `gatepost policy test`: runs a policy on its author's fixtures, in the sandbox.
//!
//! The module is loaded by the engine of the relay, with every check of a load, once for
//! consecutive fixtures with the same settings. Each fixture is one call of one hook, in a chain of
//! this policy alone. Look-ups are answered from the fixture. Nothing is sent or stored.

mod bless;
mod from_record;
mod module;
mod recorded;
mod replaced;
mod simulated;

use std::sync::Arc;

use bytes::Bytes;
use gatepost_contract::types;
use gatepost_fixture::{Decided, Fixture, Grant, Hook};
use gatepost_message::{Address, Edit, Message, TransactionId};
use gatepost_model::{
    AttemptResult, AttemptStage, Effect, Ending, Flow, Judgement, MessageClass, Queued,
    RecipientVerdict, Routing, Session, Transaction, Transport, TriedStep, Verdict,
};
use gatepost_policy::{
    Chain, Definition, Engine, Grants, LoadError, Pinned, PolicyContext, Slot, Version,
};
use gatepost_smtp::Reply;

pub use self::bless::bless;
pub use self::from_record::{Configured, FixtureOfRecord, FromRecordError};
pub use self::module::{Module, ModuleError, TestTarget};
pub use self::recorded::HookOnRecord;

/// Test bench that runs fixtures with one module.
pub struct Bench {
    engine: Arc<Engine>,
    name: String,
    module: Bytes,
    /// Version loaded last, with its settings and grants: consecutive fixtures mostly have the
    /// same.
    loaded: Option<(serde_json::Value, Vec<Grant>, Arc<Slot>)>,
}

/// Reason why a fixture could not be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The module cannot be loaded with the fixture's settings.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The policy does not export the fixture's hook.
    #[error("the policy has no {hook} hook; it has {has}")]
    NoHook {
        /// Hook of the fixture.
        hook: &'static str,
        /// Hooks of the policy.
        has: String,
    },
    /// The fixture's facts about an attempt are not valid.
    #[error("result: {0}")]
    Result(String),
}

impl Bench {
    /// Makes a bench for a module. `name` is the policy's name in logs.
    pub fn new(engine: Arc<Engine>, name: &str, module: Bytes) -> Self {
        Self {
            engine,
            name: name.to_owned(),
            module,
            loaded: None,
        }
    }

    /// Runs a fixture and returns the decision of the policy.
    ///
    /// # Errors
    /// The policy could not be called. A fault of the policy is a decision, not an error.
    pub async fn run(&mut self, fixture: &Fixture, message: Message) -> Result<Decided, RunError> {
        let slot = self.version(fixture).await?;
        let version = slot.current();
        has_hook(&version, fixture.hook)?;
        let look_ups = PolicyContext {
            memory: Arc::new(simulated::FixtureMemory::of(fixture)),
            directory: Arc::new(fixture.directory.clone()),
            identity: Arc::new(fixture.identity.clone()),
        };
        let pinned = Chain::new([slot]).begin(look_ups);
        let (judgement, routing) = call_hook(&pinned, fixture, message).await?;
        if judgement.error.is_some() {
            // Loaded again, because a slot remembers faults for its circuit breaker.
            self.loaded = None;
        }
        Ok(to_decided(fixture.hook, judgement, routing))
    }

    async fn version(&mut self, fixture: &Fixture) -> Result<Arc<Slot>, LoadError> {
        if let Some((settings, grants, slot)) = &self.loaded
            && (settings, grants) == (&fixture.settings, &fixture.grants)
        {
            return Ok(Arc::clone(slot));
        }
        let definition = Definition {
            settings: fixture.settings.clone(),
            grants: Grants {
                discard: fixture.grants.contains(&Grant::Discard),
                next_hop: fixture.grants.contains(&Grant::NextHop),
            },
            ..Definition::new(&self.name)
        };
        let version = self.engine.load(definition, self.module.clone()).await?;
        let slot = Slot::new(version);
        let (settings, grants) = (fixture.settings.clone(), fixture.grants.clone());
        self.loaded = Some((settings, grants, Arc::clone(&slot)));
        Ok(slot)
    }
}

fn has_hook(version: &Version, hook: Hook) -> Result<(), RunError> {
    let has: Vec<_> = version.hooks().iter().map(|hook| hook.word()).collect();
    if has.contains(&hook.word()) {
        return Ok(());
    }
    Err(RunError::NoHook {
        hook: hook.word(),
        has: has.join(", "),
    })
}

/// Calls the fixture's hook. Returns the judgement, and for the route hook the routing.
async fn call_hook(
    policy: &Pinned,
    fixture: &Fixture,
    message: Message,
) -> Result<(Judgement, Option<Routing>), RunError> {
    let transaction = transaction(fixture);
    // A fixture of these hooks has a recipient.
    let recipient = || fixture.recipient().cloned().ok_or_else(no_recipient);
    let mut routing = None;
    let judgements = match fixture.hook {
        Hook::Connect => {
            let session = &transaction.session;
            policy.connect(session, transaction.time).await.judgements
        }
        Hook::Sender => policy.sender(&transaction).await.judgements,
        Hook::Recipient => {
            let ruling = policy.recipient(&transaction, &recipient()?).await;
            ruling.judgements
        }
        Hook::Message => {
            let facts = Arc::new(fixture.facts(&message).into());
            let findings = Default::default();
            let ruling = policy.message(&transaction, message, Some(&facts), findings);
            ruling.await.findings.judgements
        }
        Hook::Route => {
            let recipient = recipient()?;
            let queued = queued(fixture, message)?;
            let ruling = policy.route(&transaction, &recipient, fixture.previous, &queued);
            let ruling = ruling.await;
            routing = Some(ruling.routing);
            ruling.judgements
        }
        Hook::Outcome => {
            let result = Arc::new(result(fixture, recipient()?)?);
            let queued = queued(fixture, message)?;
            let ruling = policy.outcome(&transaction, &result, &queued);
            ruling.await.judgements
        }
    };
    let judgement = judgements.into_iter().next().ok_or(RunError::NoHook {
        hook: fixture.hook.word(),
        has: String::new(),
    })?;
    Ok((judgement, routing))
}

/// Returns the message in the queue.
fn queued(fixture: &Fixture, message: Message) -> Result<Arc<Queued>, RunError> {
    let told = &fixture.queued;
    let last_reply = told.last_reply.as_ref();
    let last_reply = last_reply.map(|last| reply(last.code, &last.enhanced, &last.text));
    let steps_tried = told.steps_tried.iter().map(|tried| TriedStep {
        step: tried.step.clone(),
        failures: tried.failures,
        since: tried.since,
    });
    Ok(Arc::new(Queued {
        attempt_time: fixture.now,
        accepted: fixture.accepted(),
        expires: fixture.expires(),
        message,
        tags: told.tags.clone(),
        class: told.class.map(|class| match class {
            types::MessageClass::Human => MessageClass::Human,
            types::MessageClass::AutoReplied => MessageClass::AutoReplied,
            types::MessageClass::AutoGenerated => MessageClass::AutoGenerated,
            types::MessageClass::Bounce => MessageClass::Bounce,
            types::MessageClass::List => MessageClass::List,
            types::MessageClass::Other => MessageClass::Other,
        }),
        metadata: told.metadata.clone().into_iter().collect(),
        last_reply: last_reply.transpose()?,
        steps_tried: steps_tried.collect(),
    }))
}

/// Returns the result of the attempt.
fn result(fixture: &Fixture, recipient: Address) -> Result<AttemptResult, RunError> {
    let told = &fixture.result;
    let no_word = |what: &str| RunError::Result(format!("the relay never says {what} = \"other\""));
    let sent_as = told.sent_as.as_deref().map(Address::parse).transpose();
    Ok(AttemptResult {
        recipient,
        ending: match told.ending {
            types::Ending::Delivered => Ending::Delivered,
            types::Ending::Deferred => Ending::Deferred,
            types::Ending::Failed => Ending::Failed,
            types::Ending::Expired => Ending::Expired,
            types::Ending::Held => Ending::Held,
            types::Ending::Other => return Err(no_word("ending")),
        },
        stage: match told.stage {
            types::Stage::Connect => AttemptStage::Connect,
            types::Stage::Tls => AttemptStage::Tls,
            types::Stage::Auth => AttemptStage::Auth,
            types::Stage::Mail => AttemptStage::Mail,
            types::Stage::Recipient => AttemptStage::Recipient,
            types::Stage::Data => AttemptStage::Data,
            types::Stage::Message => AttemptStage::Message,
            types::Stage::Local => AttemptStage::Local,
            types::Stage::Other => AttemptStage::Other,
        },
        reply: reply(told.code, &told.enhanced, &told.text)?,
        step: told.step.clone(),
        server: told.server.clone(),
        tls: told.tls.clone(),
        sent_as: sent_as.map_err(|error| RunError::Result(format!("sent-as: {error}")))?,
        message_id: told.message_id.clone(),
    })
}

fn reply(code: u16, enhanced: &str, text: &str) -> Result<Reply, RunError> {
    let reply = Reply::checked(code, enhanced.parse().ok(), text);
    reply.map_err(|error| RunError::Result(error.to_string()))
}

fn no_recipient() -> RunError {
    RunError::Result("there is no recipient".to_owned())
}

fn transaction(fixture: &Fixture) -> Transaction {
    Transaction {
        id: Fixture::ID.parse().unwrap_or_else(|_| TransactionId::new()),
        time: fixture.now,
        session: Session {
            listener: fixture.listener().to_owned(),
            flow: match fixture.direction {
                types::Flow::Inbound => Flow::Inbound,
                types::Flow::Submission => Flow::Submission,
                types::Flow::Internal | types::Flow::Other => Flow::Internal,
            },
            transport: match fixture.client() {
                Some(_) => Transport::Smtp,
                None => Transport::Own,
            },
            client: fixture.client().map(|ip| (ip, Fixture::PORT).into()),
            helo: (fixture.hook != Hook::Connect).then(|| fixture.helo.clone()),
            tls: fixture.tls.clone(),
            user: fixture.user.clone(),
        },
        account: fixture.account(),
        reverse_path: fixture.reverse_path(),
        recipients: fixture.recipients().to_vec(),
    }
}

fn to_decided(hook: Hook, judgement: Judgement, routing: Option<Routing>) -> Decided {
    if let Some(fault) = judgement.error {
        return Decided::failed(fault.to_string());
    }
    let mut decided = match (hook, routing) {
        (Hook::Outcome, _) => Decided::new(None),
        (_, Some(routing)) => decided_by_routing(routing),
        (_, None) => decided_by_verdict(judgement.verdict),
    };
    let decision = judgement.decision;
    if let Some(classification) = decision.classification {
        decided.class = Some(classification.class.word().to_owned());
        decided.reply_allowed = Some(classification.reply_allowed);
    }
    decided.reasons = Some(decision.reasons);
    decided.tags = Some(decision.tags);
    decided.edits = Some(decision.edits.iter().map(edit_text).collect());
    let protected = decision.protected.iter().map(ToString::to_string);
    decided.protected = Some(protected.collect());
    decided.effects = Some(decision.effects.iter().map(effect_text).collect());
    decided.report_suppressed = decision.report_suppressed.then_some(true);
    let recipients = decision.recipients.iter();
    let recipients = recipients.map(|(address, verdict)| {
        let verdict = match verdict {
            RecipientVerdict::Reject(reply) => format!("reject {reply}"),
            RecipientVerdict::Suppress(reason) => format!("suppress {reason}"),
        };
        (address.to_string(), verdict)
    });
    decided.recipients = Some(recipients.collect());
    decided
}

fn decided_by_verdict(verdict: Verdict) -> Decided {
    let word = verdict.word();
    let mut decided = Decided::new(Some(word));
    match verdict {
        Verdict::Reject(reply) | Verdict::Tempfail(reply) => {
            decided.reply = Some(reply_line(&reply))
        }
        Verdict::Quarantine(reason) => decided.quarantine = Some(reason),
        Verdict::Pass | Verdict::Accept | Verdict::Discard => {}
    }
    decided
}

fn decided_by_routing(routing: Routing) -> Decided {
    let decided = Decided::new(Some(routing.word()));
    match routing {
        Routing::Pass => decided,
        Routing::Defer(reply) | Routing::Fail(reply) => Decided {
            reply: Some(reply_line(&reply)),
            ..decided
        },
        Routing::Hold(reason) | Routing::Discard(reason) => Decided {
            because: Some(reason),
            ..decided
        },
        Routing::Deliver(plan) => Decided {
            plan: Some(plan.steps.iter().map(ToString::to_string).collect()),
            send_as: plan.send_as.map(|address| address.to_string()),
            expire_after: plan.expire_after,
            holds_for: plan.holds_for,
            ..decided
        },
    }
}

/// Returns a reply on one line.
fn reply_line(reply: &Reply) -> String {
    match reply.enhanced() {
        Some(enhanced) => format!("{} {enhanced} {}", reply.code(), reply.text()),
        None => format!("{} {}", reply.code(), reply.text()),
    }
}

fn edit_text(edit: &Edit) -> String {
    match edit {
        Edit::Add { name, body } => format!("add {name}: {body}"),
        Edit::Set { name, body } => format!("set {name}: {body}"),
        Edit::Remove { name } => format!("remove {name}"),
    }
}

/// Returns an effect in the words of fixtures.
pub(crate) fn effect_text(effect: &Effect) -> String {
    match effect {
        Effect::Count { key, amount } => format!("count {amount} {key}"),
        Effect::MarkSeen { key, seconds } => format!("mark {key} for {seconds} s"),
        Effect::ForgetCount { key } => format!("forget {key}"),
        Effect::RememberMachine {
            address,
            evidence,
            seconds,
        } => format!("machine {address} for {seconds} s: {evidence}"),
        Effect::ForgetMachine { address } => format!("forget machine {address}"),
    }
}
