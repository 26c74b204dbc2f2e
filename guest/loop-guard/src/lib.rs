//! Stops mail loops, and says what kind of message this is.
//!
//! Only what is certainly a loop is refused, with 554 5.4.6: more Received fields than the hop
//! limit (RFC 5321 section 6.3), our own host in Received 8 times, a recipient to whom the message
//! was delivered before, and a message of ours that comes back, by its email id, to a recipient who
//! was already sent it. All else is let through: whether a machine may *answer* it is another
//! question, and the [classification](gatepost_sdk::classification) says so to whoever is
//! downstream.

pub mod hops;
mod settings;

pub use settings::Settings;

use gatepost_sdk::classification::Classifier;
use gatepost_sdk::{
    Decision, Duties, Facts, Flow, Message, MessageClass, Policy, RecipientVerdict, Reply,
    Transaction, Verdict,
};

/// The policy.
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
            authenticates: false,
            suppresses: true,
        }
    }

    fn message(
        &self,
        transaction: &Transaction,
        message: &dyn Message,
        facts: &dyn Facts,
        decision: &mut Decision,
    ) -> Verdict {
        let found = self.classifier.classify(transaction, message);
        for evidence in found.evidence_of_class() {
            decision.reason(format!("{}, by {evidence}", found.class.word()));
        }
        if found.class == MessageClass::Human {
            for evidence in found.evidence_against_reply() {
                decision.reason(format!("no machine may reply, by {evidence}"));
            }
        }
        let looping = self.looping(transaction, message, facts, decision);
        // Whatever a looping message is, answering it would keep it going.
        decision.classify(found.class, found.reply_allowed && looping == Looping::No);
        match looping {
            Looping::ForAll => Verdict::Reject(routing_loop()),
            Looping::ForSome | Looping::No => Verdict::Pass,
        }
    }
}

impl LoopGuard {
    /// Whether the message was here before; where it was so for some recipients only, they are
    /// refused, and the others marked.
    fn looping(
        &self,
        transaction: &Transaction,
        message: &dyn Message,
        facts: &dyn Facts,
        decision: &mut Decision,
    ) -> Looping {
        let Settings {
            hop_limit,
            own_hosts,
            ..
        } = &self.settings;
        if let Some(reason) = hops::looping(message, *hop_limit, own_hosts) {
            decision.reason(reason);
            return Looping::ForAll;
        }
        if transaction.session.flow != Flow::Inbound {
            return Looping::No;
        }
        let id = message.header(&self.settings.email_id_header);
        let id = id.filter(|id| !id.is_empty());
        let delivered = hops::delivered_before(message, &transaction.recipients);
        let mut fresh = Vec::new();
        let mut before = Vec::new();
        for recipient in &transaction.recipients {
            if delivered.contains(&recipient) {
                decision.reason(format!("Delivered-To names {recipient} already"));
                before.push(recipient);
                continue;
            }
            let Some(id) = &id else { continue };
            let key = key(id, recipient);
            if facts.seen(&key) {
                decision.reason(format!("email id {id} has already come to {recipient}"));
                before.push(recipient);
            } else {
                fresh.push(key);
            }
        }
        if before.len() == transaction.recipients.len() && !before.is_empty() {
            return Looping::ForAll;
        }
        self.mark(fresh, decision);
        if before.is_empty() {
            return Looping::No;
        }
        for recipient in before {
            decision.judge_recipient(recipient, RecipientVerdict::Reject(routing_loop()));
        }
        Looping::ForSome
    }

    fn mark(&self, keys: Vec<String>, decision: &mut Decision) {
        for key in keys {
            decision.mark_seen(key, self.settings.remember_days * 86_400);
        }
    }
}

/// For whom a message is a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looping {
    No,
    ForSome,
    ForAll,
}

fn routing_loop() -> Reply {
    Reply::new(554, "5.4.6", "Routing loop: this message was here before")
}

/// What is remembered of one email id at one recipient. Long ids are told apart by a hash, since
/// a key has a bounded length and an id comes from outside.
fn key(id: &str, recipient: &str) -> String {
    let recipient = recipient.to_lowercase();
    format!(
        "id:{:016x}{:016x}",
        fnv(id.bytes(), 0),
        fnv(id.bytes().chain([0]).chain(recipient.bytes()), 1)
    )
}

/// FNV-1a, with a seed.
fn fnv(bytes: impl Iterator<Item = u8>, seed: u64) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

gatepost_sdk::export!(LoopGuard: message);
