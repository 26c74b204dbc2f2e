//! Probes on their way out.

use std::time::Duration;

use gatepost_directory::{
    Account, AccountId, AddressDetails, Claim, ConnectorKind, DirectoryError, Probe, ProbeId,
    ProbeKind, SupportAddress, Verification, View,
};
use gatepost_message::{Address, Domain, Message, Millis, ReversePath, TransactionId};
use gatepost_spool::{NewMessage, OwnMail, SenderProof, SpoolError};
use gatepost_verification::{
    Language, ProbeMarks, ProbePlan, ProbeToken, ReturnWay, SentProbe, VerificationFailure, compose,
};

use crate::record::{ProbeRecord, token_id};
use crate::settle::ProbeFinding;
use crate::{LISTENER, Probes, directions, tokens};

/// Order to send a probe.
#[derive(Debug, Clone)]
pub struct ProbeOrder {
    /// Account of the address.
    pub account: AccountId,
    /// Support address in a connected domain.
    pub address: Address,
    /// Way that the probe takes.
    pub kind: ProbeKind,
    /// True if the relay sends it on its schedule, and no person asked for it.
    pub is_scheduled: bool,
}

/// Error of sending a probe.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The account has no such address in a connected domain.
    #[error("{0} is no support address in a connected domain of the account")]
    NoAddress(Address),
    /// There is no key for tokens.
    #[error("the key ring has no key for the tokens of probes")]
    NoKey,
    /// The directory failed.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The queue does not take the message.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl Probes {
    /// Sends a probe. The one of the same kind that is on its way for the address is waited for no
    /// more.
    ///
    /// # Errors
    /// The account has no such address in a connected domain, or a store failed.
    pub async fn send(&self, order: ProbeOrder) -> Result<ProbeId, ProbeError> {
        let view = self.stores.directory.view();
        let id = ProbeId::random()?;
        let token = token_id(&id).and_then(|id| tokens(&view).issue(id));
        let token = token.ok_or(ProbeError::NoKey)?;
        let letter = ProbeLetter::of(&view, &order, &token, self.settings().wait);
        let letter = letter.ok_or_else(|| ProbeError::NoAddress(order.address.clone()))?;
        let ProbeLetter { now, deadline, .. } = letter;
        let record = ProbeRecord {
            sent: letter.sent.clone(),
            accepted: None,
            last: None,
            is_scheduled: order.is_scheduled,
        };
        let mut probe = Probe {
            id: id.clone(),
            account: order.account,
            address: order.address.clone(),
            kind: order.kind,
            sent: now,
            expires: deadline,
            transaction: Some(letter.transaction.to_string()),
            record: serde_json::Value::Null,
        };
        record.put(&mut probe);
        let kind = order.kind;
        let set_pending = move |details: &mut AddressDetails| pending(details, kind, now);
        self.change(move |directory| directory.begin_probe(probe, set_pending))
            .await?;
        let transaction = letter.transaction;
        let before = letter.before.clone();
        if let Err(error) = self.stores.queue.accept(letter.queued(&order)).await {
            let taken = id.clone();
            let set_back = move |details: &mut AddressDetails| {
                for direction in directions(kind) {
                    *direction.state_mut(details) = direction.state(&before).clone();
                }
            };
            self.change(move |directory| {
                directory.settle_probe(&taken, |_, details| {
                    set_back(details);
                    None
                })
            })
            .await?;
            return Err(error.into());
        }
        tracing::info!(
            probe = %id,
            id = %transaction,
            address = %order.address,
            kind = kind.word(),
            "probe queued"
        );
        Ok(id)
    }
}

impl Probes {
    /// Records that the customer's smart host does not take a probe, before one is sent.
    ///
    /// # Errors
    /// The account has no such address, or the directory failed.
    pub async fn refused(
        &self,
        order: &ProbeOrder,
        failure: VerificationFailure,
    ) -> Result<(), DirectoryError> {
        let now = Millis::now();
        let probe = Probe {
            id: ProbeId::random()?,
            account: order.account,
            address: order.address.clone(),
            kind: order.kind,
            sent: now,
            // It ends before that.
            expires: now + self.settings().wait,
            transaction: None,
            record: serde_json::Value::Null,
        };
        let id = probe.id.clone();
        let kind = order.kind;
        let set_pending = move |details: &mut AddressDetails| pending(details, kind, now);
        self.change(move |directory| directory.begin_probe(probe, set_pending))
            .await?;
        self.settle(&id, ProbeFinding::lost(failure, true)).await?;
        Ok(())
    }
}

/// Sets the directions that a probe is to prove to pending. What is verified stays so until a probe
/// says otherwise.
fn pending(details: &mut AddressDetails, kind: ProbeKind, since: Millis) {
    for direction in directions(kind) {
        let state = direction.state_mut(details);
        if !state.is_verified() {
            *state = Verification::Pending { since };
        }
    }
}

/// Message of a probe with its envelope.
struct ProbeLetter {
    transaction: TransactionId,
    message: Message,
    /// Reverse-path, by which the relay knows the way out.
    sender: Address,
    to: Address,
    sent: SentProbe,
    /// Data that is kept of the address before the probe.
    before: AddressDetails,
    now: Millis,
    deadline: Millis,
}

impl ProbeLetter {
    /// Writes the message; `None` if the account has no such address in a connected domain.
    fn of(view: &View, order: &ProbeOrder, token: &ProbeToken, wait: Duration) -> Option<Self> {
        let account = view.account(order.account)?;
        let address = view.address(order.account, &order.address)?;
        let claim = &view.connector(order.account, address.connector?)?.claim;
        let Ends {
            sender,
            from,
            to,
            returns_to,
        } = Ends::of(
            account,
            (address, view.target_of(address)),
            claim,
            order.kind,
            token,
        )?;
        let transaction = TransactionId::new();
        let now = Millis::now();
        let deadline = now + wait;
        let product = account.profile.product.as_str();
        let id = account.id.to_string();
        let marks = ProbeMarks::standard(product, &id, &view.email_id(transaction));
        let plan = ProbePlan {
            kind: in_message(order.kind),
            token,
            from: &from,
            to: &to,
            address: &address.address,
            domain: &account.profile.native_domain,
            product,
            marks: &marks,
            language: language(view, account),
            at: now,
        };
        let message = compose(&plan);
        let way = way(order.kind, claim.kind, &claim.domain);
        Some(Self {
            sent: SentProbe::of(&plan, &message, returns_to, way, deadline),
            before: address.details.clone(),
            transaction,
            message,
            sender,
            to,
            now,
            deadline,
        })
    }

    /// Returns the message in the form for the queue. Nobody here is told what becomes of it; a
    /// server that does not deliver it is to say so.
    fn queued(self, order: &ProbeOrder) -> NewMessage {
        let queued = OwnMail {
            id: self.transaction,
            listener: LISTENER.to_owned(),
            account: Some(order.account.to_string()),
            reverse_path: ReversePath::Address(self.sender),
            to: self.to,
            // In memory, so that it can be read.
            message: self.message.to_bytes().unwrap_or_default(),
            now: self.now,
            expires_at: self.deadline,
        };
        NewMessage {
            sender: SenderProof::Authenticated,
            ..queued.queued()
        }
    }
}

/// Addresses of a probe.
struct Ends {
    /// Reverse-path.
    sender: Address,
    /// Author.
    from: Address,
    /// Recipient.
    to: Address,
    /// Recipient at which it has to come back.
    returns_to: Address,
}

impl Ends {
    /// Returns the addresses: a probe comes back to its own mailbox in the native domain, or as mail
    /// for the support address does.
    fn of(
        account: &Account,
        (address, target): (&SupportAddress, Option<Address>),
        claim: &Claim,
        kind: ProbeKind,
        token: &ProbeToken,
    ) -> Option<Self> {
        let native = &account.profile.native_domain;
        let at_native =
            |local: &str| Address::parse(&format!("{local}@{}", native.as_ascii())).ok();
        let mailbox = token.return_path(native)?;
        let own = address.address.clone();
        let target = target.filter(|_| claim.kind != ConnectorKind::TwoWay);
        let comes_in_at = target.unwrap_or_else(|| own.clone());
        Some(match kind {
            ProbeKind::Inbound => Self {
                sender: mailbox,
                from: at_native("postmaster")?,
                to: own,
                returns_to: comes_in_at,
            },
            ProbeKind::Outbound => Self {
                sender: own.clone(),
                from: own,
                to: mailbox.clone(),
                returns_to: mailbox,
            },
            ProbeKind::Circuit => Self {
                sender: own.clone(),
                from: own.clone(),
                to: own,
                returns_to: comes_in_at,
            },
        })
    }
}

/// Returns the kind of a probe as its message has it.
fn in_message(kind: ProbeKind) -> gatepost_verification::ProbeKind {
    use gatepost_verification::ProbeKind as InMessage;
    match kind {
        ProbeKind::Inbound => InMessage::Inbound,
        ProbeKind::Outbound => InMessage::Outbound,
        ProbeKind::Circuit => InMessage::Circuit,
    }
}

/// Returns the way by which a probe has to come back.
fn way(kind: ProbeKind, connector: ConnectorKind, domain: &Domain) -> ReturnWay {
    match (kind, connector) {
        (ProbeKind::Outbound, _) => ReturnWay::Delivered,
        (_, ConnectorKind::TwoWay) => ReturnWay::Session(domain.clone()),
        (_, ConnectorKind::OutboundOnly | ConnectorKind::Forwarded) => ReturnWay::Forwarded,
    }
}

/// Returns the language of the account's first administrator.
fn language(view: &View, account: &Account) -> Language {
    let first = view.administrators(account.id).first();
    let language = first.and_then(|of| of.language.parse().ok());
    language.unwrap_or_default()
}
