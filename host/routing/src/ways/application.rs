//! The ways to the application without SMTP, and the facts that go there with a message.
//!
//! Queue, trace and directory are asked at each try, so that the facts are those of the message's
//! record. What is not on record is left out: the message goes without it.

use std::sync::Arc;

use gatepost_application::{
    Alarm as Cause, Application, Arrival, Letter, LetterRecipient, Outcome, Reach as Found,
    RecipientFacts, TagWithReasons, Target,
};
use gatepost_authentication::Summary;
use gatepost_contract::arrival::{self, ArrivalFacts};
use gatepost_contract::authentication::Arrival as Known;
use gatepost_contract::directory::Directory as _;
use gatepost_contract::types::Flow as Way;
use gatepost_delivery::{Alarm, HandOver, Handed, HandedOver, HandingOver, Reach};
use gatepost_directory::{SupportAddress, View};
use gatepost_intake::look_ups::AccountView;
use gatepost_message::{Address, Edit, FieldName, Message, TransactionId};
use gatepost_model::{Flow, Judgement, Session, Transaction};
use gatepost_smtp::dsn::OriginalRecipient;
use gatepost_spool::{Claim, QueueAdmin};
use gatepost_trace::{Kind, Trace};

/// The application at one of its targets.
pub(super) struct ToApplication {
    pub(super) application: Application,
    pub(super) target: Arc<Target>,
    pub(super) accounts: AccountView,
    pub(super) records: Records,
}

/// Records of messages, from which the facts come.
#[derive(Clone)]
pub struct Records {
    /// Queue, which has the calls of policies.
    pub queue: Arc<dyn QueueAdmin>,
    /// Trace, which has the message authentication.
    pub trace: Arc<Trace>,
}

impl HandOver for ToApplication {
    fn hand_over<'a>(&'a self, handed: Handed<'a>) -> HandingOver<'a> {
        Box::pin(async move {
            let outcomes = self.deliver(handed).await;
            outcomes.into_iter().map(handed_over).collect()
        })
    }
}

impl ToApplication {
    async fn deliver(&self, handed: Handed<'_>) -> Vec<Outcome> {
        let Handed { claim, message, .. } = handed;
        let transaction = &claim.transaction;
        let judgements = self.records.judgements(transaction.id).await;
        let came = self.records.came(transaction.id).await;
        let authentication = came.authentication.as_ref();
        let authentication = authentication.and_then(|of| serde_json::to_value(of).ok());
        let tags = tags(claim, &judgements);
        let originals: Vec<Option<Address>> = (handed.recipients.iter())
            .map(|one| one.dsn.original.as_ref().and_then(address))
            .collect();
        let owners: Vec<_> = (handed.recipients.iter())
            .map(|one| self.owner(transaction, &one.address))
            .collect();
        let recipients = handed.recipients.iter().zip(&originals).zip(&owners);
        let recipients: Vec<_> = recipients
            .map(|((one, original), (owner, connector))| LetterRecipient {
                address: &one.address,
                original: original
                    .as_ref()
                    .filter(|original| **original != one.address),
                arrival: self.arrival(transaction, &one.address, &came),
                owner: RecipientFacts {
                    support_address: owner.map(|of| of.address.as_str()),
                    brand: owner.and_then(|of| Some(of.brand.as_ref()?.as_str())),
                    connector: connector.as_deref(),
                },
            })
            .collect();
        let message_id = message.header("Message-ID");
        let requester = requester(&self.accounts.config.headers.requester.0, &judgements);
        let letter = Letter {
            transaction: transaction.id,
            message_id: message_id.as_deref(),
            account: transaction.account.as_deref(),
            received: claim.received_at,
            mail_from: handed.reverse_path,
            rcpt_to: &recipients,
            requester: requester.as_deref(),
            class: claim.classification.map(|of| of.class),
            tags: &tags,
            authentication: authentication.as_ref(),
            thread: self.thread(transaction, message),
            client: transaction.session.client_ip(),
            message,
        };
        self.application.deliver(&self.target, &letter).await
    }

    /// Returns what the directory has of a recipient: its support address, and the id of the
    /// connector of its domain.
    fn owner(
        &self,
        transaction: &Transaction,
        recipient: &Address,
    ) -> (Option<&SupportAddress>, Option<String>) {
        let account = transaction.account.as_ref();
        let account = account.and_then(|account| account.parse().ok());
        let owner = account.and_then(|id| self.accounts.directory.address(id, recipient));
        let connector = owner.and_then(|of| of.connector);
        (owner, connector.map(|id| id.to_string()))
    }

    /// Returns the transaction that an inbound message answers. The relay alone sets the field: as
    /// a message arrives, it removes what others have written there.
    fn thread(&self, transaction: &Transaction, message: &Message) -> Option<TransactionId> {
        if transaction.session.flow != Flow::Inbound {
            return None;
        }
        let field = &self.accounts.config.headers.in_reply_to_transaction.0;
        message.header(field.as_str())?.parse().ok()
    }

    /// Returns the way by which a message came to a recipient. Without facts about the message it
    /// is known only where they do not matter.
    fn arrival(&self, transaction: &Transaction, recipient: &Address, came: &Came) -> Arrival {
        let facts = came.authentication.as_ref();
        let session = &transaction.session;
        let account = transaction.account.as_deref();
        let to = account.and_then(
            |of| match came.by_target(&self.accounts.directory, recipient) {
                true => self.accounts.destination_by_target(of, recipient.as_str()),
                false => self.accounts.destination(of, recipient.as_str()),
            },
        );
        let user = session.user.as_deref();
        let signatures = facts.into_iter().flat_map(|facts| &facts.dkim);
        let spf = facts.map(|facts| &facts.spf.mailfrom);
        let arc = facts.map(|facts| &facts.arc);
        let way = arrival::of(&ArrivalFacts {
            flow: flow(session),
            client: session.client_ip(),
            credential: user.and_then(|user| self.accounts.credential(user)),
            to,
            author: facts.map_or("", |facts| &facts.dmarc.domain),
            signed: signatures
                .filter(|one| passes(one.result))
                .map(|one| one.domain.as_str())
                .collect(),
            sent: spf
                .filter(|spf| passes(spf.result) && transaction.reverse_path.address().is_some())
                .map(|spf| spf.domain.as_str()),
            sealed: arc
                .filter(|arc| passes(arc.result))
                .map(|arc| arc.sealer.as_str()),
        });
        match way {
            // It may have been forwarded, or by somebody known.
            Known::Direct | Known::UnknownForwarder if facts.is_none() => Arrival::Other,
            Known::Direct => Arrival::Direct,
            Known::Relayed => Arrival::Relayed,
            Known::PastRelay => Arrival::PastRelay,
            Known::Forwarded => Arrival::Forwarded,
            Known::UnknownForwarder => Arrival::UnknownForwarder,
            Known::Internal => Arrival::Internal,
            Known::Other => Arrival::Other,
        }
    }
}

impl Records {
    /// Returns the calls of policies that judged a message.
    async fn judgements(&self, id: TransactionId) -> Vec<Judgement> {
        match self.queue.show(id).await {
            Ok(record) => record.map(|record| record.judgements).unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%id, %error, "mail goes to the application without reasons");
                Vec::new()
            }
        }
    }

    /// Returns what the trace says of the way by which a message came.
    async fn came(&self, id: TransactionId) -> Came {
        let trace = Arc::clone(&self.trace);
        let events = tokio::task::spawn_blocking(move || trace.of(id)).await;
        let events = match events {
            Ok(Ok(events)) => events,
            Ok(Err(error)) => {
                tracing::warn!(%id, %error, "mail goes to the application without authentication");
                return Came::default();
            }
            Err(_) => return Came::default(),
        };
        let mut came = Came::default();
        for event in events {
            match event.kind {
                Kind::Authenticated { authentication } => {
                    came.authentication.get_or_insert(*authentication);
                }
                Kind::Recipient { address, reply } if reply.is_positive() => {
                    came.named.push(address);
                }
                _ => {}
            }
        }
        came
    }
}

/// Record of the way by which a message came.
#[derive(Debug, Default)]
struct Came {
    /// Facts that message authentication found.
    authentication: Option<Summary>,
    /// Recipients that were accepted, as the client named them.
    named: Vec<Address>,
}

impl Came {
    /// Returns true if the client named a recipient by its forwarding target.
    fn by_target(&self, directory: &View, recipient: &Address) -> bool {
        let mut targets = self
            .named
            .iter()
            .filter_map(|named| directory.target(named));
        targets.any(|of| {
            let ascii = of.address.to_ascii();
            ascii
                .as_ref()
                .unwrap_or(&of.address)
                .is_same_mailbox(recipient)
        })
    }
}

/// Returns the tags of a message with the policies that set them, and the reasons that they gave.
fn tags<'a>(claim: &'a Claim, judgements: &'a [Judgement]) -> Vec<TagWithReasons<'a>> {
    let mut tags = Vec::new();
    for tag in &claim.tags {
        let by = judgements
            .iter()
            .filter(|one| one.decision.tags.contains(tag));
        let known = by.map(|one| TagWithReasons {
            tag,
            policy: Some(&*one.policy),
            reasons: &one.decision.reasons,
        });
        let before = tags.len();
        tags.extend(known);
        if tags.len() == before {
            tags.push(TagWithReasons {
                tag,
                policy: None,
                reasons: &[],
            });
        }
    }
    tags
}

/// Returns the requester, as a policy put it into the field of this name.
fn requester(field: &FieldName, judgements: &[Judgement]) -> Option<String> {
    let mut edits = judgements.iter().flat_map(|one| &one.decision.edits);
    let written = edits.rfind(|edit| edit.name() == field)?;
    match written {
        Edit::Add { body, .. } | Edit::Set { body, .. } => {
            let text = body.as_str().trim();
            Some(text.trim_matches(['<', '>']).to_owned())
        }
        Edit::Remove { .. } => None,
    }
}

/// Reads the recipient in ORCPT, if it is an address.
fn address(original: &OriginalRecipient) -> Option<Address> {
    let mail = ["rfc822", "utf-8"];
    let is_mail = mail
        .iter()
        .any(|of| original.address_type.eq_ignore_ascii_case(of));
    let parsed = is_mail.then(|| Address::parse(&original.address));
    parsed?.ok()
}

fn passes(result: gatepost_authentication::Authentication) -> bool {
    result == gatepost_authentication::Authentication::Pass
}

fn flow(session: &Session) -> Way {
    match session.flow {
        Flow::Inbound => Way::Inbound,
        Flow::Submission => Way::Submission,
        Flow::Internal => Way::Internal,
    }
}

fn handed_over(outcome: Outcome) -> HandedOver {
    let reach = match outcome.reach() {
        Found::Works => Reach::Works,
        Found::Busy => Reach::Busy,
        Found::Down => Reach::Down,
        Found::Unknown => Reach::Unknown,
    };
    let detail = outcome.detail;
    let alarm = outcome.alarm.map(|cause: Cause| Alarm {
        advice: cause.to_string(),
        detail,
    });
    HandedOver {
        reply: outcome.reply,
        retry_after: outcome.retry_after,
        alarm,
        reach,
    }
}
