//! Required, forbidden and protected headers.
//!
//! Each rule of the settings names a header and says what becomes of it: `require` it (and add it
//! with a value, or refuse the message that lacks it), `set` it, `forbid` it (refuse), `strip` it
//! (remove silently). A rule can also `protect` its header, so that no later policy of the chain
//! may change what is there now; the relay itself enforces that.
//!
//! Rules can be kept to one flow. By default there is one: nothing is required, and nothing is
//! changed.

mod settings;

pub use settings::{Action, Direction, Rule, Settings};

use gatepost_sdk::{Decision, Facts, Flow, Message, Policy, Transaction, Verdict};

/// The policy.
pub struct HeaderGuard {
    rules: Vec<Rule>,
}

impl Policy for HeaderGuard {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let problems = settings.problems();
        if problems.is_empty() {
            Ok(Self {
                rules: settings.rules,
            })
        } else {
            Err(problems)
        }
    }

    fn message(
        &self,
        transaction: &Transaction,
        message: &dyn Message,
        _: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        // Refusals first: a message that is refused is not edited.
        for rule in self.rules_for(transaction) {
            let present = message.count(&rule.header) > 0;
            match &rule.action {
                Action::Forbid if present => {
                    decision.reason(format!("{} is forbidden here", rule.header));
                    return refused(format!("The header {} is not allowed here", rule.header));
                }
                Action::Require { value: None } if !present => {
                    decision.reason(format!("{} is required and missing", rule.header));
                    return refused(format!(
                        "The header {} is required and missing",
                        rule.header
                    ));
                }
                _ => {}
            }
        }
        for rule in self.rules_for(transaction) {
            apply(rule, message, decision);
        }
        Verdict::Pass
    }
}

impl HeaderGuard {
    fn rules_for(&self, transaction: &Transaction) -> impl Iterator<Item = &Rule> {
        let flow = transaction.session.flow;
        self.rules.iter().filter(move |rule| match rule.direction {
            Direction::Both => true,
            Direction::Inbound => flow == Flow::Inbound,
            Direction::Submission => flow == Flow::Submission,
        })
    }
}

fn apply(rule: &Rule, message: &dyn Message, decision: &mut Decision) {
    let present = message.count(&rule.header) > 0;
    match &rule.action {
        Action::Require { value: Some(value) } if !present => {
            decision.reason(format!("{} was missing and is added", rule.header));
            decision.add_header(&rule.header, value);
        }
        Action::Set { value } => {
            // Left alone where it already stands, once: an edit that changes nothing could still
            // break a signature.
            let already = message.headers_named(&rule.header);
            if already.as_slice() != std::slice::from_ref(value) {
                decision.reason(format!("{} is set", rule.header));
                decision.set_header(&rule.header, value);
            }
        }
        Action::Strip if present => {
            decision.reason(format!("{} is removed", rule.header));
            decision.remove_header(&rule.header);
        }
        _ => {}
    }
    if rule.protect {
        decision.protect_header(&rule.header);
    }
}

fn refused(text: String) -> Verdict {
    Verdict::reject(550, "5.7.1", text)
}

gatepost_sdk::export!(HeaderGuard: message);
