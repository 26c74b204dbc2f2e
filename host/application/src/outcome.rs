//! Outcome of a delivery to the application.

use std::fmt;
use std::io;
use std::time::Duration;

use gatepost_smtp::Reply;

/// Outcome for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Reply as in SMTP: 2xx is delivered, 4xx waits, 5xx has failed. It has nothing of the
    /// application's own words, so it may go into notices and other accounts' traces.
    pub reply: Reply,
    /// Alarm for the operator: mail waits until somebody acts.
    pub alarm: Option<Alarm>,
    /// Least wait before the next try, if the application named one; at most an hour.
    pub retry_after: Option<Duration>,
    /// First words of the application's answer, or the system's error: for the operator's log only.
    pub detail: Option<String>,
}

/// Reason why mail for the application waits, with what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alarm {
    /// Nobody takes connections.
    Unreachable,
    /// The answer does not come, or not in time.
    Silent,
    /// The server does not prove to be the host of the URL.
    Certificate,
    /// 401 and 403.
    Unauthorized(u16),
    /// 404, 405, 410, and redirects, which are not followed.
    WrongUrl(u16),
    /// 413.
    TooLarge,
    /// 415.
    WrongForm,
    /// Any other status.
    Failing(u16),
    /// The disk of the Maildir is full.
    DiskFull,
    /// The Maildir cannot be written.
    Unwritable,
    /// The message cannot be read from the queue.
    Unreadable,
}

/// Meaning of an outcome for other mail for the same target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// The target works.
    Works,
    /// The target has too much to do.
    Busy,
    /// Nothing gets there, whatever the message.
    Down,
    /// Nothing: it may be this message alone.
    Unknown,
}

impl Alarm {
    /// Returns what this says of other mail. Statuses that an application, or a filter before it,
    /// may give to one message say nothing: nobody can stop the mail of others by what they write.
    pub fn reach(self) -> Reach {
        match self {
            Self::Unreachable | Self::Certificate | Self::Unauthorized(401) | Self::Unwritable => {
                Reach::Down
            }
            Self::Failing(429 | 503) => Reach::Busy,
            Self::Unauthorized(_)
            | Self::WrongUrl(_)
            | Self::WrongForm
            | Self::TooLarge
            | Self::Failing(_) => Reach::Works,
            Self::Silent | Self::DiskFull | Self::Unreadable => Reach::Unknown,
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = match self {
            Self::Unreachable => "the application takes no connection: start it, or mend the URL",
            Self::Silent => "the application does not answer a request: look at its log",
            Self::Certificate => {
                "the application's certificate does not verify: renew it, or trust its CA"
            }
            Self::Unauthorized(status) => {
                let secret = "give both sides the same secret";
                return write!(
                    f,
                    "the application refuses the signature ({status}): {secret}"
                );
            }
            Self::WrongUrl(status) => {
                let url = "mend the URL; redirects are not followed";
                return write!(
                    f,
                    "the application takes nothing at the URL ({status}): {url}"
                );
            }
            Self::TooLarge => {
                "the application refuses a message's size (413): raise its limit to the relay's"
            }
            Self::WrongForm => {
                "the application refuses the request's form (415): set `form` to what it takes"
            }
            Self::Failing(status) => {
                return write!(f, "the application answers with {status}: look at its log");
            }
            Self::DiskFull => "the disk of the Maildir is full: make room",
            Self::Unwritable => "the Maildir cannot be written: check its path, owner and mode",
            Self::Unreadable => "a queued message cannot be read: check the store",
        };
        f.write_str(advice)
    }
}

impl Outcome {
    /// Returns what this says of other mail.
    pub fn reach(&self) -> Reach {
        self.alarm.map_or(Reach::Works, Alarm::reach)
    }

    pub(crate) fn delivered(text: &str) -> Self {
        Self::of(Reply::new(250, "2.0.0", text), None)
    }

    pub(crate) fn waits(alarm: Alarm, reply: Reply) -> Self {
        Self::of(reply, Some(alarm))
    }

    pub(crate) fn of(reply: Reply, alarm: Option<Alarm>) -> Self {
        Self {
            reply,
            alarm,
            retry_after: None,
            detail: None,
        }
    }

    /// Returns the outcome of a message that could not be read.
    pub(crate) fn unreadable(error: &io::Error) -> Self {
        let reply = Reply::new(451, "4.3.0", "Message cannot be read from the queue");
        Self::waits(Alarm::Unreadable, reply).with_detail(&error.to_string())
    }

    pub(crate) fn with_detail(mut self, detail: &str) -> Self {
        let clean = detail
            .chars()
            .take(500)
            .map(|c| if c.is_control() { ' ' } else { c });
        let clean: String = clean.collect();
        self.detail = Some(clean.trim().to_owned()).filter(|detail| !detail.is_empty());
        self
    }
}
