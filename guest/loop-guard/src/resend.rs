//! Messages that the client sends once more, since the reply to the first did not arrive (RFC
//! 1047): no loop, though the same email id comes to the same recipient again.
//!
//! Such a message has gone through no further server meanwhile, so it has as many Received fields
//! as before. If header section and body are the same as well, it is the very same message, and
//! nobody gets it twice.

use gatepost_sdk::{Decision, Facts, Message, Transaction};

use crate::fnv;
use crate::head::Head;
use crate::keys::key;

/// Time for which a client may send a message again, in seconds.
const RESEND_SECONDS: u32 = 24 * 3600;

/// Bytes of the header section and of the body that are compared.
const COMPARED: u32 = 64 << 10;

/// Relation of a message with an email id of ours to an earlier one with that id and recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResendKind {
    /// Same message, byte for byte as far as it is compared.
    SameMessage,
    /// Another message with that id by the same client.
    SameClient,
    /// Message that has come back by another way.
    Loop,
}

/// Hashes by which a message that is sent again is recognised.
pub struct Resend {
    message: String,
    client: String,
}

impl Resend {
    /// Reads the message, which has this email id.
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
                transaction.session.client_ip().unwrap_or_default(),
                " ",
                &hops,
                " ",
                id,
                " ",
            ]),
        }
    }

    /// Returns the relation to the earlier message with this email id and recipient, in canonical
    /// form.
    pub fn kind_at(&self, facts: &dyn Facts, recipient: &str) -> ResendKind {
        if facts.seen(&key(&[&self.message, recipient])) {
            ResendKind::SameMessage
        } else if facts.seen(&key(&[&self.client, recipient])) {
            ResendKind::SameClient
        } else {
            ResendKind::Loop
        }
    }

    /// Remembers that this recipient gets it.
    pub fn remember(&self, recipient: &str, decision: &mut Decision) {
        for what in [&self.message, &self.client] {
            decision.mark_seen(key(&[what, recipient]), RESEND_SECONDS);
        }
    }
}
