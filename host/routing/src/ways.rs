//! The ways out of this relay: what a step of a plan comes to, and how it is reached.

use std::hash::Hasher as _;
use std::sync::Arc;

use fnv::FnvHasher;
use gatepost_delivery::{ServerTarget, Target};
use gatepost_intake::active_config::SharedConfig;
use gatepost_model::{Destination, Plan, Step, Way};
use gatepost_policy_set::Policies;
use gatepost_smtp::Reply;
use gatepost_spool::{Claim, ClaimedRecipient};

/// The ways of the active configuration.
pub struct Ways {
    /// Chains of the listeners.
    pub policies: Arc<Policies>,
    /// Active configuration, read at each attempt.
    pub active: Arc<SharedConfig>,
}

impl gatepost_delivery::Ways for Ways {
    fn default_plan(&self, _: &Claim, _: &ClaimedRecipient) -> Result<Plan, Reply> {
        let config = Arc::clone(&self.active.load().config);
        let route = config.delivery.default_route.clone();
        // RFC 3463: X.4.4, unable to route.
        let route = route.ok_or_else(|| Reply::new(451, "4.4.4", "no route"))?;
        Ok(route.into())
    }

    fn destination(
        &self,
        _: &Claim,
        _: &ClaimedRecipient,
        step: &Step,
    ) -> Result<Destination, Reply> {
        let egress = step.egress.clone();
        match &step.way {
            Way::NextHop(hop) => Ok(Destination::NextHop {
                hop: hop.clone(),
                egress,
            }),
            other => Err(no_such_way(other)),
        }
    }

    fn stamp(&self, message: &Claim, _: &Destination) -> String {
        let mut hash = FnvHasher::default();
        let chain = (self.policies).chain(&message.transaction.session.listener);
        for slot in chain.slots() {
            hash.write(slot.current().digest().as_bytes());
        }
        let config = Arc::clone(&self.active.load().config);
        hash.write(format!("{:?}", config.delivery.default_route).as_bytes());
        format!("{:016x}", hash.finish())
    }

    fn target(&self, _: &Claim, destination: &Destination) -> Result<Target, Reply> {
        match destination {
            Destination::NextHop { hop, .. } => Ok(Target::Server(ServerTarget::from(hop.clone()))),
            other => Err(no_such_way(other)),
        }
    }
}

/// Makes the reply for a way that is not configured (RFC 3463: X.3.5, system incorrectly
/// configured).
fn no_such_way(way: &dyn std::fmt::Display) -> Reply {
    Reply::new(451, "4.3.5", format!("the relay has no way {way}"))
}
