//! The notice itself: a message from the parts, and its place in the spool.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use gatepost_message::{Address, Message, Millis, ReversePath, TransactionId, canonical_form};
use gatepost_model::{Effect, Flow, Judgement, Scope, Session, Transaction};
use gatepost_smtp::dsn::{MessageRequest, Notify, RecipientRequest};
use gatepost_spool::{InitialState, NewBody, NewMessage, NewRecipient, SenderProof};
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address as Mailbox;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};

use super::flowed::flowed;
use super::returned::Returned;
use super::text::{About, Values};
use super::{Action, Cause, Notifications, Original, Told, report};

/// The longest line that may be sent without being encoded (RFC 5322 section 2.1.1).
const LINE: usize = 998;

/// The tag of mail that no machine may answer, as loop-guard gives it to what comes in.
const TAG: &str = "suppress-automatic";

/// For how long nothing automatic goes to an address whose server has refused it for good, in
/// seconds.
const UNREACHABLE: u32 = 12 * 60 * 60;

/// A notice, written.
#[derive(Debug)]
pub(crate) struct Notice {
    /// Its own transaction.
    pub(crate) id: TransactionId,
    /// What it tells.
    pub(crate) action: Action,
    /// Who gets it.
    pub(crate) to: Address,
    now: Millis,
    hostname: String,
    raw: Bytes,
    /// The recipients that their servers have refused for good, each with the evidence.
    unreachable: Vec<(String, String)>,
}

impl Notice {
    /// Writes the notice of this message, for its sender.
    pub(crate) async fn of(
        notifications: &Notifications,
        original: Original<'_>,
        cause: Cause<'_>,
        to: &Address,
    ) -> Self {
        let id = TransactionId::new();
        let returned = Returned::of(original, cause.action).await;
        let raw = compose(notifications, original, cause, returned, id, to);
        Self {
            id,
            action: cause.action,
            to: to.clone(),
            now: cause.now,
            hostname: cause.hostname.to_owned(),
            raw: Bytes::from(raw),
            unreachable: unreachable(original, cause),
        }
    }

    /// The notice as the spool takes it.
    ///
    /// It belongs to the account and flow of the message, so that it finds its route among the
    /// same policies; its session is the relay's own, from the unspecified address. Nobody is to
    /// be told what becomes of it, and that goes for those that it passes, too.
    pub(crate) fn for_spool(&self, original: Original<'_>, expires_at: Millis) -> NewMessage {
        let head = Message::from_bytes(self.raw.clone()).head().clone();
        let body = self.raw.slice(head.len()..);
        let session = &original.transaction.session;
        NewMessage {
            transaction: Transaction {
                id: self.id,
                time: self.now,
                session: Session {
                    listener: session.listener.clone(),
                    flow: session.flow,
                    client: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
                    helo: Some(self.hostname.clone()),
                    tls: None,
                    user: None,
                },
                account: original.transaction.account.clone(),
                reverse_path: ReversePath::Null,
                recipients: vec![self.to.clone()],
            },
            recipients: vec![NewRecipient {
                address: self.to.clone(),
                dsn: RecipientRequest {
                    notify: Some(Notify::NEVER),
                    original: None,
                },
                state: InitialState::Queued {
                    next_attempt: self.now,
                },
            }],
            // Only its own addressee can need it: all else is encoded where it is not ASCII.
            smtputf8: !self.to.is_ascii(),
            dsn: MessageRequest::default(),
            // Its own sender is null: nothing is ever told of it.
            sender: SenderProof::Unproved,
            head,
            body: NewBody::Inline(body),
            tags: vec![TAG.to_owned()],
            classification: None,
            judgements: Vec::new(),
            effects: self.effects(&original.transaction.account),
            quarantine: None,
            received_at: self.now,
            expires_at,
        }
    }
}

impl Notice {
    /// An application that answers its own bounces, whatever they say, would do so for ever: so the
    /// account knows for a while that nobody reads at an address, and no machine writes there.
    fn effects(&self, account: &Option<String>) -> Vec<(Scope, Effect)> {
        let scope = Scope {
            policy: String::new(),
            account: account.clone(),
        };
        let each = self.unreachable.iter();
        let remember = each.map(|(address, evidence)| Effect::RememberMachine {
            address: address.clone(),
            evidence: evidence.clone(),
            seconds: UNREACHABLE,
        });
        remember.map(|effect| (scope.clone(), effect)).collect()
    }
}

/// Who cannot be reached, by what the servers said: of submissions, and not by what the relay or a
/// policy has refused itself.
fn unreachable(original: Original<'_>, cause: Cause<'_>) -> Vec<(String, String)> {
    if cause.action != Action::Failed || original.transaction.session.flow != Flow::Submission {
        return Vec::new();
    }
    let refused = |told: &&Told<'_>| told.remote.is_some_and(|(_, reply)| reply.is_permanent());
    let refused = cause.told.iter().filter(refused);
    let each = refused.map(|told| {
        let mut evidence = format!("mail to it was refused: {}", report::quote(told.reply));
        evidence.truncate(evidence.floor_char_boundary(200));
        (canonical_form(told.recipient.as_str()), evidence)
    });
    each.collect()
}

/// The octets of a notice (RFC 6522). There is no X-Auto-Response-Suppress: the null reverse-path
/// and Auto-Submitted say the same to everyone.
fn compose(
    notifications: &Notifications,
    original: Original<'_>,
    cause: Cause<'_>,
    returned: Returned,
    id: TransactionId,
    to: &Address,
) -> Vec<u8> {
    let templates = &notifications.templates;
    let language = notifications.language_of(original.transaction.account.as_deref());
    let reasons = templates.reasons(language);
    let values = Values::of(original, cause, reasons, returned.word());
    let letter = templates.write(language, cause.action, &values);
    let text = for_people(flowed(&letter.text)).language(language.tag());
    let (kind, parts) = match cause.action {
        // A report of delivery would be taken for a bounce.
        Action::Suppressed => (
            ContentType::new("multipart/mixed"),
            vec![text, returned.part(original)],
        ),
        _ => (
            ContentType::new("multipart/report").attribute("report-type", "delivery-status"),
            vec![text, report::part(original, cause), returned.part(original)],
        ),
    };
    let seconds = i64::try_from(cause.now.0 / 1000).unwrap_or(i64::MAX);
    let daemon = format!("MAILER-DAEMON@{}", cause.hostname);
    // In ASCII where it can be: else only a server with SMTPUTF8 could take it.
    let ascii = to.to_ascii();
    let mut message = MessageBuilder::new()
        .from(Mailbox::new_address(Some(letter.from), daemon))
        .to(Mailbox::new_address(
            None::<&str>,
            ascii.as_ref().unwrap_or(to).as_str(),
        ))
        .subject(letter.subject)
        .date(Date::new(seconds))
        .message_id(format!("{id}@{}", cause.hostname))
        // RFC 3834 section 5: so that nothing answers it.
        .header("Auto-Submitted", Raw::new("auto-replied"))
        // It passes no chain: the application is told as it would be by loop-guard.
        .header(notifications.tags_field.as_str(), Raw::new(TAG));
    // Section 3.1.5, and so that it stands beside the message in a mail reader.
    if let Some(about) = About::of(original).message_id {
        message = message
            .in_reply_to(MessageId::new(about.clone()))
            .references(MessageId::new(about));
    }
    let said = what_was_said(original.said);
    if let Some(name) = &notifications.reasons_field
        && !said.is_empty()
    {
        // Words of ASCII are folded; as text they would be encoded for their length.
        let said: HeaderType<'_> = match said.is_ascii() && !said.contains("=?") {
            true => Raw::new(said).into(),
            false => Text::new(said).into(),
        };
        message = message.header(name.as_str(), said);
    }
    let mut raw = Vec::new();
    message.body(MimePart::new(kind, parts)).serialize(&mut raw);
    raw
}

/// What policies said of the message, in one line.
fn what_was_said(said: &[Judgement]) -> String {
    const MOST: usize = 20;
    let reasons = said.iter().flat_map(|call| {
        let reasons = call.decision.reasons.iter();
        reasons.map(|reason| format!("{}: {reason}", call.policy))
    });
    let reasons: Vec<_> = reasons.take(MOST).collect();
    let line = reasons.join("; ").replace(char::is_control, " ");
    let end = line.floor_char_boundary(report::QUOTED_REPLY);
    line[..end].to_owned()
}

/// The part for people: as it is where that passes everywhere, so that who looks at the raw
/// message can read it.
fn for_people(text: String) -> MimePart<'static> {
    let kind = ContentType::new("text/plain")
        .attribute("charset", "utf-8")
        .attribute("format", "flowed");
    let plain = text.is_ascii() && text.split("\r\n").all(|line| line.len() <= LINE);
    let part = MimePart::new(kind, BodyPart::Text(text.into()));
    match plain {
        true => part.transfer_encoding("7bit"),
        false => part,
    }
}
