//! The router, which chooses each recipient's route, and the ways, which know what a route comes
//! to. The relay implements both: with its policies, and with its connections.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use gatepost_message::{Address, TransactionId};
use gatepost_model::{Destination, Judgement, Plan, Routing, Step};
use gatepost_smtp::Reply;
use gatepost_spool::{Claim, ClaimedRecipient};

use crate::target::Target;

/// Chooses the route of a recipient. The relay implements it with its chain of policies.
pub trait Router: Send + Sync + 'static {
    /// Returns the route of the message for this recipient; [`ClaimedRecipient::attempts`] is the
    /// number of earlier attempts. [`Routing::Pass`] means the default route.
    fn route<'a>(&'a self, message: &'a Claim, recipient: &'a ClaimedRecipient) -> Deciding<'a>;
}

/// Future of a routing decision.
pub type Deciding<'a> = Pin<Box<dyn Future<Output = Decided> + Send + 'a>>;

/// A routing decision, with the calls that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Route, or a reply. A reply of the wrong class (not 4xx in a deferral, not 5xx in a failure)
    /// is replaced by one of the right class.
    pub routing: Routing,
    /// Calls of policies that led to it, for the record.
    pub judgements: Vec<Judgement>,
}

/// Knows the ways out: what a step of a plan comes to, and how a destination is reached.
pub trait Ways: Send + Sync + 'static {
    /// Returns the plan of a recipient about which no policy has an opinion.
    ///
    /// # Errors
    /// A transient reply: there is no default route for this message.
    fn default_plan(&self, message: &Claim, recipient: &ClaimedRecipient) -> Result<Plan, Reply>;

    /// Returns the destination that a step comes to for this recipient, and the address in whose
    /// name the message leaves if the way demands one.
    ///
    /// # Errors
    /// A reply: no connection of that name or for that address, or the message may not go that way.
    fn destination(
        &self,
        message: &Claim,
        recipient: &ClaimedRecipient,
        step: &Step,
    ) -> Result<Led, Reply>;

    /// Asks at each attempt whether the message may go to this destination for this recipient, whatever
    /// plan led there, and however long ago.
    ///
    /// # Errors
    /// The reply for the recipient, which does not go there.
    fn may_reach(
        &self,
        _message: &Claim,
        _recipient: &ClaimedRecipient,
        _destination: &Destination,
    ) -> Result<(), Reply> {
        Ok(())
    }

    /// Returns a word for the versions that a route to this destination stands on: policies,
    /// configuration, the connection, the endpoint of the recipient's account. A stored route with
    /// another word is asked again.
    fn stamp(
        &self,
        message: &Claim,
        recipient: &ClaimedRecipient,
        destination: &Destination,
    ) -> String;

    /// Returns how long mail for a destination is tried, where that is not as in the settings.
    fn patience(&self, _destination: &Destination) -> Patience {
        Patience::default()
    }

    /// Returns the reply with which a message is held before its attempt: its account may not send
    /// now.
    fn held(&self, _message: &Claim) -> Option<Reply> {
        None
    }

    /// Releases a message that was held so, because its account may send again.
    fn release(&self, _message: TransactionId) {}

    /// Returns how the destination is reached now, for this message, which leaves in the name of
    /// `send_as` if there is one.
    ///
    /// # Errors
    /// A reply: the destination is no more, or the message may not go there.
    fn target(
        &self,
        message: &Claim,
        destination: &Destination,
        send_as: Option<&Address>,
    ) -> Result<Target, Reply>;

    /// Returns the address to which reports on this message come back, where the way has one of its
    /// own; `None` if the message leaves with its own reverse-path, or that of `send_as`. It is the
    /// same at each attempt.
    fn return_path(
        &self,
        _message: &Claim,
        _destination: &Destination,
        _send_as: Option<&Address>,
    ) -> Option<Address> {
        None
    }
}

/// Destination that a step leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Led {
    /// Destination.
    pub destination: Destination,
    /// Address in whose name the message leaves, in place of the plan's.
    pub send_as: Option<Address>,
}

impl From<Destination> for Led {
    fn from(destination: Destination) -> Self {
        Self {
            destination,
            send_as: None,
        }
    }
}

/// Time for which mail for a destination is tried. What is `None` is as in the settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patience {
    /// Waits between attempts; the last one repeats.
    pub retry: Option<Vec<Duration>>,
    /// Time after acceptance at which a recipient is given up.
    pub expiry: Option<Duration>,
    /// Time after acceptance at which the sender is told of the delay.
    pub delay_notice: Option<Duration>,
}
