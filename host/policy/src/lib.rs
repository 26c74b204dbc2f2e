//! The policy engine: loads, limits, runs and swaps policy modules. The only crate that knows
//! WebAssembly.
//!
//! The story of one message. At load a module is turned into a component if it is not one,
//! its imports are checked against the contract, its settings against its schema, and it is
//! configured once; the configured state is snapshotted ([`version`]). From then on every call
//! of every hook runs in a fresh store made from that snapshot and is thrown away afterwards
//! ([`call`]): no state leaks from one message to the next, and a trap costs one call. What the
//! guest wants is recorded by the host as a [`Decision`] and judged for contradictions; a fault
//! of any kind becomes the policy's `on-error` ([`slot`]). A [`Chain`] asks its policies in
//! order, each seeing the message as the earlier ones left it, and folds their judgements into
//! one [`Ruling`].

mod decision;
mod transaction;

pub use decision::{
    Classification, Decision, Effect, Fault, FaultKind, Judgement, MessageClass, NextHop,
    RecipientVerdict, Routing, TlsMode, Verdict,
};
pub use transaction::{Flow, Session, Transaction};
