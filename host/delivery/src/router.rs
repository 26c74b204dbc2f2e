//! Where a recipient's message goes: asked before each attempt, answered by the relay's policies.

use std::future::Future;
use std::pin::Pin;

use gatepost_model::{Judgement, Routing};
use gatepost_spool::{Claim, ClaimedRecipient};

/// Says where to take a message. The relay implements it with its chain of policies.
pub trait Router: Send + Sync + 'static {
    /// Where to take the message for this recipient; [`ClaimedRecipient::attempts`] tells how many
    /// attempts there were before. [`Routing::Pass`] means the default route.
    fn route<'a>(&'a self, message: &'a Claim, recipient: &'a ClaimedRecipient) -> Deciding<'a>;
}

/// A decision on its way.
pub type Deciding<'a> = Pin<Box<dyn Future<Output = Decided> + Send + 'a>>;

/// What was decided, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What is to be done. A reply of the wrong class (not 4xx in a deferral, not 5xx in a
    /// failure) is replaced by one of the right class.
    pub routing: Routing,
    /// The calls that led to it, for the record.
    pub judgements: Vec<Judgement>,
}
