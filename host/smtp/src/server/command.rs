//! Commands (RFC 5321 section 4.1): the verb, and the argument of EHLO and HELO.

use crate::reply::Reply;

/// Verb of a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Ehlo,
    Helo,
    Mail,
    Recipient,
    Data,
    Chunk,
    Reset,
    Noop,
    Quit,
    Verify,
    Expand,
    Help,
    StartTls,
    Auth,
    Xclient,
    Xforward,
    /// A request line of HTTP: a browser was tricked into talking to this port.
    Http,
    Unknown,
}

const VERBS: [(&str, Verb); 16] = [
    ("EHLO", Verb::Ehlo),
    ("HELO", Verb::Helo),
    ("MAIL", Verb::Mail),
    ("RCPT", Verb::Recipient),
    ("DATA", Verb::Data),
    ("BDAT", Verb::Chunk),
    ("RSET", Verb::Reset),
    ("NOOP", Verb::Noop),
    ("QUIT", Verb::Quit),
    ("VRFY", Verb::Verify),
    ("EXPN", Verb::Expand),
    ("HELP", Verb::Help),
    ("STARTTLS", Verb::StartTls),
    ("AUTH", Verb::Auth),
    ("XCLIENT", Verb::Xclient),
    ("XFORWARD", Verb::Xforward),
];

impl Verb {
    /// Splits a line into its verb and its arguments. White space around them is tolerated
    /// (RFC 5321 section 4.1.1) and left out.
    pub(super) fn split(line: &[u8]) -> (Self, &[u8]) {
        let line = line.trim_ascii_end();
        let end = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
        let (word, arguments) = line.split_at(end);
        let verb = VERBS
            .iter()
            .find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))
            .map(|&(_, verb)| verb);
        let http = || arguments.windows(6).any(|part| part == b" HTTP/");
        let verb = match verb {
            Some(verb) => verb,
            None if http() => Self::Http,
            None => Self::Unknown,
        };
        (verb, arguments.trim_ascii_start())
    }

    /// Returns true if the verb takes no arguments (RFC 5321 sections 4.1.1.4, 4.1.1.5 and
    /// 4.1.1.10, RFC 3207 section 4).
    pub(super) fn takes_no_arguments(self) -> bool {
        matches!(self, Self::Data | Self::Reset | Self::Quit | Self::StartTls)
    }
}

/// Reads the argument of EHLO or HELO. Any printable ASCII is accepted, since nothing depends on
/// it; spaces, control characters and non-ASCII are refused, since they cannot stand in Received.
pub(super) fn helo_name(arguments: &[u8]) -> Result<String, Reply> {
    match str::from_utf8(arguments) {
        Ok(name)
            if (1..=255).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            Ok(name.to_owned())
        }
        _ => Err(Reply::new(
            501,
            "5.5.4",
            "Say EHLO or HELO with your domain name or address literal",
        )),
    }
}
