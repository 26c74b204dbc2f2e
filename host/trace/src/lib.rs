//! The record of each transaction, refused ones too: the answer to "where is my mail?".
//!
//! The other crates hand each [`Event`] to [`Trace::record`], which never
//! waits: a bounded channel takes it to one thread that writes in batches. When the channel is
//! full the event is dropped and counted ([`Trace::dropped`]): a slow disk may cost the record of
//! a message, never the message. For the same reason a commit here is not fsynced: a crash of the
//! machine may cost the last moments of the record, not of the mail, which is in the spool.
//!
//! Besides events it keeps the headers of sent messages ([`Sent`]), and counts the changes to them
//! on the way ([`Counted`]). A message is found by what people know of it ([`MessageSearch`]).
//!
//! A damaged trace is moved away and a new one begun: mail does not wait for it
//! ([`Trace::damaged`]).
//!
//! `trace.db` is a file of its own with a [`Retention`] of its own: by age, and by number.

#![forbid(unsafe_code)]

mod correspondent;
mod erase;
mod event;
mod headers;
mod messages;
mod order;
mod queue;
mod schema;
mod state;
mod store;
mod writer;

pub use correspondent::{CorrespondentSearch, NamingTransaction};
pub use erase::{SweepStep, TraceOwner, TraceSweep};
pub use event::{AttemptEnd, Event, Kind, Notified, RecipientRead, ReportRead};
pub use headers::{
    CameBack, Change, Counted, Finding, SENT_KEPT, SIGNATURE, Sent, Travelled, shortened,
};
pub use messages::{FoundMessages, MOST_FOUND, MessageSearch, TracedMessage};
pub use state::inspect;
pub use store::{ROOM_LEFT, Retention, Trace, TraceError};
