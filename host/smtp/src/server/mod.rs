//! The server's side of a session.
//!
//! The owner of a connection loops: ask [`Session::next_event`] what is to be done, do it, and
//! hand in what it asks for: bytes with [`Session::feed`] after [`Event::NeedInput`], an answer
//! with [`Session::answer`] after [`Event::Ask`], the finished handshake with
//! [`Session::tls_started`] after [`Event::StartTls`].
//!
//! A session goes like this. It first asks whether the client is welcome ([`Ask::Connect`]), and
//! says its banner when it is. MAIL and each RCPT are asked in turn, as they come; a yes is
//! answered `250 2.1.0` and `250 2.1.5` by the session itself. [`Event::DataStarted`] says that
//! message bytes follow as [`Event::Data`], be it by DATA or in the chunks of BDAT, and [`Ask::Message`] that they are whole: the reply to
//! that is the owner's in full, because only it knows the transaction's id and fate. If a
//! transaction ends in any other way, [`Event::Aborted`] says so and why, and what was staged is to
//! be dropped.
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

/// What the session's owner is to do next.
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
    /// 354 has been said, or a first chunk (BDAT, RFC 3030) is taken: what follows as `Data` belongs to the transaction in hand.
    DataStarted,
    /// A piece of the message, dots unstuffed and lines repaired, never empty.
    Data(Bytes),
    /// The transaction in hand ended without a message: its staged bytes are to be dropped. Comes
    /// for each transaction that began with a yes to [`Ask::Mail`] and did not reach
    /// [`Ask::Message`], but for those that end because the client is gone.
    Aborted(Abort),
    /// Close the connection. It stays at that. What the client still sends should be read and
    /// dropped for a moment, lest a TCP reset overtake the last reply.
    Close,
}

/// Why a transaction ended without a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Abort {
    /// The client gave it up: RSET, QUIT, a greeting, STARTTLS.
    GivenUp,
    /// The client was told this: the message breaks a limit or a rule of the protocol, or with
    /// 421 the session ends, such as for a time-out.
    Refused {
        /// What it was told, the [label](Session::label) included.
        reply: Reply,
        /// Octets of the message that had come.
        size: u64,
    },
}

/// What only the owner can decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Is this client welcome? The first thing a session asks, before its banner; asked again
    /// when it turns out to be another's.
    Connect,
    /// By what is a proof of this user to be checked? Comes before [`Ask::Authenticate`] where the
    /// mechanism needs it for its challenge. To be answered by [`Answer::Verifier`], be there such
    /// a user or not.
    Verifier(String),
    /// Does this claim hold, and may this user come in here? A yes makes it 235 2.7.0.
    Authenticate(Claim),
    /// Is this client, whom we trust, to be believed that it speaks for another (XCLIENT)? A yes
    /// begins the session anew, with [`Ask::Connect`], and
    /// [`proxied`](Session::proxied) says as whose.
    Proxied(Attributes),
    /// Is this sender welcome? A yes begins a transaction.
    Mail(Mail),
    /// Is this recipient welcome in the transaction in hand?
    Recipient(Recipient),
    /// The message is whole: keep it, and say what the client is to be told.
    Message {
        /// Its octets, all of which came as [`Event::Data`].
        size: u64,
        /// Whether any of them is outside ASCII.
        eight_bit: bool,
        /// What was repaired before it came as [`Event::Data`], and what else belongs on record.
        repairs: Option<Box<Repairs>>,
    },
}

/// MAIL, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Where bounces go.
    pub reverse_path: ReversePath,
    /// The size that the client announced (RFC 1870), within the limit.
    pub size: Option<u64>,
    /// The body that the client announced (RFC 6152).
    pub body: BodyType,
    /// The client announced that addresses or header fields hold characters outside ASCII
    /// (SMTPUTF8, RFC 6531).
    pub smtputf8: bool,
    /// What the sender wants to hear of it.
    pub dsn: dsn::MessageRequest,
}

/// The name of ESMTP in a Received field (RFC 3848, and RFC 6531 section 4.3 for SMTPUTF8).
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
    /// Octets below 128 only; what is meant where nothing is said.
    #[default]
    SevenBit,
    /// Any octet.
    EightBitMime,
}

/// What the owner decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes, in the session's own words.
    Proceed,
    /// In these words: yes if positive, else no. To [`Ask::Connect`] a yes is the usual banner; a
    /// no for good becomes 554, after which only QUIT is heard (RFC 5321 section 3.1), and a no
    /// for now 421. A 421 closes, as ever.
    Reply(Reply),
    /// No, in these words, and close.
    Close(Reply),
    /// This, to [`Ask::Verifier`]; to anything else it is a yes, as [`Answer::Proceed`].
    Verifier(Verifier),
}

/// What a client is told whose log-in holds no more.
pub fn revoked() -> Reply {
    let text = "What you have logged in with is revoked: log in anew";
    Reply::new(421, "4.7.0", text)
}

/// What TLS has made of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secured {
    /// Protocol and cipher, such as `TLSv1.3 TLS13_AES_256_GCM_SHA384`.
    pub by: String,
    /// What a log-in can be bound to; `None` where the protocol has nothing that is safe (TLS 1.2:
    /// RFC 9266 section 3).
    pub binding: Option<Binding>,
}
