//! One SMTP transaction: a message from the store to a server, piece by piece.

use std::io;

use gatepost_message::Message;
use gatepost_smtp::Reply;
use gatepost_smtp::client::{Event, Failure, Framer, Outcome, Stage, Transaction};

use crate::connection::{Connection, Severed};
use crate::content::Pieces;

/// Most octets that are copied together into one write: one copy saves several system calls.
const COALESCE_LIMIT: usize = 32 << 10;

/// Words of the reply for a message that cannot be read.
pub(crate) const UNREADABLE: &str = "the relay cannot read the message from its store";

/// Result of a transaction.
#[derive(Debug)]
pub(crate) struct Transferred {
    /// Outcomes, one for each recipient in their order.
    pub(crate) outcomes: Vec<Outcome>,
    /// True if the connection can be used again.
    pub(crate) usable: bool,
    /// True if the connection broke before any of the message was sent: nothing is known of this
    /// transaction, and another connection may carry it.
    pub(crate) failed_before_data: bool,
    /// True if the server was sent the requested notices (RFC 3461), and is responsible for them
    /// for the recipients that it accepted.
    pub(crate) dsn_passed_on: bool,
}

/// Runs one transaction.
pub(crate) async fn transfer(
    connection: &mut Connection,
    envelope: Transaction,
    message: &Message,
) -> Transferred {
    let recipients = envelope.recipients.len();
    connection.transactions += 1;
    let mut result = None;
    let mut sending = false;
    // The relay's own_reply reason for breaking off.
    let mut own_reply = None;
    if connection.session.begin(envelope).is_err() {
        // A connection is only used if its session has said that it is ready.
        connection
            .session
            .fail(Failure::Protocol("not ready for a transaction".to_owned()));
    }
    let usable = loop {
        match connection.advance().await {
            Event::SendBody(framer) => {
                sending = true;
                match send(connection, message, framer).await {
                    Ok(()) => connection.session.body_sent(),
                    Err(SendError::Connection) => {}
                    Err(SendError::Message(reply)) => {
                        let why = Failure::Disconnected(reply.text());
                        own_reply = Some(reply);
                        connection.session.fail(why);
                    }
                }
            }
            Event::Finished(finished) => result = Some(finished.recipients),
            Event::Ready => break true,
            Event::StartTls | Event::Failed(_) | Event::Closed => break false,
            // `advance` handles these itself.
            Event::NeedInput | Event::Send(_) | Event::SendSecret(_) => {}
        }
    };
    let mut outcomes = result.unwrap_or_else(|| vec![no_result(); recipients]);
    for outcome in &mut outcomes {
        if let (Stage::Local, Some(own_reply)) = (outcome.stage, &own_reply) {
            outcome.reply = own_reply.clone();
        }
    }
    let failed_before_data = !usable
        && !sending
        && outcomes.iter().all(|Outcome { reply, stage }| {
            (*stage == Stage::Local && reply.is_transient()) || reply.code() == 421
        });
    Transferred {
        outcomes,
        usable,
        failed_before_data,
        dsn_passed_on: connection.session.capabilities().dsn,
    }
}

fn no_result() -> Outcome {
    Outcome {
        reply: Failure::Disconnected("no result".to_owned()).reply(),
        stage: Stage::Local,
    }
}

/// Reason why a message was not sent completely.
enum SendError {
    /// The connection failed, and the session reports it.
    Connection,
    /// The message or the store is at fault; the relay reports it with this reply.
    Message(Reply),
}

impl From<Severed> for SendError {
    fn from(_: Severed) -> Self {
        Self::Connection
    }
}

/// Sends header section and body.
async fn send(
    connection: &mut Connection,
    message: &Message,
    mut framer: Framer,
) -> Result<(), SendError> {
    // Intake lets no such message pass; sending one would allow SMTP smuggling (two messages would
    // arrive).
    let stray = |error: gatepost_smtp::client::StrayOctet| {
        SendError::Message(Reply::new(554, "5.6.0", error.to_string()))
    };
    let unreadable = |error: io::Error| {
        tracing::error!(%error, "cannot read a message from the spool");
        SendError::Message(Reply::new(451, "4.3.0", UNREADABLE))
    };
    let mut piece = message.head().clone();
    let mut pieces = Pieces::of(message.body());
    let mut gathered = Vec::new();
    loop {
        let framed = framer.push(piece).map_err(stray)?;
        send_coalesced(connection, &mut gathered, &framed).await?;
        // A damaged body ends here, before the end of the message would make it complete.
        piece = pieces.next().await.map_err(unreadable)?;
        if piece.is_empty() {
            break;
        }
    }
    let end = framer.finish().map_err(stray)?;
    // A chunk is complete without it: the server may have answered already.
    send_coalesced(connection, &mut gathered, end).await?;
    if !gathered.is_empty() {
        connection.send_piece(&gathered).await?;
    }
    Ok(())
}

/// Adds a piece to the octets that are written together, and writes them when they would become too
/// many: a small message is written at once, and a large one without being copied.
async fn send_coalesced(
    connection: &mut Connection,
    gathered: &mut Vec<u8>,
    piece: &[u8],
) -> Result<(), SendError> {
    if gathered.len() + piece.len() <= COALESCE_LIMIT {
        gathered.extend_from_slice(piece);
        return Ok(());
    }
    if !gathered.is_empty() {
        connection.send_piece(gathered).await?;
        gathered.clear();
    }
    connection.send_piece(piece).await?;
    Ok(())
}
