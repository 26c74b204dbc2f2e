//! The policies' part in delivery: routes, and outcomes of attempts.
//!
//! A message is routed by the chain of the listener that accepted it, in the versions that are
//! active at the attempt: so a repaired policy helps the mail that waits. If the configuration no
//! longer has that listener, the default route is taken.
//!
//! A message with the null reverse-path belongs to nobody: the policies are not asked, and the
//! default route is taken, so that no policy can send a bounce through a customer's smart host (RFC
//! 5321 section 4.5.5).

#![forbid(unsafe_code)]

mod return_path;
mod sender_way;
mod ways;

use std::sync::Arc;

use gatepost_delivery::{
    Action, Attempt, Decided, Deciding, NoticeMade, Observer, Observing, Router,
};
use gatepost_directory::{DefaultReason, Directory, OutboundWay};
use gatepost_message::{Address, Millis, TransactionId, without_brackets};
use gatepost_model::{
    AttemptResult, Destination, Effect, Ending, Judgement, Queued, Scope, Transaction, TriedStep,
};
use gatepost_policy::Pinned;
use gatepost_probes::{ProbedDirection, Probes};
use gatepost_record::{ChainRecorder, PolicyRecord};
use gatepost_smtp::Reply;
use gatepost_spool::{AttemptOutcome, Claim, ClaimedRecipient, Counters};
use gatepost_trace::{Event, Kind, Notified, Trace};
use tracing::Instrument as _;

use gatepost_intake::active_config::SharedConfig;
use gatepost_intake::integrity;
use gatepost_intake::look_ups::AccountView;
use gatepost_intake::pipeline::evaluation;
use gatepost_observability::Spans;
use gatepost_policy_set::Policies;

use self::return_path::return_path;
use self::sender_way::SenderWay;
pub use ways::{NotAuthorized, Outside, OutsideError, Records, Trial, TrialRefusal, Ways};

/// Calls the hooks `route` and `outcome` for delivery.
pub struct PolicyRouter {
    /// Chains of the listeners.
    pub policies: Arc<Policies>,
    /// Active configuration, read at each attempt.
    pub active: Arc<SharedConfig>,
    /// AccountView, addresses and credentials of the directory.
    pub directory: Arc<Directory>,
    /// Counts, marks and machines: what policies look up, and where their effects go.
    pub counters: Arc<dyn Counters>,
    /// Record of all transactions.
    pub trace: Arc<Trace>,
    /// Record of what policies are asked.
    pub policy_record: Option<Arc<PolicyRecord>>,
    /// Exporter of spans, with the duration of each attempt.
    pub spans: Spans,
    /// Probes that are on their way.
    pub probes: Arc<Probes>,
}

impl Router for PolicyRouter {
    fn route<'a>(&'a self, message: &'a Claim, recipient: &'a ClaimedRecipient) -> Deciding<'a> {
        let id = message.transaction.id;
        let route = async move {
            let transaction = &message.transaction;
            let recorder = self.recorder(id);
            let policies = watched(self.policies_of(transaction), recorder.as_ref());
            let (address, attempts) = (&recipient.address, recipient.attempts);
            let queued = queued(message, recipient);
            let ruling = evaluation::route(&policies, transaction, address, attempts, &queued);
            let ruling = ruling.await;
            self.keep(recorder);
            if !ruling.effects.is_empty() {
                self.store_effects(ruling.effects).await;
            }
            Decided {
                routing: ruling.routing,
                judgements: ruling.judgements,
            }
        };
        Box::pin(route.instrument(tracing::error_span!("transaction", %id)))
    }
}

impl Observer for PolicyRouter {
    fn attempt_ended<'a>(&'a self, attempt: &'a Attempt<'a>) -> Observing<'a> {
        let id = attempt.message.transaction.id;
        let observe = self.observe(attempt);
        Box::pin(observe.instrument(tracing::error_span!("transaction", %id)))
    }

    fn notice_made<'a>(&'a self, made: &'a NoticeMade<'a>) -> Observing<'a> {
        let recipients = made.recipients.iter();
        let recipients = recipients.map(|one| one.address.clone()).collect();
        let notice = made.id;
        let notified = |of| Kind::Notified {
            notice,
            of,
            recipients: Vec::clone(&recipients),
        };
        let kind = match made.action {
            Action::Failed => Kind::Bounced { notice, recipients },
            Action::Delayed => notified(Notified::Delayed),
            Action::Relayed => notified(Notified::Relayed),
            Action::Delivered => notified(Notified::Delivered),
            Action::Suppressed => notified(Notified::Suppressed),
        };
        let original = made.message.transaction.id;
        if let Some(exported) = self.spans.message(notice) {
            exported.notification(original, made.action, made.recipients.len());
        }
        self.record(original, kind);
        // From here on the notice can be looked up, too.
        let recipients = vec![made.to.clone()];
        self.record(notice, Kind::Queued { recipients });
        Box::pin(std::future::ready(()))
    }
}

/// Has a recorder watch these policies, if there is one.
fn watched(policies: Pinned, recorder: Option<&Arc<ChainRecorder>>) -> Pinned {
    match recorder {
        Some(recorder) => policies.watched_by(gatepost_record::watching(recorder)),
        None => policies,
    }
}

impl PolicyRouter {
    fn policies_of(&self, transaction: &Transaction) -> Pinned {
        let chain = self.policies.chain(&transaction.session.listener);
        chain.begin(self.accounts().policy_context(self.counters.clone()))
    }

    /// Returns a recorder for an attempt, if its transaction is in the sample.
    fn recorder(&self, id: TransactionId) -> Option<Arc<ChainRecorder>> {
        self.policy_record.as_ref()?.begin(id, None)
    }

    /// Keeps what the policies were asked about an attempt.
    fn keep(&self, recorder: Option<Arc<ChainRecorder>>) {
        let entry = recorder.and_then(|recorder| recorder.attempt());
        if let Some((record, entry)) = self.policy_record.as_ref().zip(entry) {
            record.keep(entry);
        }
    }

    /// Returns the accounts as they are now.
    fn accounts(&self) -> AccountView {
        AccountView {
            config: Arc::clone(&self.active.load().config),
            directory: self.directory.view(),
        }
    }

    /// Returns the address to which reports on the message come back, if it left with one.
    fn return_path(&self, attempt: &Attempt<'_>) -> Option<Address> {
        let accounts = self.accounts();
        let own = return_path(
            accounts.ownership(),
            attempt.message,
            attempt.destination?,
            attempt.sent_as,
        );
        let left_with = |address: &Address| {
            let path = attempt.mail_from;
            path.is_none_or(|path| path.address() == Some(address))
        };
        own.filter(left_with)
    }

    async fn observe(&self, attempt: &Attempt<'_>) {
        let transaction = &attempt.message.transaction;
        let recipient = attempt.recipient;
        let judged = || {
            for judgement in attempt.judgements {
                self.judged(transaction.id, judgement);
            }
        };
        let Some(ended) = Ended::of(attempt.outcome) else {
            // Discarded, or routed and not yet attempted: the calls alone are on record.
            return judged();
        };
        let Ended {
            reply,
            server,
            for_policies,
            for_trace,
        } = ended;
        let exported = self.spans.message(transaction.id);
        let for_policies = match attempt.expired {
            true => Ending::Expired,
            false => for_policies,
        };
        let exported = exported.map(|trace| trace.attempt(attempt, for_policies, reply));
        judged();
        let kind = Kind::Attempt {
            address: recipient.address.clone(),
            attempt: recipient.attempts + 1,
            destination: attempt.destination.cloned(),
            server: server.map(str::to_owned),
            return_path: self.return_path(attempt).filter(|_| server.is_some()),
            reply: reply.clone(),
            ending: for_trace,
        };
        self.record(transaction.id, kind);
        if let (Ending::Delivered, Some(sent)) = (for_policies, attempt.sent) {
            let stored = &attempt.message.message;
            integrity::travelled(&self.trace, transaction, stored, sent);
            self.departed(attempt);
        }
        let result = Arc::new(AttemptResult {
            recipient: recipient.address.clone(),
            ending: for_policies,
            stage: attempt.stage,
            reply: reply.clone(),
            step: attempt.step.map(ToString::to_string),
            server: server.map(str::to_owned),
            tls: attempt.tls.map(str::to_owned),
            sent_as: attempt.sent_as.cloned(),
            message_id: (attempt.message.message.header("Message-ID"))
                .map(|id| without_brackets(&id).to_owned()),
        });
        if gatepost_probes::is_probe(transaction).is_some() {
            let probes = &self.probes;
            return probes
                .attempted(transaction.id, attempt.destination, &result, attempt.sent)
                .await;
        }
        self.proves(attempt, for_policies).await;
        let queued = queued(attempt.message, recipient);
        let recorder = self.recorder(transaction.id);
        let policies = watched(self.policies_of(transaction), recorder.as_ref());
        let ruling = policies.outcome(transaction, &result, &queued).await;
        self.keep(recorder);
        if let Some(exported) = &exported {
            exported.calls(&ruling.judgements);
        }
        for judgement in &ruling.judgements {
            self.judged(transaction.id, judgement);
        }
        if !ruling.effects.is_empty() {
            self.store_effects(ruling.effects).await;
        }
    }

    /// Records in whose name a message left, where that depends on its author's way out.
    fn departed(&self, attempt: &Attempt<'_>) {
        let Claim {
            transaction,
            message,
            ..
        } = attempt.message;
        let leaves = matches!(
            attempt.destination,
            Some(
                Destination::Mx { .. }
                    | Destination::NextHop { .. }
                    | Destination::Connection { .. }
            )
        );
        if !leaves {
            return;
        }
        let view = self.directory.view();
        let Some(sender) = SenderWay::of(&view, transaction, message) else {
            return;
        };
        let has_connection = || view.connection_of(sender.account, &sender.author).is_some();
        let reason = match sender.way {
            OutboundWay::FromDefault(reason) => reason,
            OutboundWay::Connection | OutboundWay::Vouched if has_connection() => {
                DefaultReason::Broken
            }
            OutboundWay::Connection | OutboundWay::Vouched | OutboundWay::DefaultRoute => {
                DefaultReason::Unproved
            }
        };
        let from_default = sender.left_from_default(attempt.sent_as);
        let reason = from_default.then_some(reason);
        (self.directory).record_departure(sender.account, &sender.author, transaction.id, reason);
    }

    /// Takes note that a customer's smart host has taken mail of a support address, which proves the
    /// way out.
    async fn proves(&self, attempt: &Attempt<'_>, ending: Ending) {
        let transaction = &attempt.message.transaction;
        let sender = attempt.sent_as.or(transaction.reverse_path.address());
        let (Some(Destination::Connection { account, .. }), Some(sender), Ending::Delivered) =
            (attempt.destination, sender, ending)
        else {
            return;
        };
        if let Some(account) = account {
            let probes = &self.probes;
            probes
                .proved(account, sender, ProbedDirection::Outbound)
                .await;
        }
    }

    async fn store_effects(&self, effects: Vec<(Scope, Effect)>) {
        if let Err(error) = self.counters.apply(effects, Millis::now()).await {
            tracing::error!(%error, "effects of a route or outcome hook were not stored");
        }
    }

    fn judged(&self, id: TransactionId, judgement: &Judgement) {
        let judgement = Box::new(judgement.clone());
        self.record(id, Kind::Judged { judgement });
    }

    fn record(&self, id: TransactionId, kind: Kind) {
        self.trace.record(Event::now(id, kind));
    }
}

/// Returns the message in the queue, as this attempt at a recipient finds it.
fn queued(message: &Claim, recipient: &ClaimedRecipient) -> Arc<Queued> {
    Arc::new(Queued {
        attempt_time: Millis::now(),
        accepted: message.received_at,
        expires: message.expires_at,
        message: message.message.clone(),
        tags: message.tags.clone(),
        class: message.classification.map(|of| of.class),
        metadata: (message.metadata.iter())
            .map(|text| ("metadata".to_owned(), text.clone()))
            .collect(),
        last_reply: recipient.last_reply.clone(),
        steps_tried: steps_tried(message, recipient),
    })
}

/// Returns the steps of the stored route that were tried, in order. Of those before the present one
/// it is known that they failed as often as the plan demands before it goes on.
fn steps_tried(message: &Claim, recipient: &ClaimedRecipient) -> Vec<TriedStep> {
    let Some(route) = &recipient.route else {
        return Vec::new();
    };
    let present = usize::from(route.step);
    let steps = route.plan.steps.iter().enumerate().take(present + 1);
    let tried = steps.map(|(at, step)| TriedStep {
        step: step.to_string(),
        failures: match at == present {
            true => route.failures,
            false => step.go_on_after.map_or(1, |limit| limit.failures.max(1)),
        },
        since: route
            .since
            .filter(|_| at == present)
            .unwrap_or(message.received_at),
    });
    tried.filter(|step| step.failures > 0).collect()
}

/// The end of an attempt, in the terms of policies and of the trace.
struct Ended<'a> {
    reply: &'a Reply,
    server: Option<&'a str>,
    for_policies: gatepost_model::Ending,
    for_trace: gatepost_trace::AttemptEnd,
}

impl<'a> Ended<'a> {
    /// Returns `None` for an attempt that was not made.
    fn of(outcome: &'a AttemptOutcome) -> Option<Self> {
        use {gatepost_model::Ending as ForPolicies, gatepost_trace::AttemptEnd as ForTrace};
        let (reply, server, for_policies, for_trace) = match outcome {
            AttemptOutcome::Delivered { reply, server } => (
                reply,
                Some(server.as_str()),
                ForPolicies::Delivered,
                ForTrace::Delivered,
            ),
            AttemptOutcome::Deferred {
                reply,
                server,
                next_attempt,
                ..
            } => (
                reply,
                server.as_deref(),
                ForPolicies::Deferred,
                ForTrace::Deferred {
                    next_attempt: *next_attempt,
                },
            ),
            AttemptOutcome::Failed { reply, server } => (
                reply,
                server.as_deref(),
                ForPolicies::Failed,
                ForTrace::Failed,
            ),
            AttemptOutcome::Held { reply } => (reply, None, ForPolicies::Held, ForTrace::Held),
            AttemptOutcome::Discarded { .. } | AttemptOutcome::Returned { .. } => return None,
        };
        Some(Self {
            reply,
            server,
            for_policies,
            for_trace,
        })
    }
}
