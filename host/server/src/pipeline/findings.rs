//! What policies have said of a transaction so far.

use gatepost_message::{Address, Edit};
use gatepost_policy::{Classification, Effect, Judgement, Protected, RecipientVerdict, Scope};
use gatepost_smtp::Reply;

use super::admission::Admission;
use crate::config::Config;
use crate::verdict_fields;

/// What policies have said, gathered from hook to hook.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Every call, in order.
    pub judgements: Vec<Judgement>,
    /// Changes to the header section, those of the message hook included.
    pub edits: Vec<Edit>,
    /// Fields that no later policy may change.
    pub protected: Protected,
    /// Recipients judged apart; the first judgement of each holds.
    pub recipients: Vec<(Address, RecipientVerdict)>,
    /// What to remember once the message is accepted, and for whom.
    pub effects: Vec<(Scope, Effect)>,
    /// Tags to put on the message, each once.
    pub tags: Vec<String>,
    /// The submitter is to hear who was suppressed.
    pub report_suppressed: bool,
    /// What kind of message it is; the last word counts.
    pub classification: Option<Classification>,
}

impl Findings {
    /// None yet. What only the relay writes is no policy's to edit from the first hook on.
    pub fn new(config: &Config) -> Self {
        Self {
            protected: Protected::default().reserving(verdict_fields::reserved(config)),
            ..Self::default()
        }
    }

    /// Adds what was said of a client, a sender or a recipient, and gives the refusal, if it is
    /// one: what a policy wanted to happen happens only where the answer was yes.
    pub fn take(&mut self, admission: Admission, account: Option<&str>) -> Option<Reply> {
        let Admission {
            refusal,
            judgements,
        } = admission;
        match refusal {
            Some(_) => self.judgements.extend(judgements),
            None => self.add(judgements, account),
        }
        refusal
    }

    /// Adds the calls of a hook, made while the transaction belonged to `account`.
    pub(super) fn add(&mut self, judgements: Vec<Judgement>, account: Option<&str>) {
        for mut judgement in judgements {
            self.protected.apply(&mut judgement.decision);
            let scope = Scope {
                policy: judgement.policy.clone(),
                account: account.map(str::to_owned),
            };
            let decision = &judgement.decision;
            let effects = decision.effects.iter().cloned();
            self.effects
                .extend(effects.map(|effect| (scope.clone(), effect)));
            self.edits.extend_from_slice(&decision.edits);
            self.recipients.extend_from_slice(&decision.recipients);
            for tag in &decision.tags {
                if !self.tags.contains(tag) {
                    self.tags.push(tag.clone());
                }
            }
            self.report_suppressed |= decision.report_suppressed;
            self.classification = decision.classification.or(self.classification);
            self.judgements.push(judgement);
        }
    }
}
