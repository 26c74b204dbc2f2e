//! The message of its account that an inbound message answers.
//!
//! In-Reply-To and References name Message-IDs. A service by which the message left may have given
//! it another than ours; the ids that were learnt lead back to ours, and ours to the transaction.

use std::sync::Arc;

use gatepost_contract::identity::Identity;
use gatepost_message::{Message, TransactionId, bare_message_id};
use gatepost_model::{Flow, Transaction};
use gatepost_trace::TraceError;

use super::Pipeline;
use crate::integrity;

/// Messages that an inbound message answers, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answered {
    /// Transaction of the account's message, if one is known.
    pub transaction: Option<TransactionId>,
    /// Message-IDs that services gave messages of the account, each with ours.
    pub given: Vec<(String, String)>,
}

impl Answered {
    /// Finds the messages that a message of this transaction answers.
    pub(super) async fn of(
        pipeline: &Pipeline,
        transaction: &Transaction,
        message: &Message,
    ) -> Self {
        let inbound = transaction.session.flow == Flow::Inbound;
        let Some(account) = transaction.account.clone().filter(|_| inbound) else {
            return Self::default();
        };
        let mut given = Vec::new();
        let mut ours = Vec::new();
        for named in integrity::answered(message) {
            let Some(id) = bare_message_id(&named) else {
                continue;
            };
            match pipeline.learnt.ours_of(&account, id).await {
                Ok(Some(of_ours)) => {
                    ours.push(format!("<{of_ours}>"));
                    given.push((id.to_owned(), of_ours));
                }
                Ok(None) => ours.push(named),
                Err(error) => {
                    tracing::warn!(%error, "the Message-IDs that services gave cannot be read");
                    ours.push(named);
                }
            }
        }
        if ours.is_empty() {
            return Self::default();
        }
        let trace = Arc::clone(&pipeline.trace);
        let found = tokio::task::spawn_blocking(move || {
            for id in &ours {
                match trace.sender_by_message_id(id)? {
                    Some((transaction, of)) if of == account => return Ok(Some(transaction)),
                    _ => {}
                }
            }
            Ok::<_, TraceError>(None)
        });
        let transaction = match found.await {
            Ok(Ok(found)) => found,
            failed => {
                tracing::warn!(?failed, "it cannot be told which message is answered");
                None
            }
        };
        Self { transaction, given }
    }

    /// Returns the relay's identity as the policies of this message know it, with the ids that
    /// services gave.
    pub(super) fn known_to(&self, identity: Arc<dyn Identity>) -> Arc<dyn Identity> {
        match self.given.is_empty() {
            true => identity,
            false => Arc::new(KnowingGivenIds {
                identity,
                given: self.given.clone(),
            }),
        }
    }
}

/// Identity that also knows Message-IDs which services gave.
struct KnowingGivenIds {
    identity: Arc<dyn Identity>,
    given: Vec<(String, String)>,
}

impl Identity for KnowingGivenIds {
    fn host_name(&self) -> String {
        self.identity.host_name()
    }

    fn email_id(&self, transaction: TransactionId) -> String {
        self.identity.email_id(transaction)
    }

    fn is_ours(&self, email_id: &str) -> bool {
        self.identity.is_ours(email_id)
    }

    fn our_message_id(&self, message_id: &str) -> Option<String> {
        let found = self.given.iter().find(|(theirs, _)| theirs == message_id);
        found.map(|(_, ours)| ours.clone())
    }
}
