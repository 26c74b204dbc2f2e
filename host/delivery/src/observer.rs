//! Who is told how things ended. The relay implements it for the trace and the outcome hooks.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use gatepost_message::{Address, TransactionId};
use gatepost_policy::{Judgement, NextHop};
use gatepost_spool::{Claim, ClaimedRecipient, Ending};

/// Told of each ending after it is on disk.
///
/// A crash between the two loses the telling, never the ending. The next attempt at the same
/// message waits for the observer; a panic in it costs nothing else.
pub trait Observer: Send + Sync + 'static {
    /// An attempt has ended for one recipient.
    fn attempt_ended<'a>(&'a self, attempt: &'a Attempt<'a>) -> Observing<'a>;

    /// A bounce has been put into the queue.
    fn bounce_made<'a>(&'a self, bounce: &'a BounceMade<'a>) -> Observing<'a>;
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

/// A bounce that went into the queue with the failures that it tells of.
#[derive(Debug)]
pub struct BounceMade<'a> {
    /// The message that failed.
    pub message: &'a Claim,
    /// The recipients that it failed for.
    pub failed: &'a [&'a ClaimedRecipient],
    /// The bounce's own transaction.
    pub id: TransactionId,
    /// Who gets it: the sender of the message.
    pub to: &'a Address,
}
