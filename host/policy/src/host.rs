//! The host's side of a call: look-ups in the call's own data, and the recorder of its decision.
//! Nothing here waits, and nothing here changes anything outside the call.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gatepost_authentication::Facts;
use gatepost_contract::directory::Directory;
use gatepost_contract::identity::Identity;
use gatepost_contract::types as shared;
use gatepost_message::{
    Address, Edit, FieldBody, FieldName, Message, Millis, TransactionId, canonical_form,
};
use gatepost_model::{
    AttemptResult, Classification, Decision, Effect, Plan, Queued, RecipientVerdict, Scope, Session,
};
use wasmtime::component::Resource;

use crate::Duties;
use crate::budget::Allowance;
use crate::contract::wit::{clock, counters, decisions, log, message_access, types};
use crate::convert;
use crate::definition::{Grants, Limits};
use crate::memory::Memory;
use crate::records::Mapped;
use crate::version::Hook;

/// Most bytes that one `header-chunk` or `body-chunk` hands over.
const MAX_CHUNK: u32 = 1 << 20;

/// Length limit of the key of a count or mark, in bytes.
const MAX_KEY: usize = 512;

/// Length limit of a tag, in bytes.
const MAX_TAG: usize = 64;

/// Length limit of the evidence that an address is a machine's, in bytes.
const MAX_EVIDENCE: usize = 200;

/// Number of reasons that are kept of one call.
const MAX_REASONS: usize = 20;

/// Length of a digest in log lines, by which people know a version.
const SHORT_DIGEST: usize = 12;

/// Number of bytes that are kept of a reason.
const MAX_REASON: usize = 1000;

/// Handle of the only message of a call; its bytes are in [`CallState`].
pub struct MessageHandle;

/// Handle of the only decision of a call; its record is in [`CallState`].
pub struct DecisionHandle;

/// Reason for which the host ended a call: the error that unwinds the guest.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Abort {
    #[error("it ran past its deadline of {} ms", .0.as_millis())]
    Deadline(Duration),
    #[error("{0}")]
    Limit(String),
    #[error("{0}")]
    Answer(String),
    #[error("{0}")]
    Budget(String),
}

/// State of one call: the data that it may see, and the decision recorded so far.
pub(crate) struct CallState {
    pub(crate) decision: Decision,
    /// Plans that the call has begun, by number.
    pub(crate) plans: Vec<Plan>,
    pub(crate) limits: Limits,
    /// Number of times it was interrupted to let others run.
    pub(crate) slices: u32,
    /// Largest linear memory so far, in bytes.
    pub(crate) memory_peak: usize,
    pub(crate) view: CallView,
    answer_bytes: usize,
    /// Octets of its log lines.
    pub(crate) logged: u64,
    /// Rest of the transaction's budget.
    pub(crate) left: Allowance,
    /// Number of reasons that were not kept.
    reasons_dropped: usize,
    /// Positions of the recipients by address, once a recipient is judged.
    positions: Option<HashMap<String, usize>>,
    /// Positions of the recipients that are judged.
    judged: HashSet<usize>,
}

/// Data that a call may see.
pub(crate) struct CallView {
    pub(crate) message: Option<Message>,
    pub(crate) id: Option<TransactionId>,
    pub(crate) time: Millis,
    pub(crate) scope: Scope,
    pub(crate) memory: Arc<dyn Memory>,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) identity: Arc<dyn Identity>,
    pub(crate) origin: Origin,
    /// Facts about the message's origin, in the message hook of a chain that reads them.
    pub(crate) facts: Option<Arc<Facts>>,
    /// The message in the queue, in the hooks `route` and `outcome`.
    pub(crate) queued: Option<Arc<Queued>>,
    /// Result of the attempt, in the hook `outcome`.
    pub(crate) result: Option<Arc<AttemptResult>>,
    pub(crate) duties: Duties,
    pub(crate) grants: Grants,
    pub(crate) recipients: Arc<[Address]>,
    /// Rest of the transaction's budget before the call.
    pub(crate) allowance: Allowance,
    /// False if the call counts for nobody: then its log lines are dropped.
    pub(crate) is_live: bool,
    /// True if the version is under trial.
    pub(crate) is_candidate: bool,
    /// Digest of the version; empty while a module is being loaded.
    pub(crate) digest: String,
}

/// Parts of the session and envelope from which look-ups follow.
#[derive(Default)]
pub(crate) struct Origin {
    /// User authenticated by AUTH.
    pub(crate) user: Option<String>,
    pub(crate) flow: shared::Flow,
    pub(crate) client: Option<IpAddr>,
    pub(crate) is_null_sender: bool,
}

impl Origin {
    pub(crate) fn of(session: &Session, is_null_sender: bool) -> Self {
        Self {
            user: session.user.clone(),
            flow: session.flow.mapped(),
            client: session.client.map(|client| client.ip()),
            is_null_sender,
        }
    }
}

impl CallState {
    pub(crate) fn new(limits: Limits, view: CallView) -> Self {
        Self {
            decision: Decision::default(),
            plans: Vec::new(),
            limits,
            slices: 0,
            memory_peak: 0,
            left: view.allowance,
            view,
            answer_bytes: 0,
            logged: 0,
            reasons_dropped: 0,
            positions: None,
            judged: HashSet::new(),
        }
    }

    /// Returns the decision, with a line on the reasons that were not kept.
    pub(crate) fn into_decision(self) -> Decision {
        let mut decision = self.decision;
        if self.reasons_dropped > 0 {
            let dropped = format!("{} more reasons were not kept", self.reasons_dropped);
            decision.dropped.push(dropped);
        }
        decision
    }

    /// Charges a part of the decision to the transaction's budget.
    fn charge(&mut self, part: impl FnOnce(&mut Allowance) -> Option<()>) -> wasmtime::Result<()> {
        part(&mut self.left).ok_or_else(|| Abort::Budget(Allowance::exceeded()).into())
    }

    /// Counts bytes of the answer towards their limit.
    pub(crate) fn count_answer(&mut self, bytes: usize) -> wasmtime::Result<()> {
        // Each entry counts by itself, so that a flood of empty ones ends, too.
        self.answer_bytes += bytes + 16;
        if self.answer_bytes > self.limits.answer_bytes {
            let limit = self.limits.answer_bytes;
            return Err(Abort::Limit(format!("its answer is over {limit} octets")).into());
        }
        Ok(())
    }

    fn add_effect(&mut self, effect: Effect) -> wasmtime::Result<()> {
        self.charge(|left| left.effect(effect_size(&effect)))?;
        self.decision.effects.push(effect);
        Ok(())
    }

    /// Refuses a request that comes too late: in the hooks `route` and `outcome` the message was
    /// accepted long ago.
    fn before_acceptance(&self, request: &str) -> wasmtime::Result<()> {
        let hook = match (&self.view.queued, &self.view.result) {
            (None, _) => return Ok(()),
            (Some(_), None) => Hook::Route.word(),
            (Some(_), Some(_)) => Hook::Outcome.word(),
        };
        Err(refuse(format!(
            "it calls {request} in the {hook} hook, where the message was accepted long ago"
        )))
    }

    fn message(&self) -> wasmtime::Result<&Message> {
        self.view
            .message
            .as_ref()
            .ok_or_else(|| refuse("there is no message in this hook"))
    }
}

/// Returns the size of the texts of an effect, in bytes.
fn effect_size(effect: &Effect) -> usize {
    match effect {
        Effect::Count { key, .. } | Effect::MarkSeen { key, .. } | Effect::ForgetCount { key } => {
            key.len()
        }
        Effect::RememberMachine {
            address, evidence, ..
        } => address.len() + evidence.len(),
        Effect::ForgetMachine { address } => address.len(),
    }
}

pub(crate) fn refuse(text: impl Into<String>) -> wasmtime::Error {
    Abort::Answer(text.into()).into()
}

fn field_name(name: &str) -> wasmtime::Result<FieldName> {
    FieldName::new(name).map_err(|error| refuse(format!("header name {name:?}: {error}")))
}

fn field_body(name: &str, body: &str) -> wasmtime::Result<FieldBody> {
    FieldBody::new(body).map_err(|error| refuse(format!("value of header {name}: {error}")))
}

/// Replaces the control characters of a guest's text by spaces, so that it stays on one line in
/// logs, tables and terminals.
pub(crate) fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}

fn check_key(key: String) -> wasmtime::Result<String> {
    if key.is_empty() || key.len() > MAX_KEY {
        return Err(refuse(format!(
            "a key has 1 to {MAX_KEY} octets, not {}",
            key.len()
        )));
    }
    Ok(key)
}

impl wasmtime::ResourceLimiter for CallState {
    fn memory_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.limits.memory {
            let limit = self.limits.memory >> 20;
            return Err(Abort::Limit(format!("it wants more than {limit} MiB of memory")).into());
        }
        self.memory_peak = self.memory_peak.max(desired);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.limits.table {
            let limit = self.limits.table;
            return Err(Abort::Limit(format!("it wants a table of more than {limit}")).into());
        }
        Ok(true)
    }
}

impl types::Host for CallState {}
impl message_access::Host for CallState {}
impl decisions::Host for CallState {}

impl message_access::HostMessage for CallState {
    fn header(
        &mut self,
        _: Resource<MessageHandle>,
        name: String,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.message()?.header(&name))
    }

    fn headers_named(
        &mut self,
        _: Resource<MessageHandle>,
        name: String,
    ) -> wasmtime::Result<Vec<String>> {
        Ok(self.message()?.headers_named(&name))
    }

    fn count(&mut self, _: Resource<MessageHandle>, name: String) -> wasmtime::Result<u32> {
        Ok(u32::try_from(self.message()?.count(&name)).unwrap_or(u32::MAX))
    }

    fn headers(
        &mut self,
        _: Resource<MessageHandle>,
    ) -> wasmtime::Result<Vec<message_access::Field>> {
        let fields = self.message()?.fields();
        Ok(fields
            .map(|field| message_access::Field {
                name: field.name().into_owned(),
                value: String::from_utf8_lossy(field.body_raw()).into_owned(),
            })
            .collect())
    }

    fn header_chunk(
        &mut self,
        _: Resource<MessageHandle>,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Vec<u8>> {
        let head = self.message()?.head();
        let begin = usize::try_from(offset).map_or(head.len(), |offset| offset.min(head.len()));
        let end = begin
            .saturating_add(length.min(MAX_CHUNK) as usize)
            .min(head.len());
        Ok(head.get(begin..end).unwrap_or_default().to_vec())
    }

    fn header_size(&mut self, _: Resource<MessageHandle>) -> wasmtime::Result<u64> {
        Ok(self.message()?.head().len() as u64)
    }

    fn body_size(&mut self, _: Resource<MessageHandle>) -> wasmtime::Result<u64> {
        Ok(self.message()?.body().len())
    }

    fn body_chunk(
        &mut self,
        _: Resource<MessageHandle>,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Vec<u8>> {
        let body = self.message()?.body();
        let left = body.len().saturating_sub(offset);
        let wanted = u64::from(length.min(MAX_CHUNK)).min(left) as usize;
        let mut chunk = vec![0; wanted];
        let mut filled = 0;
        while filled < wanted {
            match body.read_at(offset + filled as u64, &mut chunk[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        chunk.truncate(filled);
        Ok(chunk)
    }

    fn drop(&mut self, _: Resource<MessageHandle>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl decisions::HostDecision for CallState {
    fn reason(&mut self, _: Resource<DecisionHandle>, text: String) -> wasmtime::Result<()> {
        self.count_answer(text.len())?;
        let mut reason = one_line(&text);
        reason.truncate(reason.floor_char_boundary(MAX_REASON));
        let reasons = &mut self.decision.reasons;
        if reasons.contains(&reason) {
            return Ok(());
        }
        // Reasons are for people: those beyond the limit are dropped, and that is no fault.
        if reasons.len() >= MAX_REASONS || self.left.reason(reason.len()).is_none() {
            self.reasons_dropped += 1;
        } else {
            reasons.push(reason);
        }
        Ok(())
    }

    fn tag(&mut self, _: Resource<DecisionHandle>, tag: String) -> wasmtime::Result<()> {
        self.before_acceptance("tag")?;
        self.count_answer(tag.len())?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if tag.is_empty() || tag.len() > MAX_TAG || !tag.chars().all(allowed) {
            return Err(refuse(format!(
                "tag {tag:?}: 1 to {MAX_TAG} letters, digits, -, . and _"
            )));
        }
        // This search is short: a transaction has few tags.
        if !self.decision.tags.contains(&tag) {
            self.charge(|left| left.tag(tag.len()))?;
            self.decision.tags.push(tag);
        }
        Ok(())
    }

    fn classify(
        &mut self,
        _: Resource<DecisionHandle>,
        class: types::MessageClass,
        reply_allowed: bool,
    ) -> wasmtime::Result<()> {
        self.before_acceptance("classify")?;
        self.decision.classification = Some(Classification {
            class: class.mapped(),
            reply_allowed,
        });
        Ok(())
    }

    fn add_header(
        &mut self,
        _: Resource<DecisionHandle>,
        name: String,
        value: String,
    ) -> wasmtime::Result<()> {
        self.before_acceptance("add-header")?;
        self.count_answer(name.len() + value.len())?;
        let edit = Edit::Add {
            name: field_name(&name)?,
            body: field_body(&name, &value)?,
        };
        self.charge(|left| left.edit(name.len() + value.len()))?;
        self.decision.edits.push(edit);
        Ok(())
    }

    fn remove_header(&mut self, _: Resource<DecisionHandle>, name: String) -> wasmtime::Result<()> {
        self.before_acceptance("remove-header")?;
        self.count_answer(name.len())?;
        let edit = Edit::Remove {
            name: field_name(&name)?,
        };
        self.charge(|left| left.edit(name.len()))?;
        self.decision.edits.push(edit);
        Ok(())
    }

    fn set_header(
        &mut self,
        _: Resource<DecisionHandle>,
        name: String,
        value: String,
    ) -> wasmtime::Result<()> {
        self.before_acceptance("set-header")?;
        self.count_answer(name.len() + value.len())?;
        let edit = Edit::Set {
            name: field_name(&name)?,
            body: field_body(&name, &value)?,
        };
        self.charge(|left| left.edit(name.len() + value.len()))?;
        self.decision.edits.push(edit);
        Ok(())
    }

    fn protect_header(
        &mut self,
        _: Resource<DecisionHandle>,
        name: String,
    ) -> wasmtime::Result<()> {
        self.before_acceptance("protect-header")?;
        self.count_answer(name.len())?;
        let name = field_name(&name)?;
        if !self.decision.protected.contains(&name) {
            self.charge(|left| left.protected(name.as_str().len()))?;
            self.decision.protected.push(name);
        }
        Ok(())
    }

    fn judge_recipient(
        &mut self,
        _: Resource<DecisionHandle>,
        address: String,
        verdict: types::RecipientVerdict,
    ) -> wasmtime::Result<()> {
        self.before_acceptance("judge-recipient")?;
        // The address does not count, since it is the envelope's: a message with a thousand long
        // recipients must not exceed the limit on the answer.
        self.count_answer(0)?;
        let recipients = &self.view.recipients;
        let positions = self.positions.get_or_insert_with(|| {
            let numbered = recipients.iter().enumerate();
            numbered
                .map(|(at, known)| (known.as_str().to_owned(), at))
                .collect()
        });
        let at = positions.get(&address).copied();
        let Some((at, recipient)) = at.and_then(|at| Some((at, recipients.get(at)?.clone())))
        else {
            return Err(refuse(format!(
                "{address:?} is not a recipient of this message"
            )));
        };
        let verdict = match verdict {
            types::RecipientVerdict::Reject(reply) => {
                self.count_answer(reply.text.len())?;
                RecipientVerdict::Reject(convert::reply(reply, 5).map_err(refuse)?)
            }
            types::RecipientVerdict::Suppress(reason) => {
                if !self.view.duties.suppresses {
                    return Err(refuse("it suppresses without the duty `suppresses`"));
                }
                self.count_answer(reason.len())?;
                let mut reason = one_line(&reason);
                reason.truncate(reason.floor_char_boundary(MAX_REASON));
                RecipientVerdict::Suppress(reason)
            }
        };
        // The first judgement of each recipient holds.
        if self.judged.insert(at) {
            let length = match &verdict {
                RecipientVerdict::Reject(reply) => reply.text().len(),
                RecipientVerdict::Suppress(reason) => reason.len(),
            };
            self.charge(|left| left.recipient(address.len() + length))?;
            self.decision.recipients.push((recipient, verdict));
        }
        Ok(())
    }

    fn count(
        &mut self,
        _: Resource<DecisionHandle>,
        name: String,
        amount: u32,
    ) -> wasmtime::Result<()> {
        self.count_answer(name.len())?;
        let key = check_key(name)?;
        self.add_effect(Effect::Count { key, amount })
    }

    fn mark_seen(
        &mut self,
        _: Resource<DecisionHandle>,
        name: String,
        seconds: u32,
    ) -> wasmtime::Result<()> {
        self.count_answer(name.len())?;
        let key = check_key(name)?;
        self.add_effect(Effect::MarkSeen { key, seconds })
    }

    fn forget_count(&mut self, _: Resource<DecisionHandle>, name: String) -> wasmtime::Result<()> {
        self.count_answer(name.len())?;
        let key = check_key(name)?;
        self.add_effect(Effect::ForgetCount { key })
    }

    fn remember_machine(
        &mut self,
        _: Resource<DecisionHandle>,
        address: String,
        evidence: String,
        seconds: u32,
    ) -> wasmtime::Result<()> {
        self.count_answer(address.len() + evidence.len())?;
        let mut evidence = one_line(&evidence);
        evidence.truncate(evidence.floor_char_boundary(MAX_EVIDENCE));
        let address = check_key(canonical_form(&address))?;
        self.add_effect(Effect::RememberMachine {
            address,
            evidence,
            seconds,
        })
    }

    fn forget_machine(
        &mut self,
        _: Resource<DecisionHandle>,
        address: String,
    ) -> wasmtime::Result<()> {
        self.count_answer(address.len())?;
        let address = check_key(canonical_form(&address))?;
        self.add_effect(Effect::ForgetMachine { address })
    }

    fn report_suppressed(&mut self, _: Resource<DecisionHandle>) -> wasmtime::Result<()> {
        self.before_acceptance("report-suppressed")?;
        self.decision.report_suppressed = true;
        Ok(())
    }

    fn drop(&mut self, _: Resource<DecisionHandle>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl counters::Host for CallState {
    fn counted(&mut self, key: String, seconds: u32) -> wasmtime::Result<u64> {
        let view = &self.view;
        Ok(view.memory.counted(&view.scope, &key, seconds, view.time))
    }

    fn seen(&mut self, key: String) -> wasmtime::Result<bool> {
        let view = &self.view;
        Ok(view.memory.seen(&view.scope, &key, view.time))
    }
}

impl clock::Host for CallState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.view.time.0)
    }
}

impl log::Host for CallState {
    fn write(&mut self, level: log::Level, text: String) -> wasmtime::Result<()> {
        // Log lines count towards the limit on the answer: a guest must not fill the disk.
        self.count_answer(text.len())?;
        self.logged += text.len() as u64;
        if !self.view.is_live {
            return Ok(());
        }
        let text = one_line(&text);
        let policy = self.view.scope.policy.as_str();
        let id = self.view.id.map(|id| id.to_string()).unwrap_or_default();
        let digest = self.view.digest.get(..SHORT_DIGEST);
        // The field is there for a version under trial alone.
        let candidate = self.view.is_candidate.then_some(true);
        match level {
            log::Level::Debug => tracing::debug!(policy, digest, candidate, id, "{text}"),
            log::Level::Info => tracing::info!(policy, digest, candidate, id, "{text}"),
            log::Level::Warn => tracing::warn!(policy, digest, candidate, id, "{text}"),
            log::Level::Error => tracing::error!(policy, digest, candidate, id, "{text}"),
        }
        Ok(())
    }
}
