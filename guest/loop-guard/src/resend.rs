//! A message that its client sends once more, since the reply to the first did not arrive (RFC 1047):
//! no loop, though the same email id comes to the same recipient again.
//!
//! It has gone through no further server meanwhile, so that it has as many Received fields as before.
//! Where all of its header section is the same it is that very message, and nobody gets it twice.

use gatepost_sdk::{Decision, Facts, Message, Transaction};

use crate::fnv;
use crate::head::Head;
use crate::keys::key;

/// For how long a client sends it again, in seconds.
const AGAIN: u32 = 24 * 3600;

/// Bytes of the header section and of the body that are compared.
const COMPARED: u32 = 64 << 10;

/// What a message with an email id of ours is to a recipient who got one with that id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// The same message, byte for byte as far as it is compared.
    SameMessage,
    /// Sent again by the same client, but written anew.
    SameClient,
    /// Has come back by another way.
    Loop,
}

/// A message as it is known again.
pub struct Resend {
    message: String,
    client: String,
}

impl Resend {
    /// Resend of this message, which has this email id.
    pub fn of(transaction: &Transaction, head: &Head<'_>, id: &str) -> Self {
        let fields = head.header_chunk(0, COMPARED);
        let body = head.body_chunk(0, COMPARED);
        let sizes = [head.header_size(), head.body_size()];
        let sizes = sizes.into_iter().flat_map(u64::to_be_bytes);
        let all = || fields.iter().chain(&body).copied();
        let (one, other) = (
            fnv(all().chain(sizes.clone()), 2),
            fnv(sizes.chain(all()), 3),
        );
        let hops = head.received().to_string();
        Self {
            message: format!("same {one:016x}{other:016x} "),
            client: key(&[
                "client ",
                &transaction.session.client_ip,
                " ",
                &hops,
                " ",
                id,
                " ",
            ]),
        }
    }

    /// What it is to this recipient, in canonical form, who got one with the same email id.
    pub fn is(&self, facts: &dyn Facts, recipient: &str) -> Again {
        if facts.seen(&key(&[&self.message, recipient])) {
            Again::SameMessage
        } else if facts.seen(&key(&[&self.client, recipient])) {
            Again::SameClient
        } else {
            Again::Loop
        }
    }

    /// Remembers that this recipient gets it.
    pub fn remember(&self, recipient: &str, decision: &mut Decision) {
        for what in [&self.message, &self.client] {
            decision.mark_seen(key(&[what, recipient]), AGAIN);
        }
    }
}
