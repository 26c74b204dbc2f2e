//! The loop of a session: events of the protocol go to the link with the client, or to the driver of
//! the transaction.

use std::fmt;
use std::future::Future;
use std::io;

use gatepost_smtp::server::{Abort, Answer, Ask, Event, Session};

use crate::pipeline::TransactionDriver;

/// Link with the client of a session.
pub(crate) trait Link: Send {
    /// Waits for octets and feeds them to the session, or tells it that its time is over.
    fn read(
        &mut self,
        session: &mut Session,
    ) -> impl Future<Output = Result<(), Disconnect>> + Send;

    /// Sends replies.
    fn send(
        &mut self,
        replies: &[u8],
        session: &Session,
    ) -> impl Future<Output = Result<(), Disconnect>> + Send;

    /// Does the TLS handshake, and tells the session.
    fn start_tls(
        &mut self,
        session: &mut Session,
    ) -> impl Future<Output = Result<(), Disconnect>> + Send;

    /// Answers a question of the session for reasons of the link.
    fn refuse(&mut self, _: &Ask) -> Option<Answer> {
        None
    }

    /// Closes the link after the last reply.
    fn close(&mut self) -> impl Future<Output = ()> + Send;
}

/// Cause of a session that ended before its protocol did.
#[derive(Debug)]
pub(crate) enum Disconnect {
    /// The client closed the connection.
    Gone,
    /// The client accepted no bytes for too long.
    Stalled,
    /// The connection failed.
    Failed(io::Error),
}

impl From<io::Error> for Disconnect {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for Disconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("the client closed the connection"),
            Self::Stalled => f.write_str("the client took no replies"),
            Self::Failed(error) => write!(f, "the connection failed: {error}"),
        }
    }
}

/// Runs a session to its end.
pub(crate) async fn drive(
    mut session: Session,
    mut driver: TransactionDriver,
    mut link: impl Link,
) {
    let cut = match run(&mut session, &mut driver, &mut link).await {
        Ok(()) => {
            tracing::debug!("closed");
            None
        }
        Err(cut) => {
            let reason = cut.to_string();
            tracing::debug!(reason, "cut off");
            driver.abort(&reason);
            Some(reason)
        }
    };
    driver.end(&session, cut.as_deref());
}

async fn run(
    session: &mut Session,
    driver: &mut TransactionDriver,
    link: &mut impl Link,
) -> Result<(), Disconnect> {
    loop {
        if driver.is_revoked(session) {
            session.revoke();
        }
        match session.next_event() {
            Event::NeedInput => link.read(session).await?,
            Event::Send(replies) => link.send(&replies, session).await?,
            Event::StartTls => link.start_tls(session).await?,
            Event::Ask(ask) => {
                let answer = match link.refuse(&ask) {
                    Some(answer) => answer,
                    None => Box::pin(driver.answer(ask, session)).await,
                };
                session.answer(answer);
                if let Some(id) = driver.in_hand() {
                    session.label(id.to_string());
                }
            }
            Event::DataStarted => driver.data_started(),
            Event::Data(octets) => driver.data(&octets).await,
            Event::Aborted(Abort::GivenUp) => driver.abort("the client gave it up"),
            Event::Aborted(Abort::Refused { reply, size }) => driver.refuse(reply, size),
            Event::Close => {
                link.close().await;
                return Ok(());
            }
        }
    }
}
