//! The policy engine: loads, limits, runs and swaps policy modules. The only crate that knows
//! WebAssembly.
//!
//! The story of one message. At load a module is turned into a component if it is not one,
//! its imports are checked against the contract, its settings against its own schema, and it is
//! configured once; the configured state is frozen and compiled, every hook is tried on a harmless
//! transaction, and what comes out is a [`Version`] ([`Engine::load`]). All of it up to the compiled
//! code happens in a process of its own with limits ([`Loading`]): what a module is made of harms
//! that process alone. A [`Slot`] holds the version in use; swapping is one atomic pointer.
//!
//! From then on every call of every hook runs in a fresh store made from that frozen state and is
//! thrown away afterwards: no state leaks from one message to the next, and a trap costs one call.
//! What the guest wants is recorded by the host as a [`Decision`] and checked for contradictions;
//! a fault of any kind becomes the policy's [`OnError`]. Whose fault it is is found out: a version
//! that fails for everybody is no longer called, and neither is one for a message that makes it
//! fail again and again while it answers for others. What all calls of one transaction ask for
//! together is bounded as well.
//!
//! A [`Chain`] asks its policies in order, each seeing the message as the earlier ones left it,
//! and folds their judgements into one ruling. Nothing of it has happened yet: the caller carries
//! it out, at commit.

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
mod directory;
mod duties;
mod engine;
mod error;
mod file;
mod findings;
mod hooks;
mod host;
mod identity;
mod load;
mod look_ups;
mod memory;
mod prepare;
mod probe;
mod reserved;
mod settings;
mod slot;
mod snapshot;
mod version;

pub use bounds::bounds;
pub use breaker::BreakerState;
pub use budget::Sizes;
pub use chain::{Chain, MessageRuling, OutcomeRuling, Pinned, RouteRuling, Ruling};
pub use child::{Loading, LoadingLimits, Program, serve};
pub use component::ModuleKind;
pub use contract::VERSION as CONTRACT_VERSION;
pub use definition::{Definition, Grants, Limits, OnError, SelfTest};
pub use directory::{
    CredentialScope, Directory, DomainKind, DomainState, Forwarders, NoDirectory, Partner,
    PartnerSource, ReceivingDomain,
};
pub use duties::Duties;
pub use engine::{Engine, EngineSettings};
pub use error::{EngineError, LoadError, Resource};
pub use file::{ModuleFileError, read_module};
pub use findings::Findings;
pub use identity::{Identity, NoIdentity};
pub use memory::{LookUps, Memory, NoMemory};
pub use reserved::Reserved;
pub use settings::{LONGEST_SCHEMA, VALIDATION};
pub use slot::{NothingToRollBackTo, Slot};
pub use version::{Hook, Inspection, Version};
