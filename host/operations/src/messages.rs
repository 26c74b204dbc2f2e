//! Messages that a program hands in, made of parts or as they are.
//!
//! A message passes the intake as one over SMTP does: the same policies, limits and caps. What
//! becomes of it is answered for each recipient, once it is on disk. A dry run is answered alike, and
//! nothing of it stays.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatepost_compose::{
    Composed, Draft, DraftMailbox, NamedMailbox, Setting, compose, is_message_id,
};
use gatepost_directory::{Account, Name, Refusal};
use gatepost_intake::http_submission::{
    self, AcceptedMessage, HttpEnvelope, HttpProgram, RefusedMessage, SubmissionKey,
    SubmissionRefusal,
};
use gatepost_intake::pipeline::judge::RecipientDisposition;
use gatepost_message::{Address, Millis, ReversePath, TransactionId};
use gatepost_trace::TracedMessage;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncRead;

use crate::blocking::blocking;
use crate::code::Code;
use crate::directory::{account, unknown};
use crate::error::OperationError;
use crate::runtime::Runtime;

/// Most octets of a subject that an answer takes over.
const LONGEST_SUBJECT: usize = 800;

/// Latest time, from now, at which a message may be sent.
const LATEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// Request to send a message that is made of parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SubmitMessage {
    /// Parts of the message.
    pub message: Draft,
    /// Brand whose default address is the author, where the message names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Name>,
    /// Transaction of a message of the account that is answered: recipient, subject and conversation
    /// come from it where the message has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<TransactionId>,
    /// Address to which bounces go, where it is not the author's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverse_path: Option<Address>,
    /// Earliest time of the first attempt, 30 days from now at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_at: Option<Millis>,
    /// Time at which it is given up, if that is earlier than by the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Millis>,
    /// Only says what would become of the message.
    #[serde(default)]
    pub dry_run: bool,
}

/// Envelope of a message that is handed in as it is, and how it is sent.
#[derive(Debug, Clone)]
pub struct RawMessage {
    /// Message-ID that the relay gave it, without angle brackets.
    pub message_id: Option<String>,
    /// Address to which bounces go.
    pub reverse_path: ReversePath,
    /// Recipients.
    pub recipients: Vec<Address>,
    /// Earliest time of the first attempt, 30 days from now at most.
    pub send_at: Option<Millis>,
    /// Time at which it is given up, if that is earlier than by the configuration.
    pub expires: Option<Millis>,
    /// Only says what would become of the message.
    pub dry_run: bool,
}

/// Program that hands a message in.
#[derive(Debug, Clone)]
pub struct SubmittingProgram {
    /// Account, by its id or native domain.
    pub account: String,
    /// Id of the program's token.
    pub token: String,
    /// Address of the program; the unspecified one where it has none.
    pub client: SocketAddr,
    /// Key under which it may send the request again, with the SHA-256 of the request.
    pub key: Option<(String, [u8; 32])>,
}

/// Message that was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SubmittedMessage {
    /// Its transaction.
    pub id: TransactionId,
    /// Message-ID without angle brackets, where the relay made the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Recipients, each once, in the order of the request.
    pub recipients: Vec<SubmittedRecipient>,
    /// Reason for which an operator has to release it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
    /// Tags that policies put on it.
    pub tags: Vec<String>,
    /// Reasons that policies gave.
    pub reasons: Vec<String>,
    /// True if nothing was sent.
    pub dry_run: bool,
}

/// Recipient, with the fate of the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SubmittedRecipient {
    /// Address.
    pub address: Address,
    /// Fate of the message.
    pub outcome: RecipientOutcome,
    /// Reason for which it is not queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Outcome of a message for a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecipientOutcome {
    /// It is queued.
    Queued,
    /// It waits for an operator.
    Held,
    /// It is not sent, and nothing has failed.
    Suppressed,
    /// It is refused.
    Refused,
}

/// Reason why a message was not taken.
#[derive(Debug)]
pub enum SubmissionError {
    /// It could not be made, or handed in.
    Operation(OperationError),
    /// The relay refused it: the error, and the recipients that were refused.
    Refused(OperationError, Vec<SubmittedRecipient>),
}

impl SubmittedMessage {
    fn of(accepted: AcceptedMessage, dry_run: bool) -> Self {
        let is_held = accepted.quarantine.is_some();
        let recipient = |(address, disposition)| {
            let (outcome, why) = match disposition {
                RecipientDisposition::Delivered if is_held => (RecipientOutcome::Held, None),
                RecipientDisposition::Delivered => (RecipientOutcome::Queued, None),
                RecipientDisposition::Suppressed(why) => (RecipientOutcome::Suppressed, Some(why)),
                RecipientDisposition::Rejected(reply) => {
                    (RecipientOutcome::Refused, Some(reply.to_string()))
                }
            };
            SubmittedRecipient {
                address,
                outcome,
                why,
            }
        };
        Self {
            id: accepted.id,
            message_id: accepted.message_id,
            recipients: accepted.recipients.into_iter().map(recipient).collect(),
            quarantine: accepted.quarantine,
            tags: accepted.tags,
            reasons: accepted.reasons,
            dry_run,
        }
    }
}

impl SubmittingProgram {
    /// Returns the program with the id of its account.
    fn http_program(&self, on: &Runtime) -> Result<HttpProgram, OperationError> {
        let account = account(&on.directory.view(), &self.account)?.id.to_string();
        Ok(HttpProgram {
            account,
            token: self.token.clone(),
        })
    }

    fn request_key(&self) -> Result<Option<SubmissionKey>, OperationError> {
        let Some((key, request)) = &self.key else {
            return Ok(None);
        };
        let key = SubmissionKey::new(key.as_str(), *request);
        let wrong = || {
            let text = "the key of the request is too long, or empty";
            OperationError::new(Code::NotUnderstood, text)
        };
        key.map(Some).ok_or_else(wrong)
    }
}

impl From<SubmissionRefusal> for SubmissionError {
    fn from(refusal: SubmissionRefusal) -> Self {
        let code = match refusal {
            SubmissionRefusal::Message(refused) => return refused.into(),
            SubmissionRefusal::OtherRequest => Code::KeyReused,
            SubmissionRefusal::UnderWay => Code::UnderWay,
        };
        OperationError::new(code, refusal).into()
    }
}

impl From<RefusedMessage> for SubmissionError {
    fn from(refused: RefusedMessage) -> Self {
        let code = match refused.reply.is_transient() {
            true => Code::MessageDeferred,
            false => Code::MessageRefused,
        };
        let recipients = refused.recipients.into_iter();
        let recipients = recipients.map(|(address, reply)| SubmittedRecipient {
            address,
            outcome: RecipientOutcome::Refused,
            why: Some(reply.to_string()),
        });
        let error = OperationError::new(code, &refused.reply);
        Self::Refused(error, recipients.collect())
    }
}

impl From<OperationError> for SubmissionError {
    fn from(error: OperationError) -> Self {
        Self::Operation(error)
    }
}

impl From<Refusal> for SubmissionError {
    fn from(refusal: Refusal) -> Self {
        Self::Operation(refusal.into())
    }
}

/// Returns the most octets of a message that the running relay takes.
///
/// # Errors
/// No relay runs.
pub fn longest(on: &Runtime) -> Result<u64, OperationError> {
    Ok(on.running_intake()?.load().config.limits.message_size)
}

/// Hands in a message that is made of parts. `file` returns the content that came beside them under a
/// name.
///
/// # Errors
/// The parts make no message, the account, the brand or the answered message is unknown, no relay
/// runs, or the message is refused.
pub async fn submit_parts(
    on: &Runtime,
    program: &SubmittingProgram,
    mut asked: SubmitMessage,
    file: impl Fn(&str) -> Option<Bytes> + Send,
) -> Result<SubmittedMessage, SubmissionError> {
    if let Some(first) = answered_before(on, program, asked.dry_run).await? {
        return Ok(first);
    }
    let answered = match asked.answers {
        Some(id) => Some(answered(on, program, id).await?),
        None => None,
    };
    let setting = {
        let view = on.directory.view();
        let account = account(&view, &program.account)?;
        let draft = &mut asked.message;
        if draft.from.is_none() {
            draft.from = Some(author(account, asked.brand.as_ref())?);
        }
        if let Some(answered) = &answered {
            answer(draft, answered)?;
        }
        let fields = &on.running_intake()?.load().config.headers;
        Setting {
            trigger: fields.trigger.0.clone(),
            metadata: fields.metadata.0.clone(),
            id: TransactionId::new().to_string(),
            at: Millis::now(),
        }
    };
    let composed = compose(&asked.message, &setting, file);
    let composed = composed.map_err(|error| OperationError::new(Code::NotUnderstood, error))?;
    let Composed {
        author,
        recipients,
        message_id,
        octets,
    } = composed;
    let raw = RawMessage {
        message_id: Some(message_id),
        reverse_path: ReversePath::Address(asked.reverse_path.unwrap_or(author)),
        recipients,
        send_at: asked.send_at,
        expires: asked.expires,
        dry_run: asked.dry_run,
    };
    hand_in(on, program, raw, octets.as_slice()).await
}

/// Hands in a message as it is.
///
/// # Errors
/// The account is unknown, a time is out of bounds, no relay runs, or the message is refused.
pub async fn submit_raw(
    on: &Runtime,
    program: &SubmittingProgram,
    message: RawMessage,
    octets: impl AsyncRead + Send,
) -> Result<SubmittedMessage, SubmissionError> {
    if let Some(first) = answered_before(on, program, message.dry_run).await? {
        return Ok(first);
    }
    hand_in(on, program, message, octets).await
}

/// Hands in a message whose request was not answered before.
async fn hand_in(
    on: &Runtime,
    program: &SubmittingProgram,
    message: RawMessage,
    octets: impl AsyncRead + Send,
) -> Result<SubmittedMessage, SubmissionError> {
    let known = program.http_program(on)?;
    let now = Millis::now();
    let wrong = |text: &str| OperationError::new(Code::NotUnderstood, text);
    if message.send_at.is_some_and(|at| at > now + LATEST) {
        return Err(wrong("send-at: it may be 30 days from now at most").into());
    }
    let first = message.send_at.unwrap_or(now).max(now);
    if message.expires.is_some_and(|at| at <= first) {
        return Err(wrong("expires: it has to be later than the message is sent").into());
    }
    if message.recipients.is_empty() {
        return Err(wrong("recipients: name at least one").into());
    }
    let envelope = HttpEnvelope {
        program: known,
        client: program.client,
        reverse_path: message.reverse_path,
        recipients: message.recipients,
        not_before: message.send_at,
        expires: message.expires,
        message_id: message.message_id,
        key: program.request_key()?,
        is_dry_run: message.dry_run,
    };
    let submitted = http_submission::submit(on.running_intake()?, envelope, octets).await;
    let submitted = submitted.map(|of| SubmittedMessage::of(of, message.dry_run));
    Ok(submitted?)
}

/// Returns the answer that was given to a request under its key, if there is one.
async fn answered_before(
    on: &Runtime,
    program: &SubmittingProgram,
    dry_run: bool,
) -> Result<Option<SubmittedMessage>, SubmissionError> {
    let Some(key) = program.request_key()?.filter(|_| !dry_run) else {
        return Ok(None);
    };
    let known = program.http_program(on)?;
    let found = http_submission::answered_before(on.running_intake()?, &known, &key).await?;
    Ok(found.map(|of| SubmittedMessage::of(of, false)))
}

/// Returns the author of a message that names none: the default address of the brand or the account.
fn author(account: &Account, brand: Option<&Name>) -> Result<DraftMailbox, OperationError> {
    let details = &account.details;
    let (address, name) = match brand {
        Some(brand) => (details.brand_addresses.get(brand), brand.as_str()),
        None => (
            details.default_address.as_ref(),
            account.profile.product.as_str(),
        ),
    };
    let address = address.cloned().ok_or_else(|| {
        let of = brand.map_or("the account".to_owned(), |brand| {
            format!("the brand {brand}")
        });
        let text = format!("message.from: name an author, for {of} has no default address");
        OperationError::new(Code::NotUnderstood, text)
    })?;
    Ok(DraftMailbox::Named(NamedMailbox {
        address,
        name: name.to_owned(),
    }))
}

/// Returns the message of the account that is answered.
async fn answered(
    on: &Runtime,
    program: &SubmittingProgram,
    id: TransactionId,
) -> Result<TracedMessage, OperationError> {
    let trace = Arc::clone(&on.trace);
    let found = blocking(move || trace.message_of(id)).await?;
    let owner = program.http_program(on)?.account;
    let found = found.filter(|of| of.account.as_deref() == Some(owner.as_str()));
    Ok(found.ok_or_else(|| unknown("message", id))?)
}

/// Has a draft answer a message: its author, its subject and its conversation, where the draft has
/// none.
fn answer(draft: &mut Draft, answered: &TracedMessage) -> Result<(), OperationError> {
    if draft.recipients().next().is_none() {
        let address = answered.author.parse().map_err(|error| {
            let text = format!("message.to: the message that is answered has no author: {error}");
            OperationError::new(Code::NotUnderstood, text)
        })?;
        draft.to.push(DraftMailbox::Address(address));
    }
    if draft.subject.is_empty() {
        let subject = &answered.subject;
        let subject = subject[..subject.floor_char_boundary(LONGEST_SUBJECT)].to_owned();
        let is_answer = subject
            .get(..3)
            .is_some_and(|of| of.eq_ignore_ascii_case("re:"));
        draft.subject = match is_answer {
            true => subject,
            false => format!("Re: {subject}"),
        };
    }
    let is_id = is_message_id(&answered.message_id);
    if draft.in_reply_to.is_none() && is_id {
        draft.in_reply_to = Some(answered.message_id.clone());
    }
    Ok(())
}
