//! Edits and refusals of the relay itself, beside those of policies.
//!
//! [`host_rules`] refuse what no policy may let through and remove fields in the relay's own name;
//! [`verdict_fields`] write tags, [`reasons`] and results; [`received`] adds the trace field,
//! [`submission`] what a submitted message lacks; [`repaired`] records the session's repairs.

pub mod host_rules;
pub mod metadata;
pub mod reasons;
pub mod received;
pub mod repaired;
pub mod submission;
pub mod verdict_fields;
