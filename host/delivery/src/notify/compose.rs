//! The notice as a message: its composition, and its form for the spool.

use bytes::Bytes;
use gatepost_message::{Address, Millis, ReversePath, TransactionId, canonical_form};
use gatepost_model::{Effect, Flow, Judgement, Scope};
use gatepost_spool::{NewMessage, OwnMail};
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
use super::text::{HeaderExcerpt, Values};
use super::{Action, NoticeContext, Notifications, Original, ReportedRecipient, report};

/// Longest line that may be sent without being encoded (RFC 5322 section 2.1.1).
const MAX_LINE: usize = 998;

/// Tag of mail that no machine may answer, as loop-guard gives it to incoming mail.
pub(super) const TAG: &str = "suppress-automatic";

/// Time for which nothing automatic goes to an address that its server refused for good, in
/// seconds.
const UNREACHABLE_SECONDS: u32 = 12 * 60 * 60;

/// A written notice.
#[derive(Debug)]
pub(crate) struct Notice {
    /// Transaction id of the notice.
    pub(crate) id: TransactionId,
    /// Action that the notice reports.
    pub(crate) action: Action,
    /// Addressee.
    pub(crate) to: Address,
    now: Millis,
    hostname: String,
    raw: Bytes,
    /// Recipients that their servers refused for good, each with the evidence.
    unreachable: Vec<(String, String)>,
}

impl Notice {
    /// Writes the notice about this message, for its sender.
    pub(crate) async fn of(
        notifications: &Notifications,
        original: Original<'_>,
        context: NoticeContext<'_>,
        to: &Address,
    ) -> Self {
        let id = TransactionId::new();
        let returned = Returned::of(original, context.action).await;
        let raw = compose(notifications, original, context, returned, id, to);
        Self {
            id,
            action: context.action,
            to: to.clone(),
            now: context.now,
            hostname: context.hostname.to_owned(),
            raw: Bytes::from(raw),
            unreachable: refused_recipients(original, context),
        }
    }

    /// Returns the notice in the form for the spool.
    ///
    /// It belongs to the account and listener of the message; its session is the relay's own.
    /// Nobody is to be notified about it, and it asks the servers on its way for the same.
    pub(crate) fn for_spool(&self, original: Original<'_>, expires_at: Millis) -> NewMessage {
        let transaction = original.transaction;
        let notice = OwnMail {
            id: self.id,
            listener: transaction.session.listener.clone(),
            account: transaction.account.clone(),
            // There is never a notice about it.
            reverse_path: ReversePath::Null,
            to: self.to.clone(),
            message: self.raw.clone(),
            now: self.now,
            expires_at,
        };
        let mut queued = NewMessage {
            tags: vec![TAG.to_owned()],
            effects: self.effects(&transaction.account),
            ..notice.queued_without_notices()
        };
        queued.transaction.session.helo = Some(self.hostname.clone());
        queued
    }
}

impl Notice {
    /// Returns the effects that stop automatic mail to refused addresses. An application that
    /// answers its own bounces, whatever they say, would do so for ever; so the account knows for a
    /// while that nobody reads at the address, and treats it as a machine's.
    fn effects(&self, account: &Option<String>) -> Vec<(Scope, Effect)> {
        let scope = Scope {
            policy: String::new(),
            account: account.clone(),
        };
        let each = self.unreachable.iter();
        let remember = each.map(|(address, evidence)| Effect::RememberMachine {
            address: address.clone(),
            evidence: evidence.clone(),
            seconds: UNREACHABLE_SECONDS,
        });
        remember.map(|effect| (scope.clone(), effect)).collect()
    }
}

/// Returns the recipients of a submission that a server refused for good; refusals of the relay
/// itself or of a policy do not count.
fn refused_recipients(original: Original<'_>, context: NoticeContext<'_>) -> Vec<(String, String)> {
    if context.action != Action::Failed || original.transaction.session.flow != Flow::Submission {
        return Vec::new();
    }
    let refused = |reported: &&ReportedRecipient<'_>| {
        reported
            .remote
            .is_some_and(|(_, reply)| reply.is_permanent())
    };
    let refused = context.reported.iter().filter(refused);
    let each = refused.map(|reported| {
        let mut evidence = format!("mail to it was refused: {}", report::quote(reported.reply));
        evidence.truncate(evidence.floor_char_boundary(200));
        (canonical_form(reported.recipient.as_str()), evidence)
    });
    each.collect()
}

/// Composes the octets of a notice (RFC 6522). There is no X-Auto-Response-Suppress: the null
/// reverse-path and Auto-Submitted say the same to everyone.
fn compose(
    notifications: &Notifications,
    original: Original<'_>,
    context: NoticeContext<'_>,
    returned: Returned,
    id: TransactionId,
    to: &Address,
) -> Vec<u8> {
    let templates = &notifications.templates;
    let language = notifications.language_of(original.transaction.account.as_deref());
    let reasons = templates.reasons(language);
    let values = Values::of(original, context, reasons, returned.word());
    let rendered = templates.write(language, context.action, &values);
    let text = part_for_people(flowed(&rendered.text)).language(language.tag());
    let (kind, parts) = match context.action {
        // A report about a suppressed recipient would be mistaken for a bounce.
        Action::Suppressed => (
            ContentType::new("multipart/mixed"),
            vec![text, returned.part(original)],
        ),
        _ => (
            ContentType::new("multipart/report").attribute("report-type", "delivery-status"),
            vec![
                text,
                report::part(original, context),
                returned.part(original),
            ],
        ),
    };
    let seconds = i64::try_from(context.now.0 / 1000).unwrap_or(i64::MAX);
    let daemon = format!("MAILER-DAEMON@{}", context.hostname);
    // In ASCII if possible: otherwise only a server with SMTPUTF8 could accept it.
    let ascii = to.to_ascii();
    let mut message = MessageBuilder::new()
        .from(Mailbox::new_address(Some(rendered.from), daemon))
        .to(Mailbox::new_address(
            None::<&str>,
            ascii.as_ref().unwrap_or(to).as_str(),
        ))
        .subject(rendered.subject)
        .date(Date::new(seconds))
        .message_id(format!("{id}@{}", context.hostname))
        // RFC 3834 section 5: so that nothing answers it.
        .header("Auto-Submitted", Raw::new("auto-replied"))
        // A notice passes no chain: it carries the tag that loop-guard would give it.
        .header(notifications.tags_field.as_str(), Raw::new(TAG));
    // RFC 3834 section 3.1.5, and so that a mail reader shows it beside the message.
    if let Some(message_id) = HeaderExcerpt::of(original).message_id {
        message = message
            .in_reply_to(MessageId::new(message_id.clone()))
            .references(MessageId::new(message_id));
    }
    let reasons = reasons_of(original.judgements);
    if let Some(name) = &notifications.reasons_field
        && !reasons.is_empty()
    {
        // ASCII words are folded; as text they would be encoded because of their length.
        let value: HeaderType<'_> = match reasons.is_ascii() && !reasons.contains("=?") {
            true => Raw::new(reasons).into(),
            false => Text::new(reasons).into(),
        };
        message = message.header(name.as_str(), value);
    }
    let mut raw = Vec::new();
    message.body(MimePart::new(kind, parts)).serialize(&mut raw);
    raw
}

/// Returns the policies' reasons about the message, in one line.
fn reasons_of(judgements: &[Judgement]) -> String {
    const MAX_REASONS: usize = 20;
    let reasons = judgements.iter().flat_map(|call| {
        let reasons = call.decision.reasons.iter();
        reasons.map(|reason| format!("{}: {reason}", call.policy))
    });
    let reasons: Vec<_> = reasons.take(MAX_REASONS).collect();
    let line = reasons.join("; ").replace(char::is_control, " ");
    let end = line.floor_char_boundary(report::QUOTED_REPLY);
    line[..end].to_owned()
}

/// Returns the part for people: unencoded if every server accepts it so, for readers of the raw
/// message.
pub(super) fn part_for_people(text: String) -> MimePart<'static> {
    let kind = ContentType::new("text/plain")
        .attribute("charset", "utf-8")
        .attribute("format", "flowed");
    let plain = text.is_ascii() && text.split("\r\n").all(|line| line.len() <= MAX_LINE);
    let part = MimePart::new(kind, BodyPart::Text(text.into()));
    match plain {
        true => part.transfer_encoding("7bit"),
        false => part,
    }
}
