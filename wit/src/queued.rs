//! Look-ups of the message in the queue, for the hooks `route` and `outcome`. A call in another hook
//! is a fault.
//!
//! ```
//! use gatepost_sdk::*;
//!
//! # struct Patient;
//! # impl Policy for Patient {
//! # type Settings = ();
//! # fn new((): ()) -> Result<Self, Vec<String>> { Ok(Self) }
//! /// Mail that has waited for a day leaves by another way.
//! fn route(&self, _: &Transaction, _: &Attempt, _: &dyn Facts, _: &mut Decision) -> Routing {
//!     match queued::attempt_time() - queued::accepted() {
//!         0..86_400_000 => Routing::Pass,
//!         _ => Routing::Deliver(Plan::by_connection("second")),
//!     }
//! }
//! # }
//! ```

use crate::types::{MessageClass, Reply};

/// Datum that the application handed in with the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataItem {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

/// Step of the plan that was tried for this recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedStep {
    /// Step in the words of fixtures, such as `connection acme`.
    pub step: String,
    /// Deferred attempts on it.
    pub failures: u32,
    /// Time of the first attempt on it, in milliseconds since 1970 (UTC).
    pub since: u64,
}

/// Facts about the message in the queue, for native tests.
///
/// ```
/// use gatepost_sdk::{native::Given, queued};
///
/// let facts = queued::Queued { tags: vec!["urgent".into()], ..Default::default() };
/// let _given = Given { queued: facts, ..Given::default() }.give();
/// assert_eq!(queued::tags(), ["urgent"]);
/// ```
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug, Clone)]
pub struct Queued {
    /// Result of [`attempt_time`].
    pub attempt_time: u64,
    /// Result of [`accepted`].
    pub accepted: u64,
    /// Result of [`expires`].
    pub expires: u64,
    /// The message, for [`header`] and [`size`].
    pub message: gatepost_message::Message,
    /// Result of [`tags`].
    pub tags: Vec<String>,
    /// Result of [`class`].
    pub class: Option<MessageClass>,
    /// Result of [`metadata`].
    pub metadata: Vec<MetadataItem>,
    /// Result of [`last_reply`].
    pub last_reply: Option<Reply>,
    /// Result of [`steps_tried`].
    pub steps_tried: Vec<TriedStep>,
}

#[cfg(not(target_arch = "wasm32"))]
impl Default for Queued {
    fn default() -> Self {
        Self {
            attempt_time: 0,
            accepted: 0,
            expires: 0,
            message: gatepost_message::Message::from_stored(b""),
            tags: Vec::new(),
            class: None,
            metadata: Vec::new(),
            last_reply: None,
            steps_tried: Vec::new(),
        }
    }
}

/// Returns the time of the attempt, in milliseconds since 1970 (UTC): the same as
/// `Facts::now` in these hooks.
pub fn attempt_time() -> u64 {
    look_up!(queued::attempt_time(), |known| known.queued.attempt_time)
}

/// Returns the time at which the message was accepted, in milliseconds since 1970 (UTC).
pub fn accepted() -> u64 {
    look_up!(queued::accepted(), |known| known.queued.accepted)
}

/// Returns the time at which the relay gives up, in milliseconds since 1970 (UTC).
pub fn expires() -> u64 {
    look_up!(queued::expires(), |known| known.queued.expires)
}

/// Returns the first field of that name, unfolded and trimmed; names match without case.
pub fn header(name: &str) -> Option<String> {
    look_up!(queued::header(name), |known| known
        .queued
        .message
        .header(name))
}

/// Returns all fields of that name, top to bottom, unfolded and trimmed.
pub fn headers_named(name: &str) -> Vec<String> {
    look_up!(queued::headers_named(name), |known| known
        .queued
        .message
        .headers_named(name))
}

/// Returns the tags that policies have put on the message.
pub fn tags() -> Vec<String> {
    look_up!(queued::tags(), |known| known.queued.tags.clone())
}

/// Returns the class of the message, if a policy has set one.
pub fn class() -> Option<MessageClass> {
    look_up!(queued::class(), |known| known.queued.class)
}

/// Returns what the application handed in with the message; nothing for one that came over SMTP.
pub fn metadata() -> Vec<MetadataItem> {
    look_up!(queued::metadata(), |known| known.queued.metadata.clone())
}

/// Returns the octets of the message.
pub fn size() -> u64 {
    look_up!(queued::size(), |known| {
        let message = &known.queued.message;
        message.head().len() as u64 + message.body().len()
    })
}

/// Returns the reply that ended the last attempt at this recipient.
pub fn last_reply() -> Option<Reply> {
    look_up!(queued::last_reply(), |known| known
        .queued
        .last_reply
        .clone())
}

/// Returns the steps of the plan that were tried for this recipient, the one in use last.
pub fn steps_tried() -> Vec<TriedStep> {
    look_up!(queued::steps_tried(), |known| known
        .queued
        .steps_tried
        .clone())
}
