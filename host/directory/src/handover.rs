//! Handovers: secrets of credentials that a link shows once.

use gatepost_message::Millis;
use serde::{Deserialize, Serialize};

use crate::{AccountId, Credential, HandoverToken, UserName};

/// Secret that a link shows once. The store has neither the secret nor what opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Handover {
    /// Digest of the link's token, in hexadecimal digits.
    pub id: String,
    /// Account of the credential.
    pub account: AccountId,
    /// Credential whose secret it is.
    pub user_name: UserName,
    /// Time of creation.
    pub created: Millis,
    /// Time after which the link shows nothing.
    pub expires: Millis,
    /// Secret, encrypted with a key of the link's token: nonce, ciphertext and tag.
    pub sealed: Vec<u8>,
}

/// New handover with the token of its link, which is shown this once.
#[derive(Debug)]
pub struct HandedOver {
    /// Credential whose secret the link shows.
    pub credential: Credential,
    /// Token of the link.
    pub token: HandoverToken,
    /// Time after which the link shows nothing.
    pub expires: Millis,
}
