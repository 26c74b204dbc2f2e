//! Reports on mail that was sent, as they come back.
//!
//! A report says what became of a message: a mail system could not deliver it (RFC 3464, or one of
//! the many free forms that are older than that), a reader has opened it (RFC 8098), a recipient
//! complains of it (RFC 5965). [`read`] finds out whether a message is a report, and what it says.
//! It does no I/O, and knows nothing of the mail that was sent: to match a report is the caller's.
//!
//! Steps:
//!
//! 1. The message is taken apart (`parts`): its text, its machine-readable parts, and the header
//!    section of the message that it returns.
//! 2. A machine-readable part is read field by field (`delivery_status`, `disposition`,
//!    `feedback`), whatever content type it was given.
//! 3. Without one, the text is read (`notice`), by the structure that free forms share: an address
//!    that stands alone or before a colon, the reply of a server, and the returned header section
//!    at the end. Words of many languages (`words`) only tell a failure from a delay, and give the
//!    status where no code does.
//!
//! Automatic answers of people (vacations) and demands to confirm a message are no reports.
//!
//! All of it is bounded: octets, parts, lines, recipients, and the length of each text.

#![forbid(unsafe_code)]

mod bounds;
mod delivery_status;
mod disposition;
mod feedback;
mod fields;
mod notice;
mod parts;
mod report;
mod returned;
mod scan;
mod sender;
mod status;
mod words;

use mail_parser::MessageParser;

pub use self::bounds::{MOST_OCTETS, MOST_RECIPIENTS};
pub use self::report::{Kind, MailReport, ReportedAction, ReportedRecipient};
pub use self::returned::Returned;
pub use self::status::Status;

use self::parts::Parts;
use self::sender::ReportAuthor;

/// Reads a message that came in; `None` if it is no report.
///
/// `octets` are the message or its beginning; no more than [`MOST_OCTETS`] of them are read.
/// `from_nobody` is true if its reverse-path is null.
pub fn read(octets: &[u8], from_nobody: bool) -> Option<MailReport> {
    read_nested(octets, from_nobody, 0)
}

/// Returns the header section of the message that a message returns, be it a report or not.
pub fn returned(octets: &[u8]) -> Option<Returned> {
    let octets = bounds::octets(octets);
    let parsed = MessageParser::default().parse(octets)?;
    Parts::of(&parsed, octets).returned
}

fn read_nested(octets: &[u8], from_nobody: bool, depth: usize) -> Option<MailReport> {
    let octets = bounds::octets(octets);
    let parsed = MessageParser::default().parse(octets)?;
    let parts = Parts::of(&parsed, octets);
    // A journal of Exchange wraps each message; a report in it is as good as one outside.
    if let Some(inner) = &parts.journaled
        && depth < bounds::MOST_WRAPPERS
    {
        return read_nested(inner, from_nobody, depth + 1);
    }
    let sender = ReportAuthor::of(&parsed, from_nobody);
    let report = feedback::read(&parts)
        .or_else(|| disposition::read(&parts))
        .or_else(|| delivery_status::read(&parts, &sender))
        .or_else(|| notice::read(&parts, &sender))?;
    Some(report.bounded())
}

/// Returns true if a message with this header section may be a report. To find that out costs less
/// than to read it; what has no reverse-path may always be one.
pub fn may_be(head: &[u8]) -> bool {
    let head = bounds::octets(head);
    let Some(parsed) = MessageParser::default().parse_headers(head) else {
        return false;
    };
    let sender = ReportAuthor::of(&parsed, false);
    parts::is_report(&parsed)
        || parts::is_journal(&parsed)
        || sender.is_mail_system
        || sender.is_nobody
        || words::is_failure(&sender.subject)
        || words::is_delay(&sender.subject)
        || sender.subject.contains("complaint")
}
