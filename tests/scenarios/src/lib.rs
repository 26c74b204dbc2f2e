//! End-to-end scenarios against the real binary, in `tests/`: one folder an area, one file a
//! scenario.
//!
//! - `smtp` — what a client may say, and what it hears
//! - `policies` — decisions in live traffic: fixtures, hostile guests, swaps
//! - `origin` — what is found out of where a message came from, and who is told
//! - `inbound_auth` — what the policy of that name makes of it
//! - `conformance` — a sample of each public suite about it
//! - `isolation` — others are served while hostile guests are at work: a measurement
//! - `durability` — kill -9, power loss, full disk, failing fsync
//! - `operations` — queue, quarantine, trace, check, monitoring, drain
//! - `api` — what applications ask over HTTP
//! - `connections` — mail that leaves through another mail service
//! - `connectors` — domains of customers: instructions, handovers of secrets, set-up
//! - `clients` — real mail software on both sides

#![forbid(unsafe_code)]
