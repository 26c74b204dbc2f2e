//! The server's side of a session.
//!
//! The owner of a connection loops: it takes the next event from [`Session::next_event`], acts on
//! it, and hands in what the event asks for: bytes with [`Session::feed`] after
//! [`Event::NeedInput`], an answer with [`Session::answer`] after [`Event::Ask`], the finished
//! handshake with [`Session::tls_started`] after [`Event::StartTls`].
//!
//! A session first asks the owner to accept the client ([`Ask::Connect`]), then sends its banner.
//! It asks about MAIL and about each RCPT as they come, and replies `250 2.1.0` or `250 2.1.5`
//! itself where the owner accepts. [`Event::DataStarted`] announces message bytes
//! ([`Event::Data`]), whether they come by DATA or by BDAT; [`Ask::Message`] says that the message
//! is whole. The owner words the reply to that, because only it knows the transaction's id and what
//! becomes of the message. If a transaction ends in any other way, [`Event::Aborted`] says why, and
//! the owner drops what it staged.
//!
//! Replies to commands that came together go out together (RFC 2920 section 3.2).

mod auth;
mod chunk;
mod command;
mod data;
mod envelope;
mod limits;
mod line;
mod parameter;
mod path;
mod proxied;
mod session;

use bytes::Bytes;
use gatepost_message::{Repairs, ReversePath};
use gatepost_sasl::{Binding, Claim, Verifier};
use serde::{Deserialize, Serialize};

pub use self::limits::{AuthOffer, Limits, Settings, StartTls};
pub use self::proxied::{Attribute, Attributes, Trust};
pub use self::session::Session;

use crate::dsn::{self, Recipient};
use crate::reply::Reply;

/// Next action of the session's owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Wait for bytes from the client and [`feed`](Session::feed) them.
    NeedInput,
    /// Send these bytes.
    Send(Bytes),
    /// Do the TLS handshake as server (all bytes to be sent in plaintext have been asked for),
    /// then call [`tls_started`](Session::tls_started); if it fails, close.
    StartTls,
    /// Decide, then call [`answer`](Session::answer).
    Ask(Ask),
    /// Prepare for a message: 354 was sent, or a first chunk (BDAT, RFC 3030) was accepted. The
    /// `Data` that follows belongs to the transaction in hand.
    DataStarted,
    /// A piece of the message, dots unstuffed and lines repaired, never empty.
    Data(Bytes),
    /// Drop the staged bytes: the transaction in hand ended without a message. Comes for each
    /// transaction that the owner accepted at [`Ask::Mail`] and that did not reach
    /// [`Ask::Message`], except where the client is gone.
    Aborted(Abort),
    /// Close the connection. Every later event is the same. The owner should read and drop what
    /// the client still sends for a moment, lest a TCP reset overtake the last reply.
    Close,
}

/// Reason why a transaction ended without a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Abort {
    /// The client gave it up: RSET, QUIT, EHLO, HELO, STARTTLS.
    GivenUp,
    /// The session refused it: the message breaks a limit or a rule of the protocol, or the session
    /// ends with 421, as after a time-out.
    Refused {
        /// Reply to the client, with the [label](Session::label).
        reply: Reply,
        /// Octets of the message that had come.
        size: u64,
    },
}

/// Question that only the owner can decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Accept this client? The first question of a session, before its banner; asked again after
    /// XCLIENT.
    Connect,
    /// Verifier of this user's password? Comes before [`Ask::Authenticate`] where the mechanism
    /// needs it for its challenge. Answer with [`Answer::Verifier`], even if there is no such user.
    Verifier(String),
    /// Accept this claim, and this user here? If so, the client gets 235 2.7.0.
    Authenticate(Claim),
    /// Believe this trusted client that it speaks for another (XCLIENT)? If so, the session begins
    /// anew, with [`Ask::Connect`], and [`proxied`](Session::proxied) returns the other client.
    Proxied(Attributes),
    /// Accept this sender? If so, a transaction begins.
    Mail(Mail),
    /// Accept this recipient in the transaction in hand?
    Recipient(Recipient),
    /// Keep this whole message? Answer with the reply for the client.
    Message {
        /// Octets of the message, all of which came as [`Event::Data`].
        size: u64,
        /// True if any octet is outside ASCII.
        eight_bit: bool,
        /// Repairs made before the octets came as [`Event::Data`], and remarks for the record.
        repairs: Option<Box<Repairs>>,
    },
}

/// A MAIL command, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Reverse-path, to which bounces go.
    pub reverse_path: ReversePath,
    /// The size that the client announced (RFC 1870), within the limit.
    pub size: Option<u64>,
    /// The body that the client announced (RFC 6152).
    pub body: BodyType,
    /// True if the client announced characters outside ASCII in addresses or header fields
    /// (SMTPUTF8, RFC 6531).
    pub smtputf8: bool,
    /// Notifications that the sender asks for.
    pub dsn: dsn::MessageRequest,
}

/// Returns the name of ESMTP for a Received field (RFC 3848; RFC 6531 section 4.3 for SMTPUTF8).
pub fn protocol(smtputf8: bool, tls: bool, authenticated: bool) -> &'static str {
    match (smtputf8, tls, authenticated) {
        (false, false, false) => "ESMTP",
        (false, false, true) => "ESMTPA",
        (false, true, false) => "ESMTPS",
        (false, true, true) => "ESMTPSA",
        (true, false, false) => "UTF8SMTP",
        (true, false, true) => "UTF8SMTPA",
        (true, true, false) => "UTF8SMTPS",
        (true, true, true) => "UTF8SMTPSA",
    }
}

/// BODY of RFC 6152.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyType {
    /// Octets below 128 only; the default.
    #[default]
    SevenBit,
    /// Any octet.
    EightBitMime,
}

/// Decision of the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes, with the session's own reply.
    Proceed,
    /// Yes or no with this reply: yes if it is positive. After [`Ask::Connect`], yes sends the
    /// usual banner, a permanent no becomes 554, after which only QUIT is accepted (RFC 5321
    /// section 3.1), and a temporary no becomes 421. A 421 closes the connection, as always.
    Reply(Reply),
    /// No, with this reply; then close.
    Close(Reply),
    /// Verifier for [`Ask::Verifier`]; after any other question it means [`Answer::Proceed`].
    Verifier(Verifier),
}

/// Returns the reply to a client whose credential was revoked.
pub fn revoked() -> Reply {
    let text = "What you have logged in with is revoked: log in anew";
    Reply::new(421, "4.7.0", text)
}

/// TLS of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secured {
    /// Protocol and cipher, such as `TLSv1.3 TLS13_AES_256_GCM_SHA384`.
    pub by: String,
    /// Channel binding for AUTH; `None` where the protocol has no safe one (TLS 1.2: RFC 9266
    /// section 3).
    pub binding: Option<Binding>,
}
