//! Verification of addresses: what a probe is, and what its fate says.
//!
//! An address works if mail for it comes to the relay, and if mail that leaves in its name arrives.
//! Nothing but a message shows that. So the relay sends one, a *probe*, and looks at what comes
//! back. This crate has all of that but the sending: it does no I/O, knows no clock, and keeps
//! nothing.
//!
//! 1. [`ProbeTokens`] issue a [`ProbeToken`] for the [`ProbeId`] under which the directory keeps the
//!    probe. The token stands in several places of the message, so that one of them survives.
//! 2. [`compose()`] writes the message of a [`ProbePlan`]; [`SentProbe`] records it as it left.
//! 3. [`ProbeTokens::find`] recognises a message with a token, and [`ArrivalKind::of`] tells the
//!    probe itself from an answer and from a report on it.
//! 4. [`judge_arrival`] compares what came back with what was sent: a [`ProbeReport`] with its
//!    [`ProbeOutcome`].
//! 5. [`judge_attempt`] reads the result of an attempt at delivery, [`judge_report`] a report on the
//!    probe, and [`judge_silence`] the time that went by. Each gives a [`VerificationFailure`] its
//!    [`FailureReason`].
//! 6. [`ForwardingConfirmation::recognise`] finds the code by which a provider wants a forwarding to
//!    be confirmed.
//!
//! Everything that comes from outside is bounded, and [`QuotedWords`] are fit to be shown.

#![forbid(unsafe_code)]

mod arrival;
mod attempt;
mod compare;
mod compose;
mod confirmation;
mod failure;
mod kind;
mod language;
mod reason;
mod remark;
mod report;
mod sent;
mod silence;
mod token;
mod words;

pub use self::arrival::{
    ArrivalKind, ArrivalWay, ArrivedProbe, AuthenticationReport, FieldReport, ProbeOutcome,
    ProbeReport, SignatureReport, judge_arrival,
};
pub use self::attempt::{AttemptVerdict, failure_of_reply, failure_of_trouble, judge_attempt};
pub use self::compare::{FieldChange, addresses, compare_body, compare_field, compare_signature};
pub use self::compose::{ProbeMarks, ProbePlan, compose};
pub use self::confirmation::{ForwardingConfirmation, Provider};
pub use self::failure::VerificationFailure;
pub use self::kind::{ProbeKind, ReturnWay};
pub use self::language::Language;
pub use self::reason::FailureReason;
pub use self::remark::ProbeRemark;
pub use self::report::{ReportVerdict, judge_report};
pub use self::sent::{SentField, SentProbe};
pub use self::silence::judge_silence;
pub use self::token::{FoundToken, ProbeId, ProbeIdError, ProbeToken, ProbeTokens, TokenPlace};
pub use self::words::QuotedWords;
