//! One call of one hook, which can be put to several versions.

use std::sync::Arc;

use gatepost_authentication::Facts;
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId, canonical_form};
use gatepost_model::{AttemptResult, Flow, Judgement, Queued, Session, Transaction};

use crate::hooks::CallContext;
use crate::version::{Hook, Version};

/// Call of a hook with its parameters.
#[derive(Clone, Copy)]
pub(crate) enum HookCall<'a> {
    Connect(&'a Session, Millis),
    Sender(&'a Transaction),
    Recipient(&'a Transaction, &'a Address),
    Message(&'a Transaction, &'a Message, Option<&'a Arc<Facts>>),
    Route(&'a Transaction, &'a Address, u32, &'a Arc<Queued>),
    Outcome(&'a Transaction, &'a Arc<AttemptResult>, &'a Arc<Queued>),
}

/// The same with parameters of its own, for later.
pub(crate) enum KeptCall {
    Connect(Session, Millis),
    Sender(Transaction),
    Recipient(Transaction, Address),
    Message(Transaction, Message, Option<Arc<Facts>>),
    Route(Transaction, Address, u32, Arc<Queued>),
    Outcome(Transaction, Arc<AttemptResult>, Arc<Queued>),
}

impl HookCall<'_> {
    pub(crate) fn hook(&self) -> Hook {
        match self {
            Self::Connect(..) => Hook::Connect,
            Self::Sender(..) => Hook::Sender,
            Self::Recipient(..) => Hook::Recipient,
            Self::Message(..) => Hook::Message,
            Self::Route(..) => Hook::Route,
            Self::Outcome(..) => Hook::Outcome,
        }
    }

    /// Makes the call. In the route hook the judgement has the routing.
    pub(crate) async fn put(self, version: &Version, context: CallContext<'_>) -> Judgement {
        match self {
            Self::Connect(session, now) => version.connect(session, now, context).await,
            Self::Sender(transaction) => version.sender(transaction, context).await,
            Self::Recipient(transaction, recipient) => {
                version.recipient(transaction, recipient, context).await
            }
            Self::Message(transaction, message, facts) => {
                version.message(transaction, message, facts, context).await
            }
            Self::Route(transaction, recipient, previous, queued) => {
                let routed = version.route(transaction, recipient, previous, queued, context);
                routed.await.1
            }
            Self::Outcome(transaction, result, queued) => {
                version.outcome(transaction, result, queued, context).await
            }
        }
    }

    fn transaction(&self) -> Option<&Transaction> {
        match self {
            Self::Connect(..) => None,
            Self::Sender(transaction)
            | Self::Recipient(transaction, _)
            | Self::Message(transaction, ..)
            | Self::Route(transaction, ..)
            | Self::Outcome(transaction, ..) => Some(transaction),
        }
    }

    pub(crate) fn id(&self) -> Option<TransactionId> {
        self.transaction().map(|transaction| transaction.id)
    }

    /// Returns the account and the correspondent, in canonical form, by which a share of the mail is
    /// chosen. Before RCPT TO they are not known. All later calls about a message have the same.
    pub(crate) fn parties(&self) -> Option<(&str, String)> {
        let transaction = self.transaction()?;
        let first = match self {
            Self::Connect(..) | Self::Sender(_) => return None,
            Self::Recipient(_, recipient) => transaction.recipients.first().unwrap_or(recipient),
            _ => transaction.recipients.first()?,
        };
        parties(transaction, first)
    }

    pub(crate) fn kept(self) -> KeptCall {
        match self {
            Self::Connect(session, now) => KeptCall::Connect(session.clone(), now),
            Self::Sender(transaction) => KeptCall::Sender(transaction.clone()),
            Self::Recipient(transaction, recipient) => {
                KeptCall::Recipient(transaction.clone(), recipient.clone())
            }
            Self::Message(transaction, message, facts) => {
                KeptCall::Message(transaction.clone(), message.clone(), facts.cloned())
            }
            Self::Route(transaction, recipient, previous, queued) => KeptCall::Route(
                transaction.clone(),
                recipient.clone(),
                previous,
                Arc::clone(queued),
            ),
            Self::Outcome(transaction, result, queued) => {
                KeptCall::Outcome(transaction.clone(), Arc::clone(result), Arc::clone(queued))
            }
        }
    }
}

/// Returns the account and the correspondent of a message: whoever writes to the account, or else its
/// first recipient.
pub(crate) fn parties<'a>(
    transaction: &'a Transaction,
    first: &Address,
) -> Option<(&'a str, String)> {
    let account = transaction.account.as_deref()?;
    let correspondent = match (transaction.session.flow, &transaction.reverse_path) {
        (Flow::Inbound, ReversePath::Address(sender)) => sender.as_str(),
        (Flow::Inbound, ReversePath::Null) => "",
        _ => first.as_str(),
    };
    Some((account, canonical_form(correspondent)))
}

impl KeptCall {
    pub(crate) fn call(&self) -> HookCall<'_> {
        match self {
            Self::Connect(session, now) => HookCall::Connect(session, *now),
            Self::Sender(transaction) => HookCall::Sender(transaction),
            Self::Recipient(transaction, recipient) => HookCall::Recipient(transaction, recipient),
            Self::Message(transaction, message, facts) => {
                HookCall::Message(transaction, message, facts.as_ref())
            }
            Self::Route(transaction, recipient, previous, queued) => {
                HookCall::Route(transaction, recipient, *previous, queued)
            }
            Self::Outcome(transaction, result, queued) => {
                HookCall::Outcome(transaction, result, queued)
            }
        }
    }
}
