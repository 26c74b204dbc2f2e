//! Signatures of requests, as Standard Webhooks prescribes:
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_message::{Address, TransactionId};
use ring::{digest, hmac};

use crate::WebhookSecret;

/// Id of a request, by which the application knows a repeated one: the same for all tries to
/// deliver one message to the same recipients.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebhookId(String);

impl WebhookId {
    /// Returns the id for a message and its recipients; their order does not matter.
    pub fn new<'a>(
        transaction: TransactionId,
        recipients: impl IntoIterator<Item = &'a Address>,
    ) -> Self {
        let mut recipients: Vec<_> = recipients.into_iter().map(Address::as_str).collect();
        recipients.sort_unstable();
        // No address holds a line end.
        let text = format!("{transaction}\n{}", recipients.join("\n"));
        Self(format!(
            "msg_{}",
            hex(&digest::digest(&digest::SHA256, text.as_bytes()).as_ref()[..16])
        ))
    }
}

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the field `webhook-signature` over the pieces of a body: a signature for each secret.
///
/// # Errors
/// Those of the pieces.
pub fn sign<E>(
    secrets: &[WebhookSecret],
    id: &str,
    timestamp: u64,
    body: impl IntoIterator<Item = Result<impl AsRef<[u8]>, E>>,
) -> Result<String, E> {
    let begin = |secret: &WebhookSecret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.octets());
        let mut signing = hmac::Context::with_key(&key);
        signing.update(format!("{id}.{timestamp}.").as_bytes());
        signing
    };
    let mut signing: Vec<_> = secrets.iter().map(begin).collect();
    for piece in body {
        let piece = piece?;
        for context in &mut signing {
            context.update(piece.as_ref());
        }
    }
    let encoded = |context: hmac::Context| format!("v1,{}", STANDARD.encode(context.sign()));
    let signatures: Vec<_> = signing.into_iter().map(encoded).collect();
    Ok(signatures.join(" "))
}

pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
