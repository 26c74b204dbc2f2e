//! What kind of message this is, and whether a machine may answer it.
//!
//! [`Classifier::classify`] reads the envelope and the header section once, and looks into the
//! body only where a report does not say what it is of. Each [field family](Rule) finds its
//! evidence by itself; the evidence as a whole then gives two separate answers, for they are two
//! questions: what an agent of a help desk wrote is `human`, and must not be answered by a machine
//! all the same.
//!
//! No rule depends on the order of fields, and none on who somebody is: where an address counts,
//! it is for what its local part says (`mailer-daemon`, `owner-`, `no-reply`). Subjects and other
//! weak evidence count only where something else agrees.
//!
//! ```
//! use gatepost_sdk::*;
//! use gatepost_sdk::classification::classify;
//!
//! /// Only what a machine may answer gets an acknowledgement.
//! fn acknowledge(transaction: &Transaction, message: &dyn Message, decision: &mut Decision) {
//!     let found = classify(transaction, message);
//!     decision.classify(found.class, found.reply_allowed);
//!     for evidence in found.evidence_of_class() {
//!         decision.reason(evidence.to_string());
//!     }
//! }
//! ```

mod auto_submitted;
mod autoreply;
mod decide;
mod fields;
mod list;
mod machine;
mod phrases;
mod precedence;
mod report;
mod rule;
mod sender;
mod subject;
mod suppress;

use std::fmt;

pub use rule::Rule;

use crate::{Message, MessageClass, Transaction};

/// One thing that speaks for a class, or against an automatic answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// The rule.
    pub rule: Rule,
    /// The field that it was found in, or `MAIL FROM`.
    pub field: String,
    /// What stands there, shortened.
    pub text: String,
}

/// `Auto-Submitted: auto-replied [auto-replied]`.
impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.field, self.text, self.rule.name())
    }
}

/// The answers, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    /// What kind of message it is.
    pub class: MessageClass,
    /// Whether a machine may answer it.
    pub reply_allowed: bool,
    /// Everything that was found, in the order of [`Rule::ALL`].
    pub evidence: Vec<Evidence>,
    of_class: &'static [Rule],
}

impl Classification {
    /// What speaks for the class; nothing for most of what people write.
    pub fn evidence_of_class(&self) -> impl Iterator<Item = &Evidence> {
        let all = self.evidence.iter();
        all.filter(|evidence| self.of_class.contains(&evidence.rule))
    }

    /// What forbids an automatic answer, besides the class.
    pub fn evidence_against_reply(&self) -> impl Iterator<Item = &Evidence> {
        let all = self.evidence.iter();
        all.filter(|evidence| decide::forbids_reply(evidence.rule))
    }
}

/// Classifies messages, by the names that a site has given to its own header fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classifier {
    trigger: String,
    account_id: String,
}

impl Default for Classifier {
    /// `X-Gatepost-Trigger` and `X-Gatepost-From-Account-Id`.
    fn default() -> Self {
        Self::new("X-Gatepost-Trigger", "X-Gatepost-From-Account-Id")
    }
}

impl Classifier {
    /// A classifier for which the field `trigger` says `agent` or `automatic`, and the field
    /// `account_id` names the help desk's account; names match without case.
    ///
    /// ```
    /// use gatepost_sdk::classification::Classifier;
    ///
    /// let ours = Classifier::new("X-Desk-Trigger", "X-Desk-Account");
    /// # let _ = ours;
    /// ```
    pub fn new(trigger: &str, account_id: &str) -> Self {
        Self {
            trigger: trigger.to_ascii_lowercase(),
            account_id: account_id.to_ascii_lowercase(),
        }
    }

    /// Answers both questions.
    pub fn classify(&self, transaction: &Transaction, message: &dyn Message) -> Classification {
        let mut found = Found::default();
        fields::find(self, transaction, message, &mut found);
        let (class, of_class) = decide::class(&found);
        let forbidden = found
            .0
            .iter()
            .any(|evidence| decide::forbids_reply(evidence.rule));
        let mut evidence = found.0;
        evidence.sort_unstable();
        evidence.dedup();
        Classification {
            class,
            reply_allowed: class == MessageClass::Human && !forbidden,
            evidence,
            of_class,
        }
    }
}

/// [`Classifier::classify`] by the usual names.
pub fn classify(transaction: &Transaction, message: &dyn Message) -> Classification {
    Classifier::default().classify(transaction, message)
}

/// What has been found so far.
#[derive(Debug, Default)]
struct Found(Vec<Evidence>);

impl Found {
    /// Octets of a value that are shown.
    const SHOWN: usize = 80;

    fn add(&mut self, rule: Rule, field: &str, text: &str) {
        let mut end = text.len().min(Self::SHOWN);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut text = text.get(..end).unwrap_or_default().to_owned();
        if end == Self::SHOWN {
            text.push('…');
        }
        self.0.push(Evidence {
            rule,
            field: field.to_owned(),
            text,
        });
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has(&self, rule: Rule) -> bool {
        self.0.iter().any(|evidence| evidence.rule == rule)
    }

    fn has_any(&self, rules: &[Rule]) -> bool {
        self.0.iter().any(|evidence| rules.contains(&evidence.rule))
    }

    /// How many of these rules have found something.
    fn count(&self, rules: &[Rule]) -> usize {
        rules.iter().filter(|rule| self.has(**rule)).count()
    }
}
