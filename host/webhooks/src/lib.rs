//! Webhooks of events: each is told of all its events in order, at least once, by signed requests
//! (Standard Webhooks).
//!
//! Each webhook has a task of its own ([`Webhooks`]), so that one that is down holds nobody else
//! up. The task reads events behind its cursor, a batch at a time, posts the batch, and repeats
//! that until the endpoint takes it. Then it stores the cursor, and goes on. The composition of a
//! batch is stored before its first request, too: after a crash the same batch comes again, under
//! the same id, and the endpoint knows it as a duplicate.
//!
//! - A webhook that is new begins with the events to come.
//! - 2xx moves on. Everything else repeats the batch, after the webhook's waits or for as long as
//!   Retry-After says; no event is left out, so order holds.
//! - An endpoint that refuses a batch for long is told of by an error, a gauge and a notice. Only
//!   an operator's command [skips](Webhooks::skip) the batch.
//! - Events that were dropped before a webhook was told of them are told of by a warning, a count
//!   and a notice.
//! - 410 stops the webhook until it is configured anew or the relay starts again, as the
//!   specification asks.

#![forbid(unsafe_code)]

mod answer;
mod batch;
mod settings;
mod shown;
mod skip;
mod state;
mod task;
mod webhooks;

pub use settings::{WebhookDraft, WebhookError, WebhookSettings};
pub use skip::{BatchedEvents, SkipError};
pub use state::{LastAnswer, WebhookPhase, WebhookState};
pub use webhooks::Webhooks;
