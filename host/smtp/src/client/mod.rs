//! The client's side of a session: banner, EHLO, TLS, log-in, then one transaction after another.
//!
//! The owner of a connection loops over [`Session::next_event`] as on the server's side. After
//! [`Event::Ready`] it may [`begin`](Session::begin) a transaction or [`quit`](Session::quit).
//! Every transaction ends in exactly one [`Event::Finished`], which has one outcome for each
//! recipient, whatever happens to the connection; [`Event::Failed`] says that the connection is of
//! no more use.
//!
//! A server that refuses the session at any [`OpeningStage`] has said nothing about a message: that
//! is a [`Failure::SessionRefused`], and never the outcome for a recipient.

mod auth;
mod capabilities;
mod ehlo_name;
mod envelope;
mod failure;
mod framer;
mod parameters;
mod reader;
mod session;
mod xforward;

use bytes::Bytes;
use gatepost_message::ReversePath;
use gatepost_sasl::client::Login;

pub use self::auth::SecretLine;
pub use self::capabilities::{Capabilities, Limits};
pub use self::ehlo_name::{EhloName, EhloNameError};
pub use self::failure::{Failure, LoginError, OpeningStage};
pub use self::framer::{Framer, StrayOctet};
pub use self::session::Session;
pub use self::xforward::{Attribute, Origin};
use crate::dsn::{self, Recipient};
use crate::reply::Reply;

/// Use of STARTTLS (RFC 3207).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tls {
    /// Never: plaintext, or implicit TLS.
    None,
    /// If the server offers it.
    #[default]
    Opportunistic,
    /// Always; without it no mail is handed over.
    Required,
}

/// Protocol of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Protocol {
    /// SMTP (RFC 5321).
    #[default]
    Smtp,
    /// LMTP (RFC 2033): the server answers the end of a message once for each recipient that it
    /// accepted, because delivery may succeed to some mailboxes and fail to others.
    Lmtp,
}

/// Settings of a client session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Protocol of the server.
    pub protocol: Protocol,
    /// Argument of EHLO or LHLO.
    pub ehlo_name: EhloName,
    /// Use of STARTTLS.
    pub tls: Tls,
    /// Log-in, without which no mail is handed over if there is one. It is sent over TLS alone.
    pub login: Option<Login>,
}

/// One message for some recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Reverse-path, to which bounces go.
    pub reverse_path: ReversePath,
    /// Recipients, in the order of the outcomes.
    pub recipients: Vec<Recipient>,
    /// Octets of the message, before dot-stuffing.
    pub size: u64,
    /// True if the message holds octets outside ASCII.
    pub eight_bit: bool,
    /// True if the header section needs SMTPUTF8 (RFC 6531). The session itself sees if the
    /// envelope does.
    pub smtputf8: bool,
    /// Treatment of lines of more than 998 octets.
    pub long_lines: LongLines,
    /// True if the last line ends in CRLF. A message without that goes by BDAT (RFC 3030) where it
    /// is offered; DATA always adds a CRLF.
    pub ends_in_crlf: bool,
    /// Notifications that the sender asks for.
    pub dsn: dsn::MessageRequest,
    /// Sender of the message to this relay, for a server that asks for it by XFORWARD and may know.
    pub origin: Option<Origin>,
}

/// Treatment of lines with more octets than a server must accept (RFC 5321 section 4.5.3.1.6). They
/// go by BDAT to a server that offers CHUNKING, since a chunk has no lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LongLines {
    /// The message has none.
    #[default]
    None,
    /// They go by DATA where BDAT is not offered: most servers accept them.
    Sent,
    /// They go by BDAT alone; a server that does not offer it is not sent the message.
    ByChunk,
}

/// Next action of the session's owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Wait for bytes from the server and [`feed`](Session::feed) them, for at most
    /// [`timeout`](Session::timeout).
    NeedInput,
    /// Send these bytes.
    Send(Bytes),
    /// Send this line of AUTH.
    SendSecret(SecretLine),
    /// Do the TLS handshake as client, then call [`tls_started`](Session::tls_started), or
    /// [`fail`](Session::fail) with [`Failure::Tls`].
    StartTls,
    /// Begin a transaction, or not. Comes once after the handshakes and once after each
    /// transaction.
    Ready,
    /// Send the message through this framer, then call [`body_sent`](Session::body_sent): the
    /// server waits for it.
    SendBody(Framer),
    /// Record the result: the transaction is over.
    Finished(TransactionResult),
    /// Close the connection: it is of no more use. Every later event is the same.
    Failed(Failure),
    /// Close the connection, after [`quit`](Session::quit). Every later event is the same.
    Closed,
}

/// Result of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionResult {
    /// Outcomes of the recipients, in their order. A positive one means that the server has taken
    /// responsibility for the message.
    pub recipients: Vec<Outcome>,
}

/// Outcome for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The reply that decided it.
    pub reply: Reply,
    /// The stage of that reply.
    pub stage: Stage,
}

/// The stage of a transaction that decided the outcome for a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// MAIL.
    Mail,
    /// RCPT.
    Recipient,
    /// DATA.
    Data,
    /// The end of the message.
    Message,
    /// None: the reply is this side's own.
    Local,
}

impl Stage {
    /// Returns the stage in words, as in `in reply to RCPT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mail => "MAIL",
            Self::Recipient => "RCPT",
            Self::Data => "DATA",
            Self::Message => "end of data",
            Self::Local => "no command",
        }
    }
}

/// Error: [`Session::begin`] was called while no transaction could begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a transaction can begin only when the session is ready")]
pub struct NotReady(
    /// The transaction that was to begin.
    pub Box<Transaction>,
);
