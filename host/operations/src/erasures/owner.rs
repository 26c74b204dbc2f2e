//! TransactionOwner of a transaction, as an event of the trace shows it.

use std::sync::Arc;

use gatepost_directory::{AccountId, View};
use gatepost_intake::http_submission::HttpProgram;
use gatepost_message::Address;
use gatepost_model::{Destination, Flow, Session};
use gatepost_trace::{Kind, TraceOwner};

/// Account that is erased, with all accounts as they were when that began.
pub(crate) struct TransactionOwner {
    view: Arc<View>,
    account: AccountId,
}

impl TransactionOwner {
    pub(crate) fn new(view: Arc<View>, account: AccountId) -> Self {
        Self { view, account }
    }

    /// Returns what an event shows of the owner of its transaction, if it shows anything.
    pub(crate) fn of(&self, kind: &Kind) -> Option<TraceOwner> {
        match kind {
            Kind::Begun { session } => self.of_session(session),
            Kind::Recipient { address, reply } => self.of_recipient(address, reply.is_positive()),
            Kind::Queued { recipients } => recipients.iter().find_map(|to| self.of_queued(to)),
            Kind::Attempt {
                address,
                destination,
                ..
            } => match destination {
                Some(Destination::Connection {
                    account: Some(account),
                    ..
                }) => Some(self.is(account.parse().ok())),
                _ => self.of_queued(address),
            },
            _ => None,
        }
    }

    /// A submission belongs to the account of its user; others are known by their recipients.
    fn of_session(&self, session: &Session) -> Option<TraceOwner> {
        if session.flow != Flow::Submission {
            return None;
        }
        let user = session.user.as_deref();
        // Over HTTP the user is a program, named with its account.
        if let Some(program) = user.and_then(HttpProgram::parse) {
            return Some(self.is(program.account.parse().ok()));
        }
        let known = user.and_then(|user| self.view.credential(user));
        Some(self.is(known.map(|known| known.credential.account)))
    }

    /// A recipient that was taken is of the account of the transaction; one that was refused may have
    /// been named beside those of another account.
    fn of_recipient(&self, address: &Address, was_taken: bool) -> Option<TraceOwner> {
        let owner = self.is(self.owner(address));
        match (owner, was_taken) {
            (owner, true) => Some(owner),
            (TraceOwner::Erased, false) => Some(TraceOwner::PerhapsErased),
            _ => None,
        }
    }

    /// Returns the owner of mail to an address that the relay itself may have written: a notice to a
    /// sender, or to an administrator.
    fn of_queued(&self, address: &Address) -> Option<TraceOwner> {
        let owner = self.owner(address);
        let mut administrators = self.view.administrators(self.account).iter();
        let mut administers = || administrators.any(|of| of.address.is_same_mailbox(address));
        match owner {
            Some(_) => Some(self.is(owner)),
            None => administers().then_some(TraceOwner::PerhapsErased),
        }
    }

    /// Returns the account that has the domain of an address.
    fn owner(&self, address: &Address) -> Option<AccountId> {
        let domain = address.domain();
        let of_domain = self.view.domain(domain).map(|of| of.account);
        of_domain.or_else(|| {
            let connector = self.view.connector_of_return_path(domain)?;
            Some(self.view.find_connector(connector)?.claim.account)
        })
    }

    fn is(&self, owner: Option<AccountId>) -> TraceOwner {
        match owner == Some(self.account) {
            true => TraceOwner::Erased,
            false => TraceOwner::Other,
        }
    }
}
