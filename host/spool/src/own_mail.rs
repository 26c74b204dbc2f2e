//! Mail that the relay itself writes, in the form for the queue.

use bytes::Bytes;
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId};
use gatepost_model::{Flow, Session, Transaction, Transport};
use gatepost_smtp::dsn;

use crate::{InitialState, Ledger, NewBody, NewMessage, NewRecipient, SenderProof};

/// Mail that the relay itself writes to one recipient: a notice, a letter or a probe. No policy sees
/// it before it is queued.
#[derive(Debug, Clone)]
pub struct OwnMail {
    /// Id of its transaction.
    pub id: TransactionId,
    /// Name that stands in the place of a listener.
    pub listener: String,
    /// Account that it belongs to.
    pub account: Option<String>,
    /// Reverse-path.
    pub reverse_path: ReversePath,
    /// Recipient.
    pub to: Address,
    /// The message: header section and body.
    pub message: Bytes,
    /// Time of writing, at which it is due.
    pub now: Millis,
    /// Time at which delivery gives up.
    pub expires_at: Millis,
}

impl OwnMail {
    /// Returns the mail for the queue: without tags and effects, with an unproved sender, and with no
    /// wish for notifications.
    pub fn queued(self) -> NewMessage {
        let head = Message::from_bytes(self.message.clone()).head().clone();
        let body = self.message.slice(head.len()..);
        // Only its own addresses can need it: everything else is encoded if it is not ASCII.
        let sender = self.reverse_path.address();
        let smtputf8 = !(self.to.is_ascii() && sender.is_none_or(Address::is_ascii));
        NewMessage {
            recipients: vec![NewRecipient {
                address: self.to.clone(),
                dsn: dsn::RecipientRequest::default(),
                state: InitialState::Queued {
                    next_attempt: self.now,
                },
            }],
            transaction: Transaction {
                id: self.id,
                time: self.now,
                session: Session {
                    listener: self.listener,
                    flow: Flow::Internal,
                    transport: Transport::Own,
                    client: None,
                    helo: None,
                    tls: None,
                    user: None,
                },
                account: self.account,
                reverse_path: self.reverse_path,
                recipients: vec![self.to],
            },
            smtputf8,
            dsn: dsn::MessageRequest::default(),
            sender: SenderProof::Unproved,
            head,
            body: NewBody::Inline(body),
            tags: Vec::new(),
            classification: None,
            judgements: Vec::new(),
            effects: Vec::new(),
            metadata: None,
            ledger: Ledger::default(),
            quarantine: None,
            received_at: self.now,
            expires_at: self.expires_at,
        }
    }

    /// Returns the same for mail of which its sender is never to be notified (RFC 3461 section 4.1).
    pub fn queued_without_notices(self) -> NewMessage {
        let mut queued = self.queued();
        for recipient in &mut queued.recipients {
            recipient.dsn.notify = Some(dsn::Notify::NEVER);
        }
        queued
    }
}
