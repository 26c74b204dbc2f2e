//! Stops mail loops, classifies messages, and keeps machines from writing to each other for ever,
//! without ever silencing a person.
//!
//! Incoming messages (`inbound`): only a certain loop is refused, with 554 5.4.6 ([`hops`], and a
//! message of ours that comes back to a recipient who was already sent it). The
//! [classification](gatepost_sdk::classification) says what the message is and whether a machine
//! may answer it; if none may, it is tagged `suppress-automatic`, the one signal that an
//! application needs. An author who has shown to be a `machine` is remembered.
//!
//! Submissions (`outbound`): mail that a person wrote always goes out. Mail that a machine wrote
//! goes to no machine, and not in answer to one.
//!
//! Loops without a telling header are found by the number of exchanges, in `counts` that decay over
//! a day: with each `correspondent`, in each `thread`, with the `strangers` of each domain. If
//! nothing is left to count by, the question is whether the account's answers to `newcomers` bring
//! the next ones. A loop ends at the mail that we would send, never at the mail that we get. A
//! submission without a trigger is refused only if the signs of its `authorship` show a machine
//! too: no person is refused for a count.

mod authorship;
mod bounce;
mod content;
mod correspondent;
mod counts;
pub mod digest;
mod elsewhere;
mod head;
pub mod hops;
mod inbound;
mod keys;
pub mod limits;
mod machine;
mod newcomers;
mod outbound;
mod own;
mod pace;
mod resend;
mod settings;
mod strangers;
pub mod subject;
mod thread;

pub use head::{Field, Head};
pub use limits::Limits;
pub use settings::{Settings, Suppress};

use std::hash::Hasher as _;

use fnv::FnvHasher;
use gatepost_sdk::classification::Classifier;
use gatepost_sdk::{
    Decision, Duties, Facts, Flow, Message, MessageClass, Policy, Reply, Transaction, Verdict,
};

use crate::inbound::Inbound;
use crate::outbound::Outbound;

/// Tag of mail to which an application sends no automatic notification.
pub const SUPPRESS_AUTOMATIC: &str = "suppress-automatic";

/// Policy that stops mail loops.
pub struct LoopGuard {
    settings: Settings,
    classifier: Classifier,
}

impl Policy for LoopGuard {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let problems = settings.problems();
        if problems.is_empty() {
            let classifier = Classifier::new(&settings.trigger_header, &settings.account_id_header);
            Ok(Self {
                settings,
                classifier,
            })
        } else {
            Err(problems)
        }
    }

    fn duties() -> Duties {
        // It decides for each recipient whether a message has been seen: passing it by because
        // the policy failed would let a loop run.
        Duties {
            suppresses: true,
            ..Duties::default()
        }
    }

    fn message(
        &self,
        transaction: &Transaction,
        message: &dyn Message,
        facts: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        let head = Head::of(message, &self.settings);
        let found = self.classifier.classify(transaction, &head);
        for evidence in found.evidence_of_class() {
            decision.reason(format!("{}, by {evidence}", found.class.word()));
        }
        if found.class == MessageClass::Human {
            for evidence in found.evidence_against_reply() {
                decision.reason(format!("no machine may reply, by {evidence}"));
            }
        }
        let settings = &self.settings;
        let head = &head;
        match transaction.session.flow {
            Flow::Inbound => {
                let found = &found;
                let inbound = Inbound {
                    settings,
                    transaction,
                    head,
                    facts,
                    found,
                };
                inbound.judge(decision)
            }
            Flow::Submission => {
                let outbound = Outbound {
                    settings,
                    transaction,
                    head,
                    facts,
                    found: &found,
                };
                let verdict = outbound.judge(decision);
                // No machine may reply to a message that loops.
                let passes = verdict == Verdict::Pass;
                decision.classify(found.class, found.reply_allowed && passes);
                verdict
            }
            Flow::Internal | Flow::Other => Verdict::Pass,
        }
    }
}

fn routing_loop() -> Reply {
    Reply::new(554, "5.4.6", "Routing loop: this message was here before")
}

/// Returns a text from outside, shortened for a reason or a reply.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Returns the mark of an email id at one recipient in canonical form. It is a hash, since a key
/// has a bounded length and an id comes from outside.
fn email_id_mark(id: &str, recipient: &str) -> String {
    format!(
        "id:{:016x}{:016x}",
        fnv(id.bytes(), 0),
        fnv(id.bytes().chain([0]).chain(recipient.bytes()), 1)
    )
}

/// Returns the mark of an automatic message and its author in canonical form.
fn automatic_mark(message_id: &str, them: &str) -> String {
    keys::key(&["automatic ", message_id.trim(), " ", them])
}

/// Returns the FNV-1a hash, with a seed.
fn fnv(bytes: impl Iterator<Item = u8>, seed: u64) -> u64 {
    let mut hasher = FnvHasher::with_key(FnvHasher::default().finish() ^ seed);
    bytes.for_each(|byte| hasher.write(&[byte]));
    hasher.finish()
}

gatepost_sdk::export!(LoopGuard: message);
