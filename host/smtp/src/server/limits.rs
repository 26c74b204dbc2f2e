//! What one client may ask of a session, and what the session says of itself.

use std::time::Duration;

/// The bounds of one session. All are obeyed by the session, but for the two durations: it has no
/// clock, so its owner measures them and calls [`Session::time_out`](super::Session::time_out).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Recipients of one transaction, refused ones included; the next is told 452 4.5.3. At least 100 by RFC 5321
    /// section 4.5.3.1.8.
    pub recipients: usize,
    /// Octets of one message, as SIZE counts them; more is told 552 5.3.4.
    pub message_size: u64,
    /// Octets of a header section; more is told 552 5.3.4.
    pub header_size: u64,
    /// Octets of one line of a message without CRLF; more is told 500 5.6.0. At least 998 by RFC 5321
    /// section 4.5.3.1.6, and more where it can be helped (section 4.5.3.1).
    pub line: usize,
    /// Whether a bare CR, a bare LF or a NUL inside a message is
    /// [repaired](gatepost_message::LineEnds); else the message is told 550 5.6.0.
    pub repair_line_ends: bool,
    /// Whether byte order marks and lines of an mbox are taken from a header section
    /// ([`Opening`](gatepost_message::Opening)).
    pub repair_opening: bool,
    /// Whether MAIL and RCPT may only have addresses by the grammar of RFC 5321 and with a local part
    /// of 64 octets; else they may be [what large servers take](gatepost_message::Address::is_strict).
    pub strict_addresses: bool,
    /// Octets of one command line with CRLF; more is told 500 5.5.2. At least
    /// [`LEAST_COMMAND_LINE`](Self::LEAST_COMMAND_LINE).
    pub command_line: usize,
    /// The same for AUTH and the answers to its challenges: 12288 by RFC 4954 section 4.
    pub auth_line: usize,
    /// Replies 5xx in one session; once so many were said, the next command but QUIT is told
    /// 421 4.7.0. RCPT and DATA pipelined behind a refused MAIL do not count.
    pub errors: u32,
    /// Commands without anything got done; once there were so many, the next but QUIT is told
    /// 421 4.7.0. A message received, TLS and AUTH start the count afresh. An accepted RCPT does
    /// not count, nor does any behind it in the transaction, nor do as many as
    /// [`recipients`](Self::recipients) behind a refused MAIL.
    pub idle_commands: u32,
    /// How long a client may be silent.
    pub idle: Duration,
    /// How long a session may last.
    pub total: Duration,
}

impl Limits {
    /// What the longest command may need, MAIL with every parameter: 512 octets (RFC 5321 section
    /// 4.5.3.1.4), and those that SIZE (26, RFC 1870 section 3), BODY (17, RFC 6152 section 2),
    /// SMTPUTF8 (10, RFC 6531 section 3.1), AUTH (500, RFC 4954 section 3), RET and ENVID (9 and
    /// 107, RFC 3461 sections 4.3 and 4.4) add to it.
    pub const LEAST_COMMAND_LINE: usize = 512 + 26 + 17 + 10 + 500 + 9 + 107;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            recipients: 1000,
            message_size: 25 * 1024 * 1024,
            header_size: 1024 * 1024,
            line: 64 * 1024,
            repair_line_ends: true,
            repair_opening: true,
            strict_addresses: false,
            command_line: 2048,
            auth_line: 12288,
            errors: 20,
            idle_commands: 100,
            idle: Duration::from_secs(5 * 60),
            total: Duration::from_secs(60 * 60),
        }
    }
}

/// Whether STARTTLS (RFC 3207) is on offer. Without meaning where TLS came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartTls {
    /// There is no certificate.
    #[default]
    None,
    /// The client may.
    Offered,
    /// The client must before anything else: 530 5.7.0.
    Required,
}

/// Whether AUTH (RFC 4954) is on offer; never before TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthOffer {
    /// Nobody has a password here.
    #[default]
    None,
    /// The client may, under TLS.
    UnderTls,
    /// The client must before MAIL, under TLS: 530 5.7.0.
    Required,
}

/// What a listener's sessions have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The relay's own domain name, in the banner and wherever it names itself.
    pub hostname: String,
    /// What a client may ask.
    pub limits: Limits,
    /// Whether STARTTLS is on offer.
    pub start_tls: StartTls,
    /// Whether AUTH is on offer.
    pub auth: AuthOffer,
}
