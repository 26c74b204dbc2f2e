//! The way by which the mail of an author leaves, and the address in whose name.
//!
//! An author in a connected domain leaves in their own name by a way that is proved: through the
//! connection of the address once a verification has passed, and by the default route where DKIM or
//! SPF proves the domain there. By any other way the mail leaves by the default route, from the
//! default address. Where the operator vouches for the way out, nothing is asked but what the policy
//! of the domain demands.

use gatepost_directory::{AccountId, ConnectorState, OutboundWay, View};
use gatepost_intake::edits::host_rules;
use gatepost_message::{Address, Message};
use gatepost_model::{Flow, Transaction};
use gatepost_smtp::Reply;

/// Author of a submission in a connected domain, with the way by which their mail leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SenderWay {
    /// Account that has submitted the message.
    pub(crate) account: AccountId,
    /// Author; of several, the one with the least proved way.
    pub(crate) author: Address,
    /// Way.
    pub(crate) way: OutboundWay,
    default: Option<Address>,
}

impl SenderWay {
    /// Returns the way of a message; `None` if it leaves as it is: it is no submission of an account
    /// of the directory, or nothing is asked of the domains of its authors.
    pub(crate) fn of(view: &View, transaction: &Transaction, message: &Message) -> Option<Self> {
        if transaction.session.flow != Flow::Submission || transaction.session.is_own() {
            return None;
        }
        let account: AccountId = transaction.account.as_deref()?.parse().ok()?;
        let mut connectors = view.connectors(account).iter();
        // Most accounts ask for nothing: their messages are not read here.
        connectors.find(|of| of.details.verifies || of.state == ConnectorState::Disconnected)?;
        let authors = host_rules::authors(message).ok()?.into_iter();
        let ways = authors.filter_map(|author| {
            let way = view.outbound_way(account, &author)?;
            Some((author, way))
        });
        let (author, way) = ways.max_by_key(|(_, way)| match way {
            OutboundWay::Vouched => 0,
            OutboundWay::Connection => 1,
            OutboundWay::DefaultRoute => 2,
            OutboundWay::FromDefault(_) => 3,
        })?;
        Some(Self {
            account,
            default: view.default_address(account, &author).cloned(),
            author,
            way,
        })
    }

    /// Returns the address in whose name the message leaves if it does not in its own.
    ///
    /// # Errors
    /// A reply with which the message waits: the account has no default address.
    pub(crate) fn default(&self) -> Result<Address, Reply> {
        self.default.clone().ok_or_else(|| {
            let text = format!(
                "not sent as {}: no way out is proved for it, and the account has no default \
                 address to leave from; `gatepost account set-default-address` names one",
                self.author
            );
            Reply::new(451, "4.7.1", text)
        })
    }

    /// Returns true if a message left from the default address because of its way.
    pub(crate) fn left_from_default(&self, sent_as: Option<&Address>) -> bool {
        sent_as.is_some() && sent_as == self.default.as_ref()
    }
}
