//! The observer of attempts and notices. The relay implements it for the trace and the outcome
//! hooks.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use gatepost_message::{Address, Message, ReversePath, TransactionId};
use gatepost_model::{AttemptStage, Destination, Judgement, Step};
use gatepost_spool::{AttemptOutcome, Claim, ClaimedRecipient};

use crate::notify::Action;

/// Is told of each outcome after it is on disk.
///
/// A crash between the two loses the call, never the outcome. The next attempt at the same message
/// waits for the observer; a panic in it costs nothing else.
pub trait Observer: Send + Sync + 'static {
    /// Is told that an attempt has ended for one recipient.
    fn attempt_ended<'a>(&'a self, attempt: &'a Attempt<'a>) -> Observing<'a>;

    /// Is told that a notice for the sender is in the queue.
    fn notice_made<'a>(&'a self, notice: &'a NoticeMade<'a>) -> Observing<'a>;
}

/// Future of a running observer.
pub type Observing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// One ended attempt for one recipient.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The message.
    pub message: &'a Claim,
    /// The recipient.
    pub recipient: &'a ClaimedRecipient,
    /// Calls of policies that led to the route.
    pub judgements: &'a [Judgement],
    /// Destination of the attempt; `None` if there was no route.
    pub destination: Option<&'a Destination>,
    /// Host and port of the server that was tried, or the application's way, which has no port;
    /// `None` if there was none.
    pub server: Option<(&'a str, Option<u16>)>,
    /// Stage that ended it.
    pub stage: AttemptStage,
    /// Step of the plan that was tried.
    pub step: Option<&'a Step>,
    /// Address in whose name the message left, if it is not the sender's.
    pub sent_as: Option<&'a Address>,
    /// Message as it travelled: converted, in another name, signed; `None` if no transaction began.
    pub sent: Option<&'a Message>,
    /// MAIL FROM; `None` if no transaction began.
    pub mail_from: Option<&'a ReversePath>,
    /// True if the recipient was given up because its time is over.
    pub expired: bool,
    /// Protocol and cipher of the connection; `None` in plaintext or without one.
    pub tls: Option<&'a str>,
    /// Outcome, with the reply and the server; never [`AttemptOutcome::Returned`], which is no
    /// attempt.
    pub outcome: &'a AttemptOutcome,
    /// Time from the claim to the end.
    pub took: Duration,
}

/// A notice that went into the queue with the outcomes that it reports.
#[derive(Debug)]
pub struct NoticeMade<'a> {
    /// The message.
    pub message: &'a Claim,
    /// Action that the notice reports.
    pub action: Action,
    /// Recipients that the notice is about.
    pub recipients: &'a [&'a ClaimedRecipient],
    /// Transaction id of the notice.
    pub id: TransactionId,
    /// Addressee of the notice: the sender of the message.
    pub to: &'a Address,
}
