//! Meaning of a server's replies.

use std::fmt;

use gatepost_smtp::Reply;
use serde::{Deserialize, Serialize};

use crate::{Period, Profile};

/// Stage of a dialogue at which a server answered, or at which it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DialogueStage {
    /// Connecting.
    Connect,
    /// TLS handshake.
    Tls,
    /// Greeting.
    Greeting,
    /// EHLO.
    Ehlo,
    /// STARTTLS.
    Starttls,
    /// AUTH.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Recipient,
    /// DATA, BDAT and the end of the message.
    Data,
}

impl DialogueStage {
    /// Returns true before the first transaction: what fails there is the connection's fault.
    pub fn is_of_session(self) -> bool {
        !matches!(self, Self::Mail | Self::Recipient | Self::Data)
    }

    /// Returns the word of operators.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Ehlo => "ehlo",
            Self::Starttls => "starttls",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Recipient => "recipient",
            Self::Data => "data",
        }
    }
}

impl fmt::Display for DialogueStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Class of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReplyClass {
    /// A limit of the service is reached: wait.
    Quota,
    /// The mailbox that the message leaves from may not send: full, blocked, or missing.
    SenderMailbox,
    /// The connection is set up wrongly: credential, permission, address of the relay.
    SetUp,
    /// The server fails for a time.
    Temporary,
    /// The recipient is refused.
    Recipient,
    /// The message is refused.
    Message,
}

/// Part that a reply stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stops {
    /// All mail of the connection.
    Connection,
    /// Mail that leaves from this mailbox.
    Mailbox,
    /// This message, or this recipient of it.
    Message,
}

/// Rule by which a profile classifies a reply. Every condition that it has must hold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ReplyRule {
    /// Stages at which it holds; with none, at all.
    #[serde(default)]
    stages: Vec<DialogueStage>,
    /// Codes, one of which the reply has; with none, any from 400 on.
    #[serde(default)]
    codes: Vec<u16>,
    /// Enhanced codes, one of which the reply has, as enhanced code or at the beginning of its
    /// text.
    #[serde(default)]
    enhanced: Vec<String>,
    /// Texts, one of which the reply contains, in any case.
    #[serde(default)]
    contains: Vec<String>,
    /// Class of the reply.
    pub class: ReplyClass,
    /// Part that it stops.
    pub stops: Stops,
    /// Wait before the next try; none for the relay's own schedule.
    pub wait: Option<Period>,
    /// Advice to whoever set up the connection.
    pub advice: String,
}

/// Octets of a reply that rules look at.
const LOOKED_AT: usize = 2_048;

/// Most texts of one condition, and their longest.
const MOST_TEXTS: usize = 50;
const LONGEST_TEXT: usize = 200;

impl ReplyRule {
    /// Checks the bounds of the rule, and puts its texts in lower case.
    pub(crate) fn prepare(&mut self) -> Result<(), String> {
        let texts = || self.enhanced.iter().chain(&self.contains);
        if self.codes.len() + texts().count() > MOST_TEXTS {
            return Err(format!("a reply has over {MOST_TEXTS} codes and texts"));
        }
        if self.codes.is_empty() && texts().count() == 0 {
            return Err("a reply has neither codes, enhanced codes nor texts".to_owned());
        }
        if texts().any(|text| !(1..=LONGEST_TEXT).contains(&text.len())) {
            return Err(format!(
                "a text of a reply has no characters, or over {LONGEST_TEXT}"
            ));
        }
        if !(1..=1_000).contains(&self.advice.len()) {
            return Err("the advice of a reply has no characters, or over 1000".to_owned());
        }
        for text in &mut self.contains {
            *text = text.to_lowercase();
        }
        Ok(())
    }

    fn fits(&self, stage: DialogueStage, reply: &Reply, text: &str) -> bool {
        let enhanced = || reply.enhanced().map(|code| code.to_string());
        let has_code = |wanted: &String| match enhanced() {
            Some(code) => code == *wanted,
            None => text.split(' ').next() == Some(wanted),
        };
        (self.stages.is_empty() || self.stages.contains(&stage))
            && (self.codes.is_empty() || self.codes.contains(&reply.code()))
            && (self.enhanced.is_empty() || self.enhanced.iter().any(has_code))
            && (self.contains.is_empty() || self.contains.iter().any(|part| text.contains(part)))
    }
}

/// Meaning of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Classified {
    /// Class.
    pub class: ReplyClass,
    /// Part that it stops.
    pub stops: Stops,
    /// Wait before the next try; none for the relay's own schedule.
    pub wait: Option<Period>,
    /// Advice to whoever set up the connection.
    pub advice: String,
}

/// Classifies a negative reply: by the first rule of the profile that fits, else by its code and
/// its stage.
pub fn classify(profile: &Profile, stage: DialogueStage, reply: &Reply) -> Classified {
    let text = reply.text();
    let text = text[..text.floor_char_boundary(LOOKED_AT)].to_lowercase();
    let rule = (profile.replies.iter()).find(|rule| rule.fits(stage, reply, &text));
    let Some(rule) = rule else {
        let mut classified = by_stage(stage, reply.is_permanent());
        // The server closes the connection (RFC 5321 section 3.8), whatever it was asked.
        if reply.code() == 421 {
            classified.stops = Stops::Connection;
        }
        return classified;
    };
    Classified {
        class: rule.class,
        // A reply to one mailbox or message before any has been named is about all of them.
        stops: match stage.is_of_session() {
            true => Stops::Connection,
            false => rule.stops,
        },
        wait: rule.wait,
        advice: rule.advice.clone(),
    }
}

/// Classifies a failure of which no reply says more.
pub(crate) fn by_stage(stage: DialogueStage, is_permanent: bool) -> Classified {
    let (class, advice) = match (stage, is_permanent) {
        (DialogueStage::Recipient, true) => (
            ReplyClass::Recipient,
            "the server refuses the recipient: check the address",
        ),
        (DialogueStage::Mail | DialogueStage::Data, true) => (
            ReplyClass::Message,
            "the server refuses the message: its words say why",
        ),
        (DialogueStage::Auth, true) => (
            ReplyClass::SetUp,
            "the server refuses the log-in: check user, password or token, and whether the user may \
             log in by SMTP",
        ),
        (DialogueStage::Tls | DialogueStage::Starttls, true) => (
            ReplyClass::SetUp,
            "no TLS that can be trusted: check the server's certificate, the port, and `tls` and \
             `ca` of the connection",
        ),
        (DialogueStage::Connect, true) => (
            ReplyClass::SetUp,
            "the host leads to no server that the relay may connect to: correct `host`, or have the \
             operator allow its network by `allowed-networks` in [destinations]",
        ),
        (_, true) => (
            ReplyClass::SetUp,
            "the server refuses sessions of this relay: check host and port, and whether the \
             service has to be told the relay's addresses (`gatepost egress`)",
        ),
        (DialogueStage::Connect, false) => (
            ReplyClass::Temporary,
            "the server cannot be reached: check host and port, and whether a firewall is between",
        ),
        (_, false) => (ReplyClass::Temporary, "the server asks to try again later"),
    };
    Classified {
        class,
        stops: match stage.is_of_session() {
            true => Stops::Connection,
            false => Stops::Message,
        },
        wait: None,
        advice: advice.to_owned(),
    }
}
