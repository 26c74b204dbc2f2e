//! One SMTP transaction: a message from the store to a server, piece by piece.

use std::io;

use gatepost_message::Message;
use gatepost_smtp::Reply;
use gatepost_smtp::client::{Event, Failure, Framer, Outcome, Stage, Transaction};

use crate::connection::{Connection, Severed};
use crate::content::Pieces;

/// Up to so many octets are sent together, which costs a copy and saves the kernel's way.
const TOGETHER: usize = 32 << 10;

/// How a transaction went.
#[derive(Debug)]
pub(crate) struct Transferred {
    /// One for each recipient, in their order.
    pub(crate) outcomes: Vec<Outcome>,
    /// Whether the connection can be used again.
    pub(crate) usable: bool,
    /// Whether the connection broke down before any of the message was sent, so that nothing
    /// is known of this transaction and another connection may do.
    pub(crate) got_nowhere: bool,
    /// Whether the server was told what the sender wants to hear (RFC 3461), and answers for
    /// those that it took.
    pub(crate) dsn_passed_on: bool,
}

/// Hands one message over.
pub(crate) async fn transfer(
    connection: &mut Connection,
    envelope: Transaction,
    message: &Message,
) -> Transferred {
    let recipients = envelope.recipients.len();
    connection.transactions += 1;
    let mut result = None;
    let mut sending = false;
    // Why the relay itself broke off.
    let mut own = None;
    if connection.session.begin(envelope).is_err() {
        // A connection is only used where the session has said that it is ready.
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
                    Err(Broken::Connection) => {}
                    Err(Broken::Message(reply)) => {
                        let why = Failure::Disconnected(reply.text());
                        own = Some(reply);
                        connection.session.fail(why);
                    }
                }
            }
            Event::Finished(finished) => result = Some(finished.recipients),
            Event::Ready => break true,
            Event::StartTls | Event::Failed(_) | Event::Closed => break false,
            // Dealt with by `advance`.
            Event::NeedInput | Event::Send(_) => {}
        }
    };
    let mut outcomes = result.unwrap_or_else(|| vec![lost(); recipients]);
    for outcome in &mut outcomes {
        if let (Stage::Local, Some(own)) = (outcome.stage, &own) {
            outcome.reply = own.clone();
        }
    }
    let got_nowhere = !usable
        && !sending
        && outcomes.iter().all(|Outcome { reply, stage }| {
            (*stage == Stage::Local && reply.is_transient()) || reply.code() == 421
        });
    Transferred {
        outcomes,
        usable,
        got_nowhere,
        dsn_passed_on: connection.session.capabilities().dsn,
    }
}

fn lost() -> Outcome {
    Outcome {
        reply: Failure::Disconnected("no result".to_owned()).reply(),
        stage: Stage::Local,
    }
}

/// Why a message was not sent whole.
enum Broken {
    /// The connection's fault, and for it to say.
    Connection,
    /// The message's or the store's, and what to say of it.
    Message(Reply),
}

impl From<Severed> for Broken {
    fn from(_: Severed) -> Self {
        Self::Connection
    }
}

/// Sends header section and body.
async fn send(
    connection: &mut Connection,
    message: &Message,
    mut framer: Framer,
) -> Result<(), Broken> {
    // Intake has let no such message pass, but sending one would let two arrive.
    let stray = |error: gatepost_smtp::client::StrayOctet| {
        Broken::Message(Reply::new(554, "5.6.0", error.to_string()))
    };
    let unreadable = |error: io::Error| {
        tracing::error!(%error, "cannot read a message from the spool");
        Broken::Message(Reply::new(
            451,
            "4.3.0",
            "the relay cannot read the message from its store",
        ))
    };
    let mut piece = message.head().clone();
    let mut pieces = Pieces::of(message.body());
    let mut gathered = Vec::new();
    loop {
        let framed = framer.push(piece).map_err(stray)?;
        gather(connection, &mut gathered, &framed).await?;
        // What is damaged ends here, before the end of the message that would make it one.
        piece = pieces.next().await.map_err(unreadable)?;
        if piece.is_empty() {
            break;
        }
    }
    let end = framer.finish().map_err(stray)?;
    // A chunk is whole without: the server may have answered it already.
    gather(connection, &mut gathered, end).await?;
    if !gathered.is_empty() {
        connection.send_piece(&gathered).await?;
    }
    Ok(())
}

/// Adds a piece to what is to be sent together, and sends that where it would become too much:
/// a small message goes out at once, and a large one without being copied.
async fn gather(
    connection: &mut Connection,
    gathered: &mut Vec<u8>,
    piece: &[u8],
) -> Result<(), Broken> {
    if gathered.len() + piece.len() <= TOGETHER {
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
