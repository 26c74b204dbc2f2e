//! Who is told how things ended. The relay implements it for the trace and the outcome hooks.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use gatepost_message::{Address, TransactionId};
use gatepost_model::{Judgement, NextHop};
use gatepost_spool::{Claim, ClaimedRecipient, Ending};

use crate::notify::Action;

/// Told of each ending after it is on disk.
///
/// A crash between the two loses the telling, never the ending. The next attempt at the same
/// message waits for the observer; a panic in it costs nothing else.
pub trait Observer: Send + Sync + 'static {
    /// An attempt has ended for one recipient.
    fn attempt_ended<'a>(&'a self, attempt: &'a Attempt<'a>) -> Observing<'a>;

    /// A notice for the sender has been put into the queue.
    fn notice_made<'a>(&'a self, notice: &'a NoticeMade<'a>) -> Observing<'a>;
}

/// An observer at work.
pub type Observing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// One attempt for one recipient, ended.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The message.
    pub message: &'a Claim,
    /// The recipient.
    pub recipient: &'a ClaimedRecipient,
    /// The calls of policies that led to the route.
    pub judgements: &'a [Judgement],
    /// Where it was to go; `None` where no route was found.
    pub route: Option<&'a NextHop>,
    /// Protocol and cipher of the connection; `None` in plaintext or without one.
    pub tls: Option<&'a str>,
    /// How it ended, with the reply and the server; never [`Ending::Returned`], which is none.
    pub ending: &'a Ending,
    /// How long it took, from the claim to the end.
    pub took: Duration,
}

/// A notice that went into the queue with the endings that it tells of.
#[derive(Debug)]
pub struct NoticeMade<'a> {
    /// The message.
    pub message: &'a Claim,
    /// What became of it.
    pub action: Action,
    /// For whom.
    pub recipients: &'a [&'a ClaimedRecipient],
    /// The notice's own transaction.
    pub id: TransactionId,
    /// Who gets it: the sender of the message.
    pub to: &'a Address,
}
