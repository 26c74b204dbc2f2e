//! Demands of providers to confirm a forwarding.
//!
//! Some providers forward to an address only after somebody has confirmed that the address wants
//! it: they send it a code or a link. That message comes to the forwarding target, where no person
//! reads it. So the relay recognises it and shows the code.
//!
//! Anybody could send such a message, with a link of their own. It is believed only of a provider
//! that is known, whose domain SPF or DKIM proves, and a link only if it leads to the provider.

use gatepost_authentication::{Authentication, Facts};
use gatepost_message::{Address, Message};
use mail_parser::MessageParser;
use serde::{Deserialize, Serialize};

use crate::Words;
use crate::token::decoded;

/// Demand of a provider to confirm a forwarding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ForwardingConfirmation {
    /// Provider.
    pub provider: Provider,
    /// Code to enter at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Words>,
    /// Link to open instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Words>,
    /// Mailbox whose mail is to be forwarded, if the message names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<Address>,
}

/// Provider whose demands are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Gmail and Google Workspace.
    Google,
}

impl ForwardingConfirmation {
    /// Recognises such a demand; `octets` are the message or its beginning.
    pub fn recognise(message: &Message, octets: &[u8], facts: &Facts) -> Option<Self> {
        let _ = (message, octets, facts);
        None
    }
}
