//! Events: what became of a message, as the application is told.

use gatepost_message::{Address, Message, Millis, TransactionId, without_brackets};
use gatepost_smtp::Reply;
use serde::{Deserialize, Serialize};

use crate::{AttemptStage, Flow, Transaction};

/// Event: a step in the fate of a message at one recipient, or a notice to an account or the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Event {
    /// Account that is told; `None` for the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Address of the account that sent or received the message, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Message that the event is about; `None` for a notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionId>,
    /// Message-ID of that message, without angle brackets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Address>,
    /// Text that the application handed in with the message; the relay never reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// Time.
    pub at: Millis,
    /// Kind, with the facts of that kind.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Kind of an event, with what it tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    tag = "kind"
)]
pub enum EventKind {
    /// Accepted into the queue.
    Queued,
    /// Accepted, but the recipient gets nothing.
    Suppressed {
        /// Reason.
        why: String,
    },
    /// Refused: the client got this reply.
    Refused {
        /// Reply to the client.
        reply: Reply,
    },
    /// An attempt failed for now.
    Deferred {
        /// The attempt.
        #[serde(flatten)]
        attempt: AttemptFacts,
        /// Time before which it is not attempted again.
        next_attempt: Millis,
        /// Number of attempts so far.
        attempts: u32,
    },
    /// Not delivered in the time in which mail mostly is; told once.
    Late {
        /// Minutes since the message was accepted.
        minutes: u32,
    },
    /// Accepted by a server, or by the application.
    Delivered {
        /// The attempt.
        #[serde(flatten)]
        attempt: AttemptFacts,
        /// Message-ID that the server gave the message instead of ours.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remote_message_id: Option<String>,
    },
    /// Refused for good.
    Failed(AttemptFacts),
    /// Given up: its time was over.
    Expired(AttemptFacts),
    /// Kept for an operator.
    Held(AttemptFacts),
    /// Ended by an operator.
    Cancelled {
        /// Reason.
        why: String,
    },
    /// A report of a server came back (RFC 3464).
    Bounced {
        /// Action that the report names, such as `failed`.
        action: String,
        /// Status code, such as `5.1.1`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<String>,
        /// Words of the server that refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        diagnostic: Option<String>,
        /// Server that reports.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reporter: Option<String>,
        /// Transaction of the report.
        report: TransactionId,
    },
    /// The recipient has complained (RFC 5965).
    Complained {
        /// Type of the complaint, such as `abuse`.
        feedback_type: String,
        /// Transaction of the report.
        report: TransactionId,
    },
    /// A message came in answer to this one.
    Replied {
        /// Transaction of the answer.
        answer: TransactionId,
    },
    /// A notice to the account or the site.
    Notice {
        /// Subject.
        subject: NoticeSubject,
        /// Text, in one sentence.
        text: String,
        /// Alert, if the administrators of the account are to know of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alert: Option<Alert>,
    },
}

/// Attempt at delivery, as events tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AttemptFacts {
    /// Stage that it had reached.
    pub stage: AttemptStage,
    /// Step of the plan that was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// `host:port` of the server that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Reply of the server, or of the relay in its stead.
    pub reply: Reply,
    /// Protocol and cipher; `None` in plaintext.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// Address in whose name the message left, if that is not the sender's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_as: Option<Address>,
}

/// Subject of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeSubject {
    /// A DKIM key or its record in DNS.
    Dkim,
    /// A connection to a mail service.
    Connection,
    /// A cap on what an account, domain or credential may send.
    Cap,
    /// The suspension of an account.
    Suspend,
    /// The suppression list.
    Suppression,
    /// The verification of a support address.
    Verification,
    /// The delivery of events themselves.
    Webhook,
    /// A credential with which mail is handed in.
    Credential,
    /// A connected domain, or an address in it.
    Connector,
    /// The hold of an account's outgoing mail.
    Hold,
    /// An account as a whole.
    Account,
    /// The version of a policy.
    Policy,
}

/// Alert: what the administrators of an account are to know of, in words that can be told in any
/// language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Alert {
    /// Kind.
    pub kind: AlertKind,
    /// Item that it is about: a credential, a connection, an address or a domain.
    pub about: String,
    /// Detail in the words of whoever found it, such as a server's reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Kind of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlertKind {
    /// A second credential was issued in the place of one.
    CredentialRotated,
    /// A credential was cancelled.
    CredentialCancelled,
    /// A credential is locked out: too many log-ins have failed.
    LockedOut,
    /// A connection is broken, and its mail waits.
    ConnectionBroken,
    /// A connection works again.
    ConnectionWorks,
    /// The verification of an address has failed.
    VerificationFailed,
    /// A domain, or an address in it, was disconnected.
    Disconnected,
    /// The record of a DKIM key is lost.
    DkimLost,
    /// The record of a DKIM key is seen again.
    DkimFound,
}

impl AlertKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::CredentialRotated,
        Self::CredentialCancelled,
        Self::LockedOut,
        Self::ConnectionBroken,
        Self::ConnectionWorks,
        Self::VerificationFailed,
        Self::Disconnected,
        Self::DkimLost,
        Self::DkimFound,
    ];

    /// Returns the word for it in JSON and in templates.
    pub fn word(self) -> &'static str {
        match self {
            Self::CredentialRotated => "credential-rotated",
            Self::CredentialCancelled => "credential-cancelled",
            Self::LockedOut => "locked-out",
            Self::ConnectionBroken => "connection-broken",
            Self::ConnectionWorks => "connection-works",
            Self::VerificationFailed => "verification-failed",
            Self::Disconnected => "disconnected",
            Self::DkimLost => "dkim-lost",
            Self::DkimFound => "dkim-found",
        }
    }
}

/// Name of a kind of event.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum EventName {
    /// [`EventKind::Queued`].
    Queued,
    /// [`EventKind::Suppressed`].
    Suppressed,
    /// [`EventKind::Refused`].
    Refused,
    /// [`EventKind::Deferred`].
    Deferred,
    /// [`EventKind::Late`].
    Late,
    /// [`EventKind::Delivered`].
    Delivered,
    /// [`EventKind::Failed`].
    Failed,
    /// [`EventKind::Expired`].
    Expired,
    /// [`EventKind::Held`].
    Held,
    /// [`EventKind::Cancelled`].
    Cancelled,
    /// [`EventKind::Bounced`].
    Bounced,
    /// [`EventKind::Complained`].
    Complained,
    /// [`EventKind::Replied`].
    Replied,
    /// [`EventKind::Notice`].
    Notice,
}

impl EventName {
    /// All names.
    pub const ALL: [Self; 14] = [
        Self::Queued,
        Self::Suppressed,
        Self::Refused,
        Self::Deferred,
        Self::Late,
        Self::Delivered,
        Self::Failed,
        Self::Expired,
        Self::Held,
        Self::Cancelled,
        Self::Bounced,
        Self::Complained,
        Self::Replied,
        Self::Notice,
    ];

    /// Returns the word for it in JSON, in the store and in commands.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Suppressed => "suppressed",
            Self::Refused => "refused",
            Self::Deferred => "deferred",
            Self::Late => "late",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Held => "held",
            Self::Cancelled => "cancelled",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Replied => "replied",
            Self::Notice => "notice",
        }
    }

    /// Returns the name for its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.word() == word)
    }
}

impl EventKind {
    /// Returns the name of the kind.
    pub fn name(&self) -> EventName {
        match self {
            Self::Queued => EventName::Queued,
            Self::Suppressed { .. } => EventName::Suppressed,
            Self::Refused { .. } => EventName::Refused,
            Self::Deferred { .. } => EventName::Deferred,
            Self::Late { .. } => EventName::Late,
            Self::Delivered { .. } => EventName::Delivered,
            Self::Failed(_) => EventName::Failed,
            Self::Expired(_) => EventName::Expired,
            Self::Held(_) => EventName::Held,
            Self::Cancelled { .. } => EventName::Cancelled,
            Self::Bounced { .. } => EventName::Bounced,
            Self::Complained { .. } => EventName::Complained,
            Self::Replied { .. } => EventName::Replied,
            Self::Notice { .. } => EventName::Notice,
        }
    }
}

/// Most octets of a text in an event that came from outside.
pub const LONGEST_TEXT: usize = 512;

/// Most octets of metadata.
pub const LONGEST_METADATA: usize = 1024;

/// Message that events are about.
#[derive(Debug, Clone)]
pub struct EventSubject<'a> {
    transaction: &'a Transaction,
    message_id: Option<String>,
    metadata: Option<&'a str>,
}

impl<'a> EventSubject<'a> {
    /// Returns the message as a subject of events; `None` for one that nobody is told of. Accounts
    /// are told of what the application has submitted, and of nothing that strangers send or the
    /// relay makes itself.
    pub fn of(
        transaction: &'a Transaction,
        message: &Message,
        metadata: Option<&'a str>,
    ) -> Option<Self> {
        (transaction.session.flow == Flow::Submission).then(|| Self {
            transaction,
            message_id: message
                .header("Message-ID")
                .map(|id| without_brackets(&id).to_owned()),
            metadata,
        })
    }

    /// Makes an event about this message at a recipient.
    pub fn event(&self, recipient: &Address, at: Millis, kind: EventKind) -> Event {
        Event {
            account: self.transaction.account.clone(),
            address: self.transaction.reverse_path.address().cloned(),
            transaction: Some(self.transaction.id),
            message_id: self.message_id.clone(),
            recipient: Some(recipient.clone()),
            metadata: self.metadata.map(str::to_owned),
            at,
            kind,
        }
    }
}

impl AttemptFacts {
    /// Returns the facts of what the relay itself decided, with the reply in which it says so.
    pub fn local(reply: Reply) -> Self {
        Self {
            stage: AttemptStage::Local,
            step: None,
            server: None,
            reply,
            tls: None,
            sent_as: None,
        }
    }
}

impl Event {
    /// Makes a notice.
    pub fn notice(
        account: Option<String>,
        subject: NoticeSubject,
        text: String,
        at: Millis,
    ) -> Self {
        Self {
            account,
            address: None,
            transaction: None,
            message_id: None,
            recipient: None,
            metadata: None,
            at,
            kind: EventKind::Notice {
                subject,
                text,
                alert: None,
            },
        }
    }

    /// Returns the notice with an alert for the administrators of its account.
    #[must_use]
    pub fn alerting(
        mut self,
        kind: AlertKind,
        about: impl Into<String>,
        detail: Option<String>,
    ) -> Self {
        if let EventKind::Notice { alert, .. } = &mut self.kind {
            let about = about.into();
            *alert = Some(Alert {
                kind,
                about,
                detail,
            });
        }
        self
    }

    /// Returns the event with each text cut to its bound, as stores keep it.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.message_id = self.message_id.map(shortened);
        // Metadata that was cut would be another's.
        self.metadata = (self.metadata).filter(|text| text.len() <= LONGEST_METADATA);
        match &mut self.kind {
            EventKind::Queued | EventKind::Late { .. } | EventKind::Replied { .. } => {}
            EventKind::Notice { text, alert, .. } => {
                shorten(text);
                if let Some(Alert { about, detail, .. }) = alert {
                    shorten(about);
                    if let Some(detail) = detail {
                        shorten(detail);
                    }
                }
            }
            EventKind::Suppressed { why: text }
            | EventKind::Cancelled { why: text }
            | EventKind::Complained {
                feedback_type: text,
                ..
            } => shorten(text),
            EventKind::Refused { reply } => shorten_reply(reply),
            EventKind::Deferred { attempt, .. }
            | EventKind::Failed(attempt)
            | EventKind::Expired(attempt)
            | EventKind::Held(attempt) => attempt.shorten(),
            EventKind::Delivered {
                attempt,
                remote_message_id,
            } => {
                attempt.shorten();
                remote_message_id.as_mut().map(shorten);
            }
            EventKind::Bounced {
                action,
                status,
                diagnostic,
                reporter,
                ..
            } => {
                shorten(action);
                for text in [status, diagnostic, reporter] {
                    text.as_mut().map(shorten);
                }
            }
        }
        self
    }
}

impl AttemptFacts {
    fn shorten(&mut self) {
        shorten_reply(&mut self.reply);
        for text in [&mut self.step, &mut self.server, &mut self.tls] {
            text.as_mut().map(shorten);
        }
    }
}

/// Cuts a text to [`LONGEST_TEXT`].
fn shorten(text: &mut String) {
    text.truncate(text.floor_char_boundary(LONGEST_TEXT));
}

fn shortened(mut text: String) -> String {
    shorten(&mut text);
    text
}

/// Cuts the text of a reply to [`LONGEST_TEXT`].
fn shorten_reply(reply: &mut Reply) {
    let octets: usize = reply.lines().iter().map(|line| line.len() + 1).sum();
    if octets > LONGEST_TEXT {
        *reply = reply.clone().with_text(shortened(reply.lines().join("\n")));
    }
}

/// Event with its number: strictly increasing, without regard to accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StoredEvent {
    /// Sequence number, from 1; the store gives it in the commit that makes the event durable.
    pub seq: u64,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(text: &str) -> Event {
        let attempt = AttemptFacts {
            stage: AttemptStage::Recipient,
            step: Some("mx".into()),
            server: Some("mx.b.example:25".into()),
            reply: Reply::new(550, "5.1.1", text),
            tls: None,
            sent_as: None,
        };
        Event {
            account: Some("acme".into()),
            address: None,
            transaction: Some(TransactionId::new()),
            message_id: Some("1@a.example".into()),
            recipient: "bob@b.example".parse().ok(),
            metadata: Some("ticket 4711".into()),
            at: Millis(1_700_000_000_000),
            kind: EventKind::Failed(attempt),
        }
    }

    #[test]
    fn an_event_is_read_back_from_its_json() {
        let event = StoredEvent {
            seq: 7,
            event: failed("nobody here"),
        };
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["seq"], 7);
        assert_eq!(json["kind"], "failed");
        assert_eq!(json["stage"], "recipient");
        assert_eq!(json["reply"]["code"], 550);
        assert_eq!(json["metadata"], "ticket 4711");
        assert_eq!(serde_json::from_value::<StoredEvent>(json).unwrap(), event);
    }

    #[test]
    fn texts_from_outside_are_cut() {
        let event = failed(&"nobody is here: é\n".repeat(5000)).bounded();
        let EventKind::Failed(attempt) = event.kind else {
            panic!("{event:?}")
        };
        let octets: usize = attempt.reply.lines().iter().map(String::len).sum();
        assert!(octets <= LONGEST_TEXT, "{octets}");
        assert!(octets > LONGEST_TEXT / 2, "{octets}");
    }

    #[test]
    fn an_alert_comes_with_its_notice_and_is_cut() {
        for kind in AlertKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
        }
        let notice = Event::notice(None, NoticeSubject::Cap, "x".into(), Millis(1));
        let json = serde_json::to_value(&notice).unwrap();
        assert_eq!(json.get("alert"), None);
        let long = "y".repeat(5000);
        let alerting = notice.alerting(AlertKind::LockedOut, long.clone(), Some(long));
        let event = alerting.bounded();
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["alert"]["kind"], "locked-out");
        for text in ["about", "detail"] {
            let text = json["alert"][text].as_str().unwrap();
            assert_eq!(text.len(), LONGEST_TEXT);
        }
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }

    #[test]
    fn every_name_has_its_word() {
        for name in EventName::ALL {
            assert_eq!(EventName::from_word(name.word()), Some(name));
            assert_eq!(serde_json::to_value(name).unwrap(), name.word());
        }
    }
}
