//! Plain data that the relay's crates hand to each other.
//!
//! A [`Session`] is one SMTP connection, a [`Transaction`] one envelope on it. A policy answers
//! each hook with a [`Verdict`] and a [`Decision`]; both, with the digest of the version that was
//! called, are a [`Judgement`]. The queue stores the judgements and [`Effect`]s of an accepted
//! message in one commit. Delivery asks for a [`Routing`] before each attempt and reports an
//! [`AttemptResult`] after it. The trace keeps all of these. An [`Event`] tells the application what
//! became of its message.
//!
//! This crate has no behaviour: no clock, no file, no engine. It depends on addresses and header
//! edits (`gatepost-message`) and replies (`gatepost-smtp`), and on no crate above those.

mod attempt;
mod classification;
mod decision;
mod destination;
mod effect;
mod event;
mod judgement;
mod keyed_answer;
mod learnt;
mod machine;
mod session;
mod suppression;
mod transaction;
mod verdict;

pub use attempt::{AttemptResult, AttemptStage, Ending, Queued, TriedStep};
pub use classification::{Classification, MessageClass};
pub use decision::Decision;
pub use destination::{
    Destination, DestinationKey, GoOn, NextHop, Plan, Protocol, Route, Routing, Step, TlsMode, Way,
};
pub use effect::{Effect, Scope};
pub use event::{
    Alert, AlertKind, AttemptFacts, Event, EventKind, EventName, EventSubject, LONGEST_METADATA,
    LONGEST_TEXT, NoticeSubject, StoredEvent,
};
pub use judgement::{BY_RELAY, Fault, FaultKind, Judgement};
pub use keyed_answer::KeyedAnswer;
pub use learnt::LearntId;
pub use machine::Machine;
pub use session::{Flow, Session, Transport};
pub use suppression::{Suppression, SuppressionCause, SuppressionChange};
pub use transaction::Transaction;
pub use verdict::{RecipientVerdict, Verdict};
