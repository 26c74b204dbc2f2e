//! Findings of the connect hooks, which go with each transaction of a session.

use gatepost_config::Config;
use gatepost_message::Millis;
use gatepost_model::{Judgement, Session};
use gatepost_policy::{Findings, Pinned};
use gatepost_smtp::Reply;

use super::admission;
use crate::edits::verdict_fields;

/// A client, judged by the connect hooks.
#[derive(Debug, Clone)]
pub struct Connection {
    findings: Findings,
    /// True once the effects were committed with a message.
    remembered: bool,
}

impl Connection {
    /// Returns the state before any hook was asked. Fields that only the relay writes are reserved
    /// from then on.
    pub fn new(config: &Config) -> Self {
        Self {
            findings: Findings::reserving(verdict_fields::reserved(config)),
            remembered: false,
        }
    }

    /// Asks the connect hooks, whose earlier findings are dropped. Returns the reply that refuses
    /// the client, if any.
    pub async fn ask(
        &mut self,
        config: &Config,
        policies: &Pinned,
        session: &Session,
        now: Millis,
    ) -> Option<Reply> {
        let admission = admission::connect(policies, session, now).await;
        self.findings = Findings::reserving(verdict_fields::reserved(config));
        let refusal = admission.add_to(&mut self.findings, None);
        if self.remembered {
            self.findings.effects.clear();
        }
        refusal
    }

    /// Returns true if these policies are the versions that were asked, and let the client in. A
    /// refusal holds for one transaction: the next asks again.
    pub fn is_judged_by(&self, policies: &Pinned) -> bool {
        let versions = policies.versions();
        self.findings.judgements.iter().all(|judgement| {
            let mut versions = versions.iter();
            let active = versions.any(|version| {
                version.name() == judgement.policy && version.digest() == judgement.digest
            });
            active && !judgement.verdict.stops_chain()
        })
    }

    /// Drops the effects, which a message has carried to the disk: once is enough.
    pub fn effects_committed(&mut self) {
        self.findings.effects.clear();
        self.remembered = true;
    }

    /// Returns the calls of the connect hooks.
    pub fn judgements(&self) -> &[Judgement] {
        &self.findings.judgements
    }

    /// Returns the findings with which a transaction begins.
    pub(super) fn findings(&self) -> Findings {
        self.findings.clone()
    }
}
