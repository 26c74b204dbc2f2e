//! Way by which a message came to a recipient, as policies are told it: there is one rule of who is a
//! known forwarder.

use gatepost_authentication::{Authentication, Facts};
use gatepost_contract::arrival::{self, ArrivalFacts};
use gatepost_contract::authentication::Arrival;
use gatepost_contract::directory::Directory as _;
use gatepost_contract::types::Flow;
use gatepost_message::Address;
use gatepost_model::Transaction;

use super::Pipeline;

/// Returns the way of an incoming message to a recipient; `by_target` is true if the client named its
/// forwarding target.
pub(super) fn arrival_of(
    pipeline: &Pipeline,
    transaction: &Transaction,
    recipient: &Address,
    by_target: bool,
    facts: &Facts,
) -> Arrival {
    let accounts = pipeline.accounts();
    let to = transaction
        .account
        .as_deref()
        .and_then(|account| match by_target {
            true => accounts.destination_by_target(account, recipient.as_str()),
            false => accounts.destination(account, recipient.as_str()),
        });
    let session = &transaction.session;
    let passes = |result: Authentication| result == Authentication::Pass;
    let signatures = facts.dkim.iter().filter(|of| passes(of.result));
    let (spf, arc) = (&facts.spf.mailfrom, &facts.arc);
    let is_sent = passes(spf.result) && !transaction.reverse_path.is_null();
    arrival::of(&ArrivalFacts {
        flow: Flow::Inbound,
        client: session.client_ip(),
        credential: session
            .user
            .as_deref()
            .and_then(|user| accounts.credential(user)),
        to,
        author: &facts.dmarc.domain,
        signed: signatures.map(|of| of.domain.as_str()).collect(),
        sent: is_sent.then_some(spf.domain.as_str()),
        sealed: passes(arc.result).then_some(arc.sealer.as_str()),
    })
}
