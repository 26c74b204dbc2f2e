//! Delivery status notifications: notices to senders about their messages (RFC 3461, 3464, 3834).
//!
//! The story of a notice:
//!
//! 1. A settlement ends, and `wanted` decides for each recipient whether its sender is notified: by
//!    NOTIFY, or if that is absent, of failures, and of delays if the operator wants so. The null
//!    sender never gets a notice. A reverse-path that may be forged (`SenderProof`) gets as much as
//!    the operator allows: no body of the message, at most its header section, and no words of a
//!    stranger in the relay's own sentences.
//! 2. Recipients with the same action share one notice: a multipart/report (RFC 6522). Its first
//!    part is written (`text`) for a person, in the language of the account, from `templates` and
//!    plain words (`reasons`) for enhanced codes; the second is the `report` for machines (RFC
//!    3464, or RFC 6533 if addresses are not ASCII); the third is the part of the message that is
//!    `returned`.
//! 3. The notice goes into the spool in the commit that records the outcomes. It is a message of
//!    its own, from the null sender, so that there is never a notice about it, and with the tag by
//!    which applications know what they must not answer.
//!
//! Letters to the administrators of an account (`letter`) are written with the same templates.

mod compose;
mod flowed;
mod letter;
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

pub use letter::{AdministratorLetter, LETTERS, LetterText};
pub use templates::{TemplateError, TemplateErrors, Templates};

pub(crate) use compose::Notice;
pub(crate) use wanted::{delay_notice_at, message_request, recipient_request, wants_notice};

/// End of the recipients that a notice reports: the Action field (RFC 3464 section 2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Given up.
    Failed,
    /// Not yet delivered; will be tried again.
    Delayed,
    /// Handed to a next hop that sends no notices itself.
    Relayed,
    /// Delivered to the mailbox.
    Delivered,
    /// Not sent, as a policy decided. It is no failure, so the notice has no report for machines.
    Suppressed,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 5] = [
        Self::Failed,
        Self::Delayed,
        Self::Relayed,
        Self::Delivered,
        Self::Suppressed,
    ];

    /// Returns the word for it in the report, in metrics and in the names of templates.
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

/// Language of a notice.
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
    /// All languages.
    pub const ALL: [Self; 2] = [Self::En, Self::Pt];

    /// Returns its tag (RFC 5646), which also names the folder of its templates.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Pt => "pt",
        }
    }

    /// Returns the language of a tag (RFC 5646) such as `pt` or `pt-BR`, of which the first part
    /// decides; `None` if notices are not written in it.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        let all = Self::ALL.into_iter();
        all.into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(primary))
    }
}

/// Notice about a message whose reverse-path may be a victim's: an unrequested notice is as much of
/// a nuisance as the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToStrangers {
    /// A notice with the header section of the message, never with its body.
    Header,
    /// No notice.
    None,
}

/// Settings of notices.
#[derive(Clone)]
pub struct Notifications {
    /// Language of accounts without one of their own.
    pub language: Language,
    /// Languages by account.
    pub languages: HashMap<String, Language>,
    /// Texts of the notices.
    pub templates: Arc<Templates>,
    /// Time after acceptance at which a sender is told of a delay; `None` for never. Default 4
    /// hours.
    pub delay: Option<std::time::Duration>,
    /// True if delays are reported where the sender did not set NOTIFY. Default true.
    pub delay_unasked: bool,
    /// Notice where nothing proves the reverse-path. Default the header.
    pub unproved: ToStrangers,
    /// Notice where SPF fails for the reverse-path. Default none.
    pub spf_fail: ToStrangers,
    /// Name of the field that tells applications the tags of a message. Default X-Gatepost-Tags.
    pub tags_field: String,
    /// Name of the field with the policies' reasons in the notice about a suppressed recipient;
    /// `None` to leave it out. Default X-Gatepost-Reasons.
    pub reasons_field: Option<String>,
    /// Time in which the administrators of an account are alerted once of one kind and item. Default
    /// one hour.
    pub alerts_every: std::time::Duration,
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
            alerts_every: std::time::Duration::from_secs(60 * 60),
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
            .field("alerts_every", &self.alerts_every)
            .finish_non_exhaustive()
    }
}

impl Notifications {
    /// Returns the language for this account's senders.
    fn language_of(&self, account: Option<&str>) -> Language {
        account
            .and_then(|account| self.languages.get(account))
            .copied()
            .unwrap_or(self.language)
    }

    /// Returns true if a sender with this proof may get a notice.
    pub(crate) fn may_notify(&self, sender: SenderProof) -> bool {
        match sender {
            SenderProof::Authenticated | SenderProof::Proved => true,
            SenderProof::Unproved => self.unproved == ToStrangers::Header,
            SenderProof::Refuted => self.spf_fail == ToStrangers::Header,
        }
    }
}

/// One recipient that a notice reports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReportedRecipient<'a> {
    /// Address of the recipient.
    pub(crate) recipient: &'a Address,
    /// Notices that the sender asked for, and the original recipient (ORCPT).
    pub(crate) dsn: &'a dsn::RecipientRequest,
    /// Reply that becomes the Status field.
    pub(crate) reply: &'a Reply,
    /// Name and last reply of the server, if one replied about this recipient.
    pub(crate) remote: Option<(&'a str, &'a Reply)>,
}

/// The message that a notice is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Original<'a> {
    pub(crate) transaction: &'a Transaction,
    pub(crate) message: &'a Message,
    pub(crate) dsn: &'a dsn::MessageRequest,
    pub(crate) sender: SenderProof,
    pub(crate) smtputf8: bool,
    pub(crate) received_at: Millis,
    pub(crate) expires_at: Millis,
    /// Policies' calls whose reasons the addressee may learn.
    pub(crate) judgements: &'a [Judgement],
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
            judgements: &[],
        }
    }
}

/// Subject of a notice, besides the message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoticeContext<'a> {
    /// The relay's own name.
    pub(crate) hostname: &'a str,
    /// Action that is reported.
    pub(crate) action: Action,
    /// Time of the notice.
    pub(crate) now: Millis,
    /// Recipients that are reported; at least one.
    pub(crate) reported: &'a [ReportedRecipient<'a>],
}

/// A notice about recipients that were refused or suppressed at the end of data.
#[derive(Debug)]
pub struct Bounce {
    /// The notice.
    pub message: NewMessage,
    /// Recipients that the notice reports.
    pub recipients: Vec<Address>,
}

/// Writes the notice about a message that is about to be accepted, for its recipients that were
/// refused after DATA ([`InitialState::Failed`]). Returns `None` if the sender wants a notice about
/// none of them, is null (RFC 5321 section 4.5.5), or may be forged and gets no notice.
///
/// The caller puts it into the spool and [counts](count_notice) it; `hostname` is the relay's own
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
        wants_notice(recipient.dsn.notify, Action::Failed).then_some(ReportedRecipient {
            recipient: &recipient.address,
            dsn: &recipient.dsn,
            reply,
            remote: None,
        })
    });
    let reported: Vec<_> = refused.collect();
    if reported.is_empty() {
        return None;
    }
    Some(
        notice_at_acceptance(
            notifications,
            hostname,
            message,
            Action::Failed,
            &reported,
            to,
        )
        .await,
    )
}

/// Writes the notice about a message that is about to be accepted, for its suppressed recipients
/// ([`InitialState::Suppressed`]) for which the sender wants one. To be used as
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
        let wanted = wants_notice(recipient.dsn.notify, Action::Suppressed);
        wanted.then(|| (recipient, as_reply(reason)))
    });
    let suppressed: Vec<_> = suppressed.collect();
    let reported: Vec<_> = (suppressed.iter())
        .map(|(recipient, reply)| ReportedRecipient {
            recipient: &recipient.address,
            dsn: &recipient.dsn,
            reply,
            remote: None,
        })
        .collect();
    if reported.is_empty() {
        return None;
    }
    Some(
        notice_at_acceptance(
            notifications,
            hostname,
            message,
            Action::Suppressed,
            &reported,
            to,
        )
        .await,
    )
}

/// Returns the addressee of a notice about a message that is about to be accepted, if there may be
/// one.
fn addressee<'m>(notifications: &Notifications, message: &'m NewMessage) -> Option<&'m Address> {
    let to = message.transaction.reverse_path.address()?;
    notifications.may_notify(message.sender).then_some(to)
}

/// Returns a reason as the text of a reply.
fn as_reply(reason: &str) -> Reply {
    Reply::checked(250, "2.7.0".parse().ok(), reason)
        .unwrap_or_else(|_| Reply::new(250, "2.7.0", "suppressed by a policy"))
}

/// Writes a notice about a message that is about to be accepted.
async fn notice_at_acceptance(
    notifications: &Notifications,
    hostname: &str,
    message: &NewMessage,
    action: Action,
    reported: &[ReportedRecipient<'_>],
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
        judgements: match action {
            Action::Suppressed => &message.judgements,
            _ => &[],
        },
    };
    let context = NoticeContext {
        hostname,
        action,
        now: message.received_at,
        reported,
    };
    let notice = Notice::of(notifications, original, context, to).await;
    Bounce {
        message: notice.for_spool(original, message.expires_at),
        recipients: reported
            .iter()
            .map(|reported| reported.recipient.clone())
            .collect(),
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
