//! The message as a program describes it.

use std::collections::BTreeMap;

use gatepost_message::Address;
use serde::{Deserialize, Serialize};

/// Message as a program describes it. In JSON its members are in kebab case, and unknown ones are
/// refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Draft {
    /// Author. Whoever takes the draft may know one where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DraftMailbox>,
    /// Recipients that stand in To.
    #[serde(default)]
    pub to: Vec<DraftMailbox>,
    /// Recipients that stand in Cc.
    #[serde(default)]
    pub cc: Vec<DraftMailbox>,
    /// Recipients that stand in no field.
    #[serde(default)]
    pub bcc: Vec<DraftMailbox>,
    /// Addresses for answers, where they are not the author's.
    #[serde(default)]
    pub reply_to: Vec<DraftMailbox>,
    /// Subject, in one line.
    #[serde(default)]
    pub subject: String,
    /// Text without markup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The same in HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Files.
    #[serde(default)]
    pub files: Vec<DraftFile>,
    /// Message-ID of the message that is answered, with angle brackets or without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    /// Message-IDs of the conversation so far, the oldest first; without them, the message that is
    /// answered stands there alone.
    #[serde(default)]
    pub references: Vec<String>,
    /// Cause of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<DraftTrigger>,
    /// Text that comes back with each event about the message, up to 1 KiB in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// Further fields by name, such as `X-Ticket`. Fields that the other members make, fields that
    /// describe the body, and fields of servers on the way cannot be set.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

impl Draft {
    /// Returns all recipients.
    pub fn recipients(&self) -> impl Iterator<Item = &DraftMailbox> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }
}

/// Mailbox: an address alone, or one with the name that mail programs show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum DraftMailbox {
    /// Address.
    Address(Address),
    /// Address with a name.
    Named(NamedMailbox),
}

/// Address with the name that mail programs show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedMailbox {
    /// Address.
    pub address: Address,
    /// Name, in one line.
    pub name: String,
}

impl DraftMailbox {
    /// Returns the address.
    pub fn address(&self) -> &Address {
        match self {
            Self::Address(address) => address,
            Self::Named(named) => &named.address,
        }
    }

    /// Returns the name, if there is one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Address(_) => None,
            Self::Named(named) => Some(named.name.as_str()).filter(|name| !name.is_empty()),
        }
    }
}

/// Cause of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DraftTrigger {
    /// A person has written it.
    Agent,
    /// The program sends it by itself.
    Automatic,
}

impl DraftTrigger {
    /// Returns the word in the field.
    pub fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Automatic => "automatic",
        }
    }
}

/// File of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DraftFile {
    /// Name that the recipient sees.
    pub name: String,
    /// Media type, such as `application/pdf`.
    #[serde(rename = "type", default = "octet_stream")]
    pub media_type: String,
    /// Name by which the HTML shows the file: `<img src="cid:NAME">`. Without one, it is attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_id: Option<String>,
    /// Content.
    #[serde(flatten)]
    pub content: DraftFileContent,
}

/// Content of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DraftFileContent {
    /// The content itself in base64 (RFC 4648 section 4): for small files.
    Base64(String),
    /// Name of the part of the request that has it.
    Part(String),
}

fn octet_stream() -> String {
    "application/octet-stream".to_owned()
}
