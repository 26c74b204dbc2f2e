//! Probes that come back: they are compared with what was sent, recorded, and go to nobody.
//!
//! No policy judges the message of a probe, so it is in no count, is never taken for a loop and makes
//! no ticket. The facts about its origin are those of any other message.

use std::sync::Arc;

use gatepost_authentication::Facts;
use gatepost_contract::directory::{CredentialScope, Directory as _};
use gatepost_message::{Address, Domain, Message, Repairs};
use gatepost_model::{Flow, Transaction};
use gatepost_probes::{ArrivedBy, ProbedDirection};
use gatepost_smtp::Reply;
use gatepost_trace::Kind;
use gatepost_verification::ForwardingConfirmation;

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
    let recipient = transaction.recipients.first()?;
    let target = target(pipeline, evaluation, recipient);
    let recipient = target.as_ref().unwrap_or(recipient);
    let came = repairs.and_then(|repairs| repairs.original(message));
    let original = came.as_ref().unwrap_or(message);
    let octets = integrity::beginning(original)?;
    let credential = credential(pipeline, transaction);
    let by = ArrivedBy {
        message: original,
        octets: &octets,
        recipient,
        from_nobody: transaction.reverse_path.is_null(),
        credential: credential.as_ref(),
        client: transaction.session.client_ip(),
    };
    let recognised = pipeline.probes.recognise(account, evaluation.probe(), by)?;
    let facts = match recognised.is_probe() {
        true => Some(
            (pipeline.authentication)
                .gather(transaction, message, came.as_ref())
                .await,
        ),
        false => None,
    };
    if let Some(facts) = &facts {
        let sasl = pipeline.sasl(&transaction.session);
        let authentication = Box::new(facts.summary(sasl));
        pipeline.record(transaction.id, Kind::Authenticated { authentication });
    }
    match pipeline
        .probes
        .arrived(&recognised, by, facts.as_ref())
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
/// over the session of a customer's server, or a provider asks for a code. Most do not.
pub(super) fn may_show(transaction: &Transaction, message: &Message) -> bool {
    transaction.session.flow == Flow::Inbound
        && (transaction.session.user.is_some() || ForwardingConfirmation::may_be(message))
}

/// Takes note that mail came in over the session of a customer's server, as it has to: that proves
/// the way to each recipient.
pub(super) async fn proves(pipeline: &Pipeline, transaction: &Transaction) {
    let is_by_session = credential(pipeline, transaction).is_some();
    let Some(account) = transaction.account.as_deref().filter(|_| is_by_session) else {
        return;
    };
    for recipient in &transaction.recipients {
        pipeline
            .probes
            .proved(account, recipient, ProbedDirection::Inbound)
            .await;
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
