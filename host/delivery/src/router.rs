//! The router, which chooses each recipient's next hop before an attempt; the relay's policies
//! implement it.

use std::future::Future;
use std::pin::Pin;

use gatepost_model::{Judgement, Routing};
use gatepost_spool::{Claim, ClaimedRecipient};

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
