//! The policy engine: loads, limits, runs and swaps policy modules. The only crate that knows
//! WebAssembly.
//!
//! A load makes a [`Version`] of a module ([`Engine::load`]). A core module is turned into a
//! component. Its imports are checked against the contract and its settings against its own
//! schema, and it is configured once. The configured state is frozen and compiled, and every hook
//! is tried on a harmless transaction. Everything up to the compiled code happens in a process of
//! its own with limits ([`Loading`]): a malicious module harms that process alone. A [`Slot`] holds
//! the active version; a swap replaces one atomic pointer.
//!
//! Each call of a hook runs in a fresh store made from the frozen state; the store is dropped after
//! the call. No state leaks from one message to the next, and a trap costs one call. The host
//! records the guest's requests as a [`Decision`](gatepost_model::Decision) and checks them for
//! contradictions. A fault of any kind becomes the policy's [`OnError`]. Each fault is attributed:
//! a version that fails for everybody is no longer called, and a message that keeps failing while
//! others are answered is judged without it. The requests of all calls of one transaction together
//! are bounded, too.
//!
//! A [`Chain`] asks its policies in order and folds their judgements into one ruling. Each policy
//! sees the message as the earlier ones left it. A ruling has no effect by itself: the caller
//! carries it out, at commit.

mod answers;
mod attribution;
mod bounds;
mod breaker;
mod budget;
mod cache;
mod call;
mod chain;
mod child;
mod component;
mod contract;
mod convert;
mod definition;
mod difference;
mod duties;
mod engine;
mod error;
mod file;
mod findings;
mod hook_call;
mod hooks;
mod host;
mod load;
mod look_ups;
mod memory;
pub mod observation;
mod plans;
mod prepare;
mod probe;
mod queue;
mod recorder;
mod records;
mod reserved;
mod settings;
mod slot;
mod snapshot;
mod trial;
mod version;

pub use answers::{Answered, GivenAnswers, KeptAnswers, LookUp, LookUpAnswer};
pub use bounds::bounds;
pub use breaker::BreakerState;
pub use budget::Sizes;
pub use chain::{Chain, MessageRuling, OutcomeRuling, Pinned, RouteRuling, Ruling};
pub use child::{Loading, LoadingLimits, Program, serve};
pub use component::ModuleKind;
pub use contract::VERSION as CONTRACT_VERSION;
pub use definition::{Definition, Grants, Limits, OnError, SelfTest};
pub use duties::Duties;
pub use engine::{Engine, EngineSettings};
pub use error::{EngineError, LoadError, Resource};
pub use file::{ModuleFileError, read_module};
pub use findings::Findings;
pub use load::version_digest;
pub use memory::{Memory, NoMemory, PolicyContext};
pub use recorder::{Question, Recorder};
pub use reserved::Reserved;
pub use settings::{LONGEST_SCHEMA, VALIDATION};
pub use slot::Slot;
pub use trial::{ComparedCall, TrialObserver, VersionTrial};
pub use version::{Hook, Inspection, Version};
