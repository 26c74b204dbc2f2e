//! Probes that come back: they are compared with what was sent, recorded, and go to nobody.
//!
//! No policy judges the message of a probe, so it is in no count, is never taken for a loop and makes
//! no ticket. The facts about its origin are those of any other message.

use std::sync::Arc;

use gatepost_authentication::Facts;
use gatepost_contract::authentication::Arrival;
use gatepost_contract::directory::{CredentialScope, Directory as _};
use gatepost_directory::ConnectorKind;
use gatepost_message::{Address, Domain, Message, Millis, Repairs};
use gatepost_model::{Flow, Transaction};
use gatepost_probes::{ArrivedBy, ProbeOrigin, ProbedDirection};
use gatepost_smtp::Reply;
use gatepost_trace::Kind;
use gatepost_verification::{ArrivalWay, ForwardingConfirmation};

use super::arrival_way::arrival_of;
use super::evaluation::Evaluation;
use super::{Pipeline, local_error, with_id};
use crate::integrity;

/// Returns the forwarding target that the client has named for this recipient, if it was one.
fn target(pipeline: &Pipeline, evaluation: &Evaluation, recipient: &Address) -> Option<Address> {
    let mut by_target = evaluation.by_target().iter();
    by_target.find(|of| *of == recipient)?;
    let account = evaluation.transaction().account.as_deref()?.parse().ok()?;
    let view = pipeline.directory.view();
    view.target_of(view.address_of(account, recipient)?)
}

/// Takes a message that belongs to a probe; returns the reply to the client. `None` for ordinary
/// mail.
pub(super) async fn taken(
    pipeline: &Pipeline,
    evaluation: &Evaluation,
    message: &Message,
    repairs: Option<&Repairs>,
) -> Option<Reply> {
    let transaction = evaluation.transaction();
    if transaction.session.flow != Flow::Inbound || evaluation.returned().is_some() {
        return None;
    }
    let account = transaction.account.as_deref();
    // The message is not read for probes of others.
    if evaluation.probe().is_none() && !pipeline.probes.awaits(account) {
        return None;
    }
    let support = transaction.recipients.first()?;
    let target = target(pipeline, evaluation, support);
    let recipient = target.as_ref().unwrap_or(support);
    let came = repairs.and_then(|repairs| repairs.original(message));
    let original = came.as_ref().unwrap_or(message);
    let octets = integrity::beginning(original)?;
    let by = ArrivedBy {
        message: original,
        octets: &octets,
        recipient,
        from_nobody: transaction.reverse_path.is_null(),
        client: transaction.session.client_ip(),
    };
    let recognised = pipeline.probes.recognise(account, evaluation.probe(), by)?;
    let mut origin = None;
    if recognised.is_probe() {
        let gathering = pipeline
            .authentication
            .gather(transaction, message, came.as_ref());
        let facts = gathering.await;
        let sasl = pipeline.sasl(&transaction.session);
        let authentication = Box::new(facts.summary(sasl));
        pipeline.record(transaction.id, Kind::Authenticated { authentication });
        let arrival = arrival_of(pipeline, transaction, support, target.is_some(), &facts);
        let way = match (credential(pipeline, transaction), arrival) {
            (Some(domain), _) => ArrivalWay::Session(domain),
            (None, Arrival::Forwarded) => ArrivalWay::Forwarded,
            (None, _) => ArrivalWay::Direct,
        };
        origin = Some(ProbeOrigin { facts, way });
    }
    match (pipeline.probes)
        .arrived(&recognised, by, origin.as_ref())
        .await
    {
        Ok(true) => {
            tracing::info!(probe = %recognised.id(), "belongs to a probe: it goes to nobody");
            let text = format!("Queued as {}", transaction.id);
            Some(Reply::new(250, "2.6.0", text))
        }
        Ok(false) if evaluation.probe().is_some() => {
            let reply = Reply::new(550, "5.1.1", "No such recipient here");
            Some(with_id(reply, transaction.id))
        }
        Ok(false) => None,
        Err(error) => {
            tracing::error!(%error, "a probe that came back cannot be recorded");
            Some(with_id(local_error(), transaction.id))
        }
    }
}

/// Returns the domain of the credential that the session has logged in with, if it is for relay.
fn credential(pipeline: &Pipeline, transaction: &Transaction) -> Option<Domain> {
    let user = transaction.session.user.as_deref()?;
    match pipeline.accounts().credential(user)? {
        CredentialScope::Inbound(domain) => domain.parse().ok(),
        CredentialScope::Submission | CredentialScope::Other => None,
    }
}

/// Returns true if a message that is taken may show something of the way to its recipients: it came
/// over the session of a customer's server, to forwarding targets of these, or a provider asks for a
/// code. Most do not.
pub(super) fn may_show(
    transaction: &Transaction,
    message: &Message,
    by_target: &[Address],
) -> bool {
    transaction.session.flow == Flow::Inbound
        && (transaction.session.user.is_some()
            || !by_target.is_empty()
            || ForwardingConfirmation::may_be(message))
}

/// Takes note that mail came in as it has to: over the session of a customer's server, or from a known
/// forwarder to the forwarding targets of these recipients. That proves the way to each. The facts
/// about its origin are gathered if nobody wanted them, where a proof is due.
pub(super) async fn proves(
    pipeline: &Pipeline,
    transaction: &Transaction,
    message: &Message,
    by_target: &[Address],
    facts: Option<&Arc<Facts>>,
) {
    let Some(account) = transaction.account.as_deref() else {
        return;
    };
    let direction = ProbedDirection::Inbound;
    if credential(pipeline, transaction).is_some() {
        for recipient in &transaction.recipients {
            pipeline.probes.proved(account, recipient, direction).await;
        }
        return;
    }
    let (Ok(id), now) = (account.parse(), Millis::now()) else {
        return;
    };
    let view = pipeline.directory.view();
    // Mail of a two-way domain has to come over a session.
    let comes_forwarded = |recipient: &Address| {
        let connector = view.address(id, recipient).and_then(|of| of.connector);
        let connector = connector.and_then(|connector| view.connector(id, connector));
        connector.is_some_and(|of| of.claim.kind != ConnectorKind::TwoWay)
    };
    let mut facts = facts.map(Arc::clone);
    for recipient in by_target.iter().filter(|of| comes_forwarded(of)) {
        if !(pipeline.probes).wants_proof(id, recipient, direction, now) {
            continue;
        }
        let facts = match &facts {
            Some(facts) => Arc::clone(facts),
            None => {
                let gathering = pipeline.authentication.gather(transaction, message, None);
                Arc::clone(facts.insert(Arc::new(gathering.await)))
            }
        };
        if arrival_of(pipeline, transaction, recipient, true, &facts) == Arrival::Forwarded {
            pipeline.probes.proved(account, recipient, direction).await;
        }
    }
}

/// Looks whether a provider waits for a code before it forwards mail to an account. The facts about
/// its origin are gathered if nobody wanted them: such a message is rare.
pub(super) async fn confirmation(
    pipeline: &Pipeline,
    transaction: &Transaction,
    message: &Message,
    facts: Option<Arc<Facts>>,
) {
    let is_inbound = transaction.session.flow == Flow::Inbound;
    let account = transaction.account.as_deref().filter(|_| is_inbound);
    let (Some(account), Some(recipient)) = (account, transaction.recipients.first()) else {
        return;
    };
    let view = pipeline.directory.view();
    let is_known = account.parse().is_ok_and(|id| view.account(id).is_some());
    if !is_known || !ForwardingConfirmation::may_be(message) {
        return;
    }
    let Some(octets) = integrity::beginning(message) else {
        return;
    };
    let facts = match facts {
        Some(facts) => facts,
        None => {
            let gathering = pipeline.authentication.gather(transaction, message, None);
            Arc::new(gathering.await)
        }
    };
    if let Some(found) = ForwardingConfirmation::recognise(message, &octets, &facts) {
        tracing::info!(id = %transaction.id, %recipient, "a provider waits for a code");
        let probes = &pipeline.probes;
        probes.confirmation(account, recipient, &found).await;
    }
}
