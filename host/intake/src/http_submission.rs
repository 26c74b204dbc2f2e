//! Mail that a program hands in over HTTP, in the name of an account.
//!
//! It goes through the intake of the first submission listener: the same limits and repairs, the same
//! policies, the same commit. The session is in memory, and whoever calls has checked the program's
//! token. The message goes in chunks (BDAT, RFC 3030), so that nothing of it is stuffed.
//!
//! - `keys`: requests that may come again under a key, and are answered once.
//! - `answer`: what the program is told, and what is kept of it.

mod answer;
mod keys;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use gatepost_message::{Address, Millis, ReversePath, TransactionId};
use gatepost_model::Flow;
use gatepost_smtp::Reply;
use gatepost_smtp::server::{Abort, Answer, AuthOffer, Event, Limits, Session, Settings, StartTls};
use tokio::io::{AsyncRead, AsyncReadExt as _};

pub use self::answer::AcceptedMessage;
pub(crate) use self::answer::{AnswerToKeep, AnsweredSubmission};
pub(crate) use self::keys::HeldKey;
pub use self::keys::{KeysInHand, SubmissionKey};
use crate::active_config::{ConfigHandle, ListenerKey, SharedConfig};
use crate::listener::Service;
use crate::pipeline::{DeliveryTimes, Pipeline, TransactionDriver, local_error, spool_refusal};
use crate::session::count_replies;

/// Octets of the message that are read at a time.
const CHUNK: usize = 64 << 10;

/// Program that hands in mail, as the record names it: `http:ACCOUNT:TOKEN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpProgram {
    /// Id of the account in whose name it submits.
    pub account: String,
    /// Id of its token.
    pub token: String,
}

impl HttpProgram {
    /// Reads the name of a program; `None` if it is another name.
    pub fn parse(name: &str) -> Option<Self> {
        let (account, token) = name.strip_prefix("http:")?.rsplit_once(':')?;
        Some(Self {
            account: account.to_owned(),
            token: token.to_owned(),
        })
    }
}

impl fmt::Display for HttpProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http:{}:{}", self.account, self.token)
    }
}

/// Envelope of a message that comes over HTTP.
#[derive(Debug, Clone)]
pub struct HttpEnvelope {
    /// Program that hands it in.
    pub program: HttpProgram,
    /// Address of the program; the unspecified one where it has none.
    pub client: SocketAddr,
    /// Reverse-path.
    pub reverse_path: ReversePath,
    /// Recipients, at least one.
    pub recipients: Vec<Address>,
    /// Earliest time of the first attempt.
    pub not_before: Option<Millis>,
    /// Time at which the message is given up, if that is earlier than by the configuration.
    pub expires: Option<Millis>,
    /// Message-ID that the relay gave the message, without angle brackets.
    pub message_id: Option<String>,
    /// Key under which the program may send the request again, to be answered as the first time. A dry
    /// run needs none.
    pub key: Option<SubmissionKey>,
    /// True if nothing is carried out: the message is judged, and forgotten.
    pub is_dry_run: bool,
}

/// Refusal of a message: nothing of it is queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedMessage {
    /// Its transaction, if one was begun.
    pub id: Option<TransactionId>,
    /// Reply that refuses all of it.
    pub reply: Reply,
    /// Replies that refuse single recipients, in the order of the envelope.
    pub recipients: Vec<(Address, Reply)>,
}

impl From<Reply> for RefusedMessage {
    fn from(reply: Reply) -> Self {
        Self {
            id: None,
            reply,
            recipients: Vec::new(),
        }
    }
}

/// Reason why a message is not accepted now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmissionRefusal {
    /// The message is refused.
    #[error("{}", .0.reply)]
    Message(RefusedMessage),
    /// The program has used the key for another request, whose message was accepted.
    #[error("the key was used for another request: choose a new one for this")]
    OtherRequest,
    /// A request of the program with the same key is under way.
    #[error("a request with this key is under way: send this one again when that has ended")]
    UnderWay,
}

impl From<RefusedMessage> for SubmissionRefusal {
    fn from(refused: RefusedMessage) -> Self {
        Self::Message(refused)
    }
}

impl From<Reply> for SubmissionRefusal {
    fn from(reply: Reply) -> Self {
        Self::Message(reply.into())
    }
}

/// Hands a message in. Lines may end in LF alone: they are repaired as the record says.
///
/// A request that comes again under its key gets the first answer, and its message is not read. So it
/// does until the answer is dropped from the store, by age or number.
///
/// # Errors
/// The message is refused, for now or for good, as a whole or for all recipients; the source of its
/// octets has failed. Its key is of another request, or that request is under way.
pub async fn submit(
    active: &Arc<SharedConfig>,
    envelope: HttpEnvelope,
    message: impl AsyncRead + Send,
) -> Result<AcceptedMessage, SubmissionRefusal> {
    let (listener, service) = submission_service(active)?;
    let key = match &envelope.key {
        None => None,
        Some(_) if envelope.is_dry_run => None,
        Some(key) => match first_answer(&service.pipeline, &envelope.program, key).await? {
            FirstAnswer::Given(accepted) => return Ok(accepted),
            FirstAnswer::None(held) => Some(held),
        },
    };
    let handle = ConfigHandle {
        active: Arc::clone(active),
        listener,
    };
    let mut conversation = Conversation::open(handle, &service, &envelope);
    let submitted = conversation.submit(envelope, key, message).await;
    conversation.end();
    Ok(submitted?)
}

/// Returns the answer that was given to a request under its key, if there is one. It stands whatever
/// has changed since.
///
/// # Errors
/// The key is of another request, or the request is under way; the store failed.
pub async fn answered_before(
    active: &Arc<SharedConfig>,
    program: &HttpProgram,
    key: &SubmissionKey,
) -> Result<Option<AcceptedMessage>, SubmissionRefusal> {
    let (_, service) = submission_service(active)?;
    Ok(match first_answer(&service.pipeline, program, key).await? {
        FirstAnswer::Given(accepted) => Some(accepted),
        FirstAnswer::None(_) => None,
    })
}

/// Returns the first listener that takes submissions.
fn submission_service(active: &SharedConfig) -> Result<(ListenerKey, Arc<Service>), Reply> {
    let config = active.load();
    let mut listeners = config.config.listeners.iter();
    let found = listeners.find_map(|listener| {
        let key = ListenerKey::of(listener);
        let service = config.services.get(&key)?;
        (service.pipeline.flow == Flow::Submission).then(|| (key, Arc::clone(service)))
    });
    found.ok_or_else(|| {
        // RFC 3463: X.3.5, system incorrectly configured.
        Reply::new(451, "4.3.5", "No listener takes submissions")
    })
}

/// First answer to a request with a key.
enum FirstAnswer {
    /// It was given before.
    Given(AcceptedMessage),
    /// There is none: the key is held for this request.
    None(HeldKey),
}

/// Looks for the answer under a key, and holds the key if there is none.
async fn first_answer(
    pipeline: &Pipeline,
    program: &HttpProgram,
    key: &SubmissionKey,
) -> Result<FirstAnswer, SubmissionRefusal> {
    // Held before the look: what is not in the store then is not on its way there either.
    let held = (pipeline.keys_in_hand).hold(program, key);
    let held = held.ok_or(SubmissionRefusal::UnderWay)?;
    let HttpProgram { account, token } = program;
    let found = pipeline.answers.answer_under(account, token, key.as_str());
    match found.await.map_err(|error| spool_refusal(&error))? {
        None => Ok(FirstAnswer::None(held)),
        Some(first) if !key.is_of(&first) => Err(SubmissionRefusal::OtherRequest),
        Some(first) => {
            let id = first.id;
            let accepted = AcceptedMessage::of_kept(&first).map_err(|error| {
                tracing::error!(%id, %error, "the answer to a request cannot be read");
                local_error()
            })?;
            tracing::info!(%id, account, "a request came again: it is answered as the first time");
            Ok(FirstAnswer::Given(accepted))
        }
    }
}

/// Session in memory with its driver.
struct Conversation {
    session: Session,
    driver: TransactionDriver,
    /// Last reply of the session.
    reply: Option<Reply>,
    /// Transaction in hand, or the last one.
    id: Option<TransactionId>,
}

impl Conversation {
    fn open(handle: ConfigHandle, service: &Service, envelope: &HttpEnvelope) -> Self {
        let settings = Settings {
            start_tls: StartTls::None,
            auth: AuthOffer::None,
            limits: Limits {
                errors: u32::MAX,
                idle_commands: u32::MAX,
                repair_line_ends: true,
                ..service.settings.limits.clone()
            },
            hostname: service.settings.hostname.clone(),
        };
        let pipeline = Arc::clone(&service.pipeline);
        let mut driver =
            TransactionDriver::over_http(pipeline, handle, envelope.client, &envelope.program);
        if envelope.is_dry_run {
            driver.run_dry();
        }
        driver.set_times(DeliveryTimes {
            not_before: envelope.not_before,
            expires: envelope.expires,
        });
        Self {
            session: Session::new(Arc::new(settings), None),
            driver,
            reply: None,
            id: None,
        }
    }

    async fn submit(
        &mut self,
        envelope: HttpEnvelope,
        key: Option<HeldKey>,
        message: impl AsyncRead + Send,
    ) -> Result<AcceptedMessage, RefusedMessage> {
        let banner = self.hear().await;
        positive(banner)?;
        let hello = self.say("EHLO http.invalid").await;
        positive(hello)?;
        let mut addresses =
            (envelope.reverse_path.address().into_iter()).chain(&envelope.recipients);
        let parameter = match addresses.all(Address::is_ascii) {
            true => "",
            false => " SMTPUTF8",
        };
        let path = in_brackets(envelope.reverse_path.address());
        let begun = self.say(&format!("MAIL FROM:{path}{parameter}")).await;
        positive(begun).map_err(|reply| self.refused(reply, Vec::new()))?;
        let mut refused = Vec::new();
        let mut accepted = 0;
        for address in &envelope.recipients {
            let path = in_brackets(Some(address));
            match positive(self.say(&format!("RCPT TO:{path}")).await) {
                Ok(_) => accepted += 1,
                Err(reply) => refused.push((address.clone(), reply)),
            }
        }
        if accepted == 0 {
            let first = refused.first().map(|(_, reply)| reply.clone());
            let reply = first.unwrap_or_else(|| Reply::new(554, "5.5.1", "No valid recipients"));
            return Err(self.refused(reply, refused));
        }
        self.driver.set_request(AnsweredSubmission {
            named: envelope.recipients,
            refused: refused.clone(),
            message_id: envelope.message_id,
            key,
        });
        let sent = self.send(message).await;
        positive(sent).map_err(|reply| self.refused(reply, refused))?;
        Ok(self.driver.take_accepted().ok_or_else(local_error)?)
    }

    /// Sends the message; returns the last reply.
    async fn send(&mut self, message: impl AsyncRead + Send) -> Reply {
        let mut message = std::pin::pin!(message);
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = match message.read(&mut chunk).await {
                Ok(0) => return self.say("BDAT 0 LAST").await,
                Ok(read) => read,
                Err(error) => {
                    self.driver.abort(&error.to_string());
                    // RFC 3463: X.6.0, other or undefined media error.
                    let text = format!("the message did not come whole: {error}");
                    return Reply::new(451, "4.6.0", text);
                }
            };
            self.session.feed(format!("BDAT {read}\r\n").as_bytes());
            self.session.feed(&chunk[..read]);
            let reply = self.hear().await;
            if reply.is_negative() {
                return reply;
            }
        }
    }

    fn refused(&self, reply: Reply, recipients: Vec<(Address, Reply)>) -> RefusedMessage {
        RefusedMessage {
            id: self.id,
            reply,
            recipients,
        }
    }

    async fn say(&mut self, command: &str) -> Reply {
        self.session.feed(command.as_bytes());
        self.session.feed(b"\r\n");
        self.hear().await
    }

    /// Goes on until the session waits; returns its last reply.
    async fn hear(&mut self) -> Reply {
        loop {
            match self.session.next_event() {
                Event::Ask(ask) => {
                    let answer: Answer = Box::pin(self.driver.answer(ask, &self.session)).await;
                    self.session.answer(answer);
                    if let Some(id) = self.driver.in_hand() {
                        self.id = Some(id);
                        self.session.label(id.to_string());
                    }
                }
                Event::Send(sent) => {
                    count_replies(&sent);
                    self.reply = Reply::last_of(&sent).or(self.reply.take());
                }
                Event::DataStarted => self.driver.data_started(),
                Event::Data(octets) => self.driver.data(&octets).await,
                Event::Aborted(Abort::GivenUp) => self.driver.abort("the program gave it up"),
                Event::Aborted(Abort::Refused { reply, size }) => self.driver.refuse(reply, size),
                Event::NeedInput | Event::StartTls | Event::Close => {
                    return self.reply.clone().unwrap_or_else(local_error);
                }
            }
        }
    }

    fn end(mut self) {
        self.driver.abort("the program gave it up");
        self.driver.end(&self.session, None);
    }
}

/// Returns a reply, or refuses with it.
fn positive(reply: Reply) -> Result<Reply, Reply> {
    match reply.is_negative() {
        true => Err(reply),
        false => Ok(reply),
    }
}

/// Returns an address as a path (RFC 5321 section 4.1.2).
fn in_brackets(address: Option<&Address>) -> String {
    address.map_or_else(|| "<>".to_owned(), |address| format!("<{address}>"))
}
