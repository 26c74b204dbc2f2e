//! What the policies look counts and marks up in: the spool's memory.

use std::sync::Arc;

use gatepost_message::Millis;
use gatepost_policy::{Effect, Memory, Scope};
use gatepost_spool::Spool;

/// The spool's memory as the policies see it.
#[derive(Clone)]
pub struct SpoolMemory(pub Arc<dyn Spool>);

impl Memory for SpoolMemory {
    fn counted(&self, scope: &Scope, key: &str, seconds: u32, now: Millis) -> u64 {
        self.0.counted(&to_spool(scope), key, seconds, now)
    }

    fn seen(&self, scope: &Scope, key: &str, now: Millis) -> bool {
        self.0.seen(&to_spool(scope), key, now)
    }
}

/// Effects in the spool's terms.
pub fn effects(effects: Vec<(Scope, Effect)>) -> Vec<(gatepost_spool::Scope, Effect)> {
    let effects = effects.into_iter();
    effects
        .map(|(scope, effect)| (to_spool(&scope), effect))
        .collect()
}

fn to_spool(Scope { policy, account }: &Scope) -> gatepost_spool::Scope {
    gatepost_spool::Scope {
        policy: policy.clone(),
        account: account.clone(),
    }
}
