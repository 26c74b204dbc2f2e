//! Settings and limits of a session.

use std::time::Duration;

/// Limits of one session. The session enforces all but the two durations: it has no clock, so its
/// owner measures them and calls [`Session::time_out`](super::Session::time_out).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Recipients of one transaction, refused ones included; the next gets 452 4.5.3. RFC 5321
    /// section 4.5.3.1.8 asks for at least 100.
    pub recipients: usize,
    /// Octets of one message, as SIZE counts them; a larger one gets 552 5.3.4.
    pub message_size: u64,
    /// Octets of a header section; a message with a larger one gets 552 5.3.4.
    pub header_size: u64,
    /// Octets of one line of a message without CRLF; a message with a longer one gets 500 5.6.0.
    /// RFC 5321 section 4.5.3.1.6 asks for at least 998, and section 4.5.3.1 for more where
    /// possible.
    pub line: usize,
    /// True to [repair](gatepost_message::LineEnds) a bare CR, a bare LF or a NUL inside a message;
    /// otherwise the message gets 550 5.6.0.
    pub repair_line_ends: bool,
    /// True to remove byte order marks and mbox lines from a header section
    /// ([`Opening`](gatepost_message::Opening)).
    pub repair_opening: bool,
    /// True to accept in MAIL and RCPT only addresses by the grammar of RFC 5321, with a local part
    /// of 64 octets; otherwise also
    /// [what large servers accept](gatepost_message::Address::is_strict).
    pub strict_addresses: bool,
    /// Octets of one command line with CRLF; a longer one gets 500 5.5.2. At least
    /// [`LEAST_COMMAND_LINE`](Self::LEAST_COMMAND_LINE).
    pub command_line: usize,
    /// Octets of a line of AUTH and of responses to its challenges: 12288 by RFC 4954 section 4.
    pub auth_line: usize,
    /// Replies 5xx in one session; after that many, any command but QUIT gets 421 4.7.0. RCPT and
    /// DATA pipelined behind a refused MAIL do not count.
    pub errors: u32,
    /// Commands without progress; after that many, any command but QUIT gets 421 4.7.0. A message
    /// received, TLS and AUTH reset the count. These do not count: the first accepted RCPT of a
    /// transaction, all RCPTs after it, chunks that hold octets, and up to
    /// [`recipients`](Self::recipients) RCPTs behind a refused MAIL.
    pub idle_commands: u32,
    /// Longest silence of a client.
    pub idle: Duration,
    /// Longest duration of a session.
    pub total: Duration,
}

impl Limits {
    /// Octets of the longest command, MAIL with every parameter: 512 (RFC 5321 section 4.5.3.1.4),
    /// SIZE 26 (RFC 1870 section 3), BODY 17 (RFC 6152 section 2), SMTPUTF8 10 (RFC 6531 section
    /// 3.1), AUTH 500 (RFC 4954 section 3), RET 9 and ENVID 107 (RFC 3461 sections 4.3 and 4.4).
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

/// Offer of STARTTLS (RFC 3207). Without meaning under implicit TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartTls {
    /// Not offered: there is no certificate.
    #[default]
    None,
    /// Offered; the client may use it.
    Offered,
    /// Required before any other command, which gets 530 5.7.0.
    Required,
}

/// Offer of AUTH (RFC 4954); never before TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthOffer {
    /// Not offered: no user is configured.
    #[default]
    None,
    /// Offered under TLS; the client may use it.
    UnderTls,
    /// Offered under TLS, and required before MAIL, which gets 530 5.7.0.
    Required,
}

/// Settings that all sessions of a listener share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Domain name of the relay, for the banner, EHLO and `<Postmaster>`.
    pub hostname: String,
    /// Limits on a client.
    pub limits: Limits,
    /// Offer of STARTTLS.
    pub start_tls: StartTls,
    /// Offer of AUTH.
    pub auth: AuthOffer,
}
