//! Observation of policies at work, for people who want to know why a decision was made: each call
//! of a hook, and in it each call of the host with its arguments, its answer and its time.
//!
//! The generated bindings (module `contract`) tell of every host call by `tracing`, at a level that
//! nobody listens to: a call then costs a comparison with one number. [`observe`] listens for as long
//! as one future runs, and so does [`count`], which looks at no argument. What strangers and
//! modules say is cut before it is kept.

mod collector;
mod reading;
mod value;

use serde::Serialize;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;

use self::collector::{Detail, HostCallCollector};
pub use self::value::HostValue;

/// Target of all that is told of host calls. Logs leave it out: arguments and answers hold mail.
pub const HOST_CALL_TARGET: &str = "gatepost_policy::contract";

/// Target of the begin and end of a hook's call.
pub(crate) const HOOK_TARGET: &str = "gatepost_policy::contract::hook";

/// Number of host calls that are kept of one call of a hook.
pub(crate) const MAX_CALLS: usize = 1_000;

/// One call of a hook of a policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ObservedCall {
    /// Name of the policy.
    pub policy: String,
    /// Name of the hook.
    pub hook: String,
    /// Host calls, in order: the first thousand, and fewer where they are long.
    pub host_calls: Vec<HostCall>,
    /// Number of host calls that were not kept.
    pub more_host_calls: u64,
    /// Largest linear memory, in bytes; 0 if the hook was not called.
    pub memory: usize,
}

/// One call of the host.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HostCall {
    /// Interface, or the resource whose method it is: `directory`, `message`.
    pub interface: String,
    /// Function, as the contract names it.
    pub function: String,
    /// Arguments with their names.
    pub arguments: Vec<(String, HostValue)>,
    /// Answer.
    pub answer: HostValue,
    /// Time that the host took, in nanoseconds.
    pub nanos: u64,
}

/// Runs a future, and returns beside its output the calls of hooks that it made, in the order in
/// which they were due: also those that a circuit breaker did not let through. Trials of a version
/// are left out.
pub async fn observe<F: Future>(future: F) -> (F::Output, Vec<ObservedCall>) {
    watch(future, Detail::All).await
}

/// Runs a future as [`observe`] does, but only counts the host calls.
pub async fn count<F: Future>(future: F) -> (F::Output, Vec<ObservedCall>) {
    watch(future, Detail::Number).await
}

async fn watch<F: Future>(future: F, detail: Detail) -> (F::Output, Vec<ObservedCall>) {
    let around = tracing::dispatcher::get_default(Dispatch::clone);
    let (collector, observed) = HostCallCollector::new(around, detail);
    let output = future.with_subscriber(collector).await;
    (output, observed.take())
}
