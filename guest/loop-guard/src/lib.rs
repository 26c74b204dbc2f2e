//! Stops mail loops, and says what kind of message this is.
//!
//! Two things are certainly a loop and are refused with 554 5.4.6: more Received fields than the
//! hop limit (RFC 5321 section 6.3), and a message of ours that comes back, by its email id, to a
//! recipient who was already sent it. All else is let through: whether a machine may *answer* it
//! is another question, and the classification says so to whoever is downstream.
//!
//! The evidence weighed for the class: the null reverse-path (RFC 5321 section 4.5.5) and
//! Auto-Submitted (RFC 3834 section 5).

mod auto_submitted;
mod settings;

pub use auto_submitted::{AutoSubmitted, auto_submitted};
pub use settings::Settings;

use gatepost_sdk::{
    Decision, Duties, Facts, Flow, Message, MessageClass, Policy, RecipientVerdict, Reply,
    Transaction, Verdict,
};

/// The policy.
pub struct LoopGuard {
    settings: Settings,
}

impl Policy for LoopGuard {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let problems = settings.problems();
        if problems.is_empty() {
            Ok(Self { settings })
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
        let (class, reply_allowed) = classify(transaction, message, decision);
        let inbound = transaction.session.flow == Flow::Inbound;
        let looping = if self.too_far(message, decision) {
            Looping::ForAll
        } else if inbound {
            self.returned(transaction, message, facts, decision)
        } else {
            Looping::No
        };
        // Whatever a looping message is, answering it would keep it going.
        decision.classify(class, reply_allowed && looping == Looping::No);
        match looping {
            Looping::ForAll => routing_loop(),
            Looping::ForSome | Looping::No => Verdict::Pass,
        }
    }
}

impl LoopGuard {
    /// Whether the message has come through more hosts than the limit.
    fn too_far(&self, message: &dyn Message, decision: &mut Decision) -> bool {
        let hops = message.count("Received");
        let limit = self.settings.hop_limit;
        if hops > limit {
            decision.reason(format!("{hops} Received fields, and the limit is {limit}"));
        }
        hops > limit
    }

    /// Whether this email id has already come to the recipients; where only to some, those are
    /// refused and the others marked.
    fn returned(
        &self,
        transaction: &Transaction,
        message: &dyn Message,
        facts: &dyn Facts,
        decision: &mut Decision,
    ) -> Looping {
        let Some(id) = message.header(&self.settings.email_id_header) else {
            return Looping::No;
        };
        if id.is_empty() {
            return Looping::No;
        }
        let mut fresh = Vec::new();
        let mut seen = Vec::new();
        for recipient in &transaction.recipients {
            let key = key(&id, recipient);
            if facts.seen(&key) {
                seen.push(recipient)
            } else {
                fresh.push(key)
            }
        }
        for recipient in &seen {
            decision.reason(format!("email id {id} has already come to {recipient}"));
        }
        if seen.is_empty() {
            self.mark(fresh, decision);
            return Looping::No;
        }
        if fresh.is_empty() {
            return Looping::ForAll;
        }
        for recipient in seen {
            let reply = Reply::new(554, "5.4.6", "Routing loop: this message was here before");
            decision.judge_recipient(recipient, RecipientVerdict::Reject(reply));
        }
        self.mark(fresh, decision);
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

fn routing_loop() -> Verdict {
    Verdict::reject(554, "5.4.6", "Routing loop: this message was here before")
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

/// What kind of message it is by what it says of itself, and whether a machine may answer it.
fn classify(
    transaction: &Transaction,
    message: &dyn Message,
    decision: &mut Decision,
) -> (MessageClass, bool) {
    if transaction.mail_from.is_empty() {
        decision.reason("null reverse-path: a bounce or its like");
        return (MessageClass::Bounce, false);
    }
    match message
        .header("Auto-Submitted")
        .map(|value| auto_submitted(&value))
    {
        Some(AutoSubmitted::Replied) => {
            decision.reason("Auto-Submitted: auto-replied");
            (MessageClass::AutoReplied, false)
        }
        Some(AutoSubmitted::Generated) => {
            decision.reason("Auto-Submitted says that a machine made it");
            (MessageClass::AutoGenerated, false)
        }
        Some(AutoSubmitted::No) | None => (MessageClass::Human, true),
    }
}

gatepost_sdk::export!(LoopGuard: message);
