//! Delivery status notifications: what a sender is told of a message (RFC 3461, 3464, 3834).
//!
//! The story of one:
//!
//! 1. A settlement ends, and `wanted` says of each recipient whether its sender is to hear of
//!    it: what NOTIFY asks for, and where it says nothing, failures, and delays if the operator
//!    wants so. To the null sender nothing is ever said; to one that may be another's who had no
//!    part in it (`SenderProof`), as much as the operator wants: no body of the message, at most
//!    its header section, and no word of a stranger in the relay's own sentences.
//! 2. Recipients of which the same is to be told share one notice: a multipart/report (RFC 6522).
//!    Its first part is written (`text`) for a person, in the language of the account, from
//!    `templates` and plain words (`reasons`) for enhanced codes; the second is the `report` for
//!    machines (RFC 3464, or RFC 6533 where addresses are not ASCII); the third is what
//!    returns (`returned`) of the message.
//! 3. The notice goes into the spool in the very commit that records what it tells of. It is a
//!    message of its own, from the null sender, so that nobody is ever told what became of it, and
//!    with the tag by which applications know what they must not answer.

mod compose;
mod flowed;
mod reasons;
mod report;
mod returned;
mod templates;
mod text;
mod wanted;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use gatepost_message::{Address, Message, Millis};
use gatepost_model::{Judgement, Transaction};
use gatepost_smtp::{Reply, dsn};
use gatepost_spool::{Claim, InitialState, NewMessage, SenderProof};
use serde::Deserialize;

pub use templates::{TemplateError, TemplateErrors, Templates};

pub(crate) use compose::Notice;
pub(crate) use wanted::{delay_notice_at, message_request, recipient_request, wants};

/// What a notice says became of its recipients: the Action field (RFC 3464 section 2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Given up.
    Failed,
    /// Not yet delivered, and tried again.
    Delayed,
    /// Handed to a next hop that gives no notices itself.
    Relayed,
    /// Put into the mailbox.
    Delivered,
    /// Not sent, as a policy decided. It is no failure, so the notice has no report for machines.
    Suppressed,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Failed,
        Self::Delayed,
        Self::Relayed,
        Self::Delivered,
        Self::Suppressed,
    ];

    /// The word for it in the report, in metrics and in the names of templates.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Relayed => "relayed",
            Self::Delivered => "delivered",
            Self::Suppressed => "suppressed",
        }
    }
}

/// A language that notices are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Portuguese.
    Pt,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::Pt];

    /// Its tag (RFC 5646), which also names the folder of its templates.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Pt => "pt",
        }
    }
}

/// What is told of a message whose reverse-path may be a victim's: a notice that nobody has asked
/// for is as much of a nuisance as what it tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToStrangers {
    /// A notice with the header section of the message, never with its body.
    Header,
    /// Nothing.
    None,
}

/// What an operator can set about notices.
#[derive(Clone)]
pub struct Notifications {
    /// The language of those to whom no other applies.
    pub language: Language,
    /// The language of an account's senders, by account.
    pub languages: HashMap<String, Language>,
    /// What they say.
    pub templates: Arc<Templates>,
    /// How long after its acceptance the sender of a message is told that it is late; `None` for
    /// never. Default 4 hours.
    pub delay: Option<std::time::Duration>,
    /// Whether delay is told where the sender has not said when to be notified. Default yes.
    pub delay_unasked: bool,
    /// What is told where nothing proves that the reverse-path is the sender's. Default the header.
    pub unproved: ToStrangers,
    /// What is told where SPF fails for the reverse-path. Default nothing.
    pub spf_fail: ToStrangers,
    /// Name of the field that tells applications the tags of a message. Default X-Gatepost-Tags.
    pub tags_field: String,
    /// Name of the field in which the notice of a suppressed recipient has what policies said;
    /// `None` to leave it out. Default X-Gatepost-Reasons.
    pub reasons_field: Option<String>,
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            language: Language::default(),
            languages: HashMap::new(),
            templates: Arc::new(Templates::builtin()),
            delay: Some(std::time::Duration::from_secs(4 * 60 * 60)),
            delay_unasked: true,
            unproved: ToStrangers::Header,
            spf_fail: ToStrangers::None,
            tags_field: "X-Gatepost-Tags".to_owned(),
            reasons_field: Some("X-Gatepost-Reasons".to_owned()),
        }
    }
}

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifications")
            .field("language", &self.language)
            .field("languages", &self.languages)
            .field("delay", &self.delay)
            .field("delay_unasked", &self.delay_unasked)
            .field("unproved", &self.unproved)
            .field("spf_fail", &self.spf_fail)
            .field("tags_field", &self.tags_field)
            .field("reasons_field", &self.reasons_field)
            .finish_non_exhaustive()
    }
}

impl Notifications {
    /// The language in which this account's senders are told.
    fn language_of(&self, account: Option<&str>) -> Language {
        account
            .and_then(|account| self.languages.get(account))
            .copied()
            .unwrap_or(self.language)
    }

    /// Whether anything at all is told where so much is known of the sender.
    pub(crate) fn tells(&self, sender: SenderProof) -> bool {
        match sender {
            SenderProof::Authenticated | SenderProof::Proved => true,
            SenderProof::Unproved => self.unproved == ToStrangers::Header,
            SenderProof::Refuted => self.spf_fail == ToStrangers::Header,
        }
    }
}

/// One recipient that a notice tells of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    /// Who.
    pub(crate) recipient: &'a Address,
    /// What the sender wants to hear of it, and whom it was addressed to first.
    pub(crate) dsn: &'a dsn::RecipientRequest,
    /// Why: what becomes the Status field.
    pub(crate) reply: &'a Reply,
    /// The last thing that a server said of this recipient, and the server's name.
    pub(crate) remote: Option<(&'a str, &'a Reply)>,
}

/// The message that a notice tells of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Original<'a> {
    pub(crate) transaction: &'a Transaction,
    pub(crate) message: &'a Message,
    pub(crate) dsn: &'a dsn::MessageRequest,
    pub(crate) sender: SenderProof,
    pub(crate) smtputf8: bool,
    pub(crate) received_at: Millis,
    pub(crate) expires_at: Millis,
    /// What policies said, where whoever is told of the message is to learn of that.
    pub(crate) said: &'a [Judgement],
}

impl<'a> From<&'a Claim> for Original<'a> {
    fn from(claim: &'a Claim) -> Self {
        Self {
            transaction: &claim.transaction,
            message: &claim.message,
            dsn: &claim.dsn,
            sender: claim.sender,
            smtputf8: claim.smtputf8,
            received_at: claim.received_at,
            expires_at: claim.expires_at,
            said: &[],
        }
    }
}

/// What a notice is made from, besides the message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause<'a> {
    /// The relay's own name.
    pub(crate) hostname: &'a str,
    /// What became of them.
    pub(crate) action: Action,
    /// When.
    pub(crate) now: Millis,
    /// Of whom: at least one.
    pub(crate) told: &'a [Told<'a>],
}

/// A notice of recipients that were refused or suppressed at the end of data, and whose.
#[derive(Debug)]
pub struct Bounce {
    /// The notice.
    pub message: NewMessage,
    /// The recipients that it tells of.
    pub recipients: Vec<Address>,
}

/// The notice of a message that is about to be taken, for those of its recipients that were
/// refused after its data ([`InitialState::Failed`]), at the time it was received. `None` where
/// there is none of these whose sender wants to hear of it, the sender is null (RFC 5321 section
/// 4.5.5), or may be another who is told nothing.
///
/// To be put into the spool by the caller, who [counts](count_notice) it; `hostname` is the relay's own
/// name.
pub async fn bounce_of_refused(
    notifications: &Notifications,
    hostname: &str,
    message: &NewMessage,
) -> Option<Bounce> {
    let to = addressee(notifications, message)?;
    let refused = message.recipients.iter().filter_map(|recipient| {
        let InitialState::Failed { reply } = &recipient.state else {
            return None;
        };
        wants(recipient.dsn.notify, Action::Failed).then_some(Told {
            recipient: &recipient.address,
            dsn: &recipient.dsn,
            reply,
            remote: None,
        })
    });
    let told: Vec<_> = refused.collect();
    if told.is_empty() {
        return None;
    }
    Some(at_once(notifications, hostname, message, Action::Failed, &told, to).await)
}

/// The notice of a message that is about to be taken, for those of its recipients that are
/// suppressed ([`InitialState::Suppressed`]) and of which the sender wants to hear. To be used as
/// [`bounce_of_refused`] is.
pub async fn report_of_suppressed(
    notifications: &Notifications,
    hostname: &str,
    message: &NewMessage,
) -> Option<Bounce> {
    let to = addressee(notifications, message)?;
    let suppressed = message.recipients.iter().filter_map(|recipient| {
        let InitialState::Suppressed { reason } = &recipient.state else {
            return None;
        };
        let wanted = wants(recipient.dsn.notify, Action::Suppressed);
        wanted.then(|| (recipient, in_a_reply(reason)))
    });
    let suppressed: Vec<_> = suppressed.collect();
    let told: Vec<_> = (suppressed.iter())
        .map(|(recipient, reply)| Told {
            recipient: &recipient.address,
            dsn: &recipient.dsn,
            reply,
            remote: None,
        })
        .collect();
    if told.is_empty() {
        return None;
    }
    Some(
        at_once(
            notifications,
            hostname,
            message,
            Action::Suppressed,
            &told,
            to,
        )
        .await,
    )
}

/// Who is told of a message that is about to be taken, if anybody is.
fn addressee<'m>(notifications: &Notifications, message: &'m NewMessage) -> Option<&'m Address> {
    let to = message.transaction.reverse_path.address()?;
    notifications.tells(message.sender).then_some(to)
}

/// A reason as the text of a reply.
fn in_a_reply(reason: &str) -> Reply {
    Reply::checked(250, "2.7.0".parse().ok(), reason)
        .unwrap_or_else(|_| Reply::new(250, "2.7.0", "suppressed by a policy"))
}

/// A notice of a message in hand.
async fn at_once(
    notifications: &Notifications,
    hostname: &str,
    message: &NewMessage,
    action: Action,
    told: &[Told<'_>],
    to: &Address,
) -> Bounce {
    let original = Original {
        transaction: &message.transaction,
        message: &Message::from_parts(message.head.clone(), message.body.body()),
        dsn: &message.dsn,
        sender: message.sender,
        smtputf8: message.smtputf8,
        received_at: message.received_at,
        expires_at: message.expires_at,
        said: match action {
            Action::Suppressed => &message.judgements,
            _ => &[],
        },
    };
    let cause = Cause {
        hostname,
        action,
        now: message.received_at,
        told,
    };
    let notice = Notice::of(notifications, original, cause, to).await;
    Bounce {
        message: notice.for_spool(original, message.expires_at),
        recipients: told.iter().map(|told| told.recipient.clone()).collect(),
    }
}

/// Counts a notice that has gone into the spool: in
/// `gatepost_delivery_notifications_total{action}`, and one of failure also in
/// `gatepost_delivery_bounces_total`.
pub fn count_notice(action: Action) {
    metrics::counter!("gatepost_delivery_notifications_total", "action" => action.word())
        .increment(1);
    if action == Action::Failed {
        metrics::counter!("gatepost_delivery_bounces_total").increment(1);
    }
}
