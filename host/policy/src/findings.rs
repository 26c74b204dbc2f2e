//! The findings of a transaction so far: the judgements of its policies, folded from hook to hook.

use std::collections::{HashMap, HashSet};

use gatepost_message::{Address, Edit, FieldName};
use gatepost_model::{Classification, Decision, Effect, Judgement, RecipientVerdict, Scope};

use crate::reserved::Reserved;

/// Number of dropped edits of one decision that are put on record one by one.
const MAX_DROPPED: usize = 20;

/// Findings of the policies, gathered from hook to hook. The transaction's budget bounds them.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Judgements of all calls, in order.
    pub judgements: Vec<Judgement>,
    /// Changes to the header section that are still to be made, of the hooks before the end of
    /// data.
    pub edits: Vec<Edit>,
    /// Fields that no later policy may change.
    pub protected: HashSet<FieldName>,
    /// Fields that no policy may change, because only the relay writes them.
    pub reserved: Reserved,
    /// Verdicts on single recipients; the first on each holds.
    pub recipients: HashMap<Address, RecipientVerdict>,
    /// Effects to store once the message is accepted, each with its scope.
    pub effects: Vec<(Scope, Effect)>,
    /// Tags to put on the message, each once.
    pub tags: Vec<String>,
    /// True if the submitter is to be told which recipients were suppressed.
    pub report_suppressed: bool,
    /// Class of the message; the last one that a policy gave.
    pub classification: Option<Classification>,
}

impl Findings {
    /// Makes empty findings that drop edits of reserved fields from the first hook on.
    pub fn reserving(reserved: Reserved) -> Self {
        Self {
            reserved,
            ..Self::default()
        }
    }

    /// Adds the judgements of a hook; the transaction belonged to `account` when it was called.
    pub fn add(&mut self, judgements: Vec<Judgement>, account: Option<&str>) {
        for judgement in judgements {
            self.fold(judgement, account);
        }
    }

    /// Adds judgements for the record only, because the command was refused.
    pub fn note(&mut self, judgements: Vec<Judgement>) {
        self.judgements.extend(judgements);
    }

    /// Folds one judgement in. Its edits go behind those that are still to be made.
    pub(crate) fn fold(&mut self, mut judgement: Judgement, account: Option<&str>) {
        self.protect(&mut judgement.decision);
        let scope = Scope {
            policy: judgement.policy.clone(),
            account: account.map(str::to_owned),
        };
        let decision = &judgement.decision;
        let effects = decision.effects.iter().cloned();
        self.effects
            .extend(effects.map(|effect| (scope.clone(), effect)));
        self.edits.extend_from_slice(&decision.edits);
        for (recipient, verdict) in &decision.recipients {
            if !self.recipients.contains_key(recipient) {
                self.recipients.insert(recipient.clone(), verdict.clone());
            }
        }
        for tag in &decision.tags {
            // This search is short: the budget bounds the tags.
            if !self.tags.contains(tag) {
                self.tags.push(tag.clone());
            }
        }
        self.report_suppressed |= decision.report_suppressed;
        self.classification = decision.classification.or(self.classification);
        self.judgements.push(judgement);
    }

    /// Drops the edits of a decision that touch fields of the relay, or fields that an earlier
    /// policy protected, and records the drops. Then adds the fields that this decision protects.
    fn protect(&mut self, decision: &mut Decision) {
        let Decision {
            edits,
            dropped,
            protected,
            ..
        } = decision;
        let before = edits.len();
        edits.retain(|edit| {
            let protected = || {
                let broken = self.protected.contains(edit.name());
                broken.then_some("the field is protected")
            };
            let why = self.reserved.forbids(edit).or_else(protected);
            if let Some(why) = why.filter(|_| dropped.len() < MAX_DROPPED) {
                let name = edit.name().as_str();
                dropped.push(format!("edit of {name} dropped: {why}"));
            }
            why.is_none()
        });
        let unrecorded = (before - edits.len()).saturating_sub(MAX_DROPPED);
        if unrecorded > 0 {
            dropped.push(format!(
                "{unrecorded} more edits dropped: the fields are protected or the relay's own"
            ));
        }
        self.protected.extend(protected.iter().cloned());
    }

    /// Drops the edits of the hooks before the end of data, and records that.
    pub(crate) fn drop_edits(&mut self, why: &str) {
        let edits = std::mem::take(&mut self.edits);
        if let Some(last) = self.judgements.last_mut() {
            let dropped = format!("{} edits of earlier hooks dropped: {why}", edits.len());
            last.decision.dropped.push(dropped);
        }
    }
}

#[cfg(test)]
mod tests {
    use gatepost_message::FieldBody;

    use super::*;
    use gatepost_model::Verdict;

    fn judgement(decision: Decision) -> Judgement {
        Judgement {
            policy: "p".into(),
            digest: "d".into(),
            hook: "recipient".into(),
            verdict: Verdict::Pass,
            routing: None,
            decision,
            micros: 0,
            error: None,
        }
    }

    fn edit(name: &str) -> Edit {
        Edit::Add {
            name: FieldName::new(name).unwrap(),
            body: FieldBody::new("x").unwrap(),
        }
    }

    #[test]
    fn the_first_judgement_of_a_recipient_and_the_last_class_hold() {
        let mut findings = Findings::default();
        let to: Address = "a@b.example".parse().unwrap();
        for reason in ["first", "second"] {
            let decision = Decision {
                recipients: vec![(to.clone(), RecipientVerdict::Suppress(reason.into()))],
                tags: vec!["tag".into()],
                ..Decision::default()
            };
            findings.add(vec![judgement(decision)], None);
        }
        let held = RecipientVerdict::Suppress("first".into());
        assert_eq!(findings.recipients[&to], held);
        assert_eq!(findings.tags, ["tag"]);
        assert_eq!(findings.judgements.len(), 2);
    }

    #[test]
    fn edits_of_a_protected_field_are_dropped_in_any_case() {
        let mut findings = Findings::default();
        let protects = Decision {
            protected: vec![FieldName::new("Subject").unwrap()],
            ..Decision::default()
        };
        let edits = Decision {
            edits: (0..30)
                .map(|_| edit("SUBJECT"))
                .chain([edit("X-New")])
                .collect(),
            ..Decision::default()
        };
        findings.add(vec![judgement(protects), judgement(edits)], None);
        assert_eq!(findings.edits, [edit("X-New")]);
        let dropped = &findings.judgements[1].decision.dropped;
        assert_eq!(dropped.len(), MAX_DROPPED + 1, "{dropped:?}");
    }
}
