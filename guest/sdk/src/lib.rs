//! The SDK for policy authors: Gatepost's contract as plain Rust types and one trait.
//!
//! A policy is a struct that is made from its settings and implements [`Policy`]. It overrides the
//! hooks that it wants, and names them to [`export!`](macro@export)(macro@export); the host calls
//! no others. Each hook gets what it may know and writes its requests into a [`Decision`]; nothing
//! happens until the relay carries the decision out.
//!
//! ```
//! use gatepost_sdk::*;
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema, Default)]
//! #[serde(default, deny_unknown_fields)]
//! pub struct Settings {
//!     /// Subjects that hold this text are refused.
//!     forbidden: String,
//! }
//!
//! pub struct NoSpam(Settings);
//!
//! impl Policy for NoSpam {
//!     type Settings = Settings;
//!
//!     fn new(settings: Settings) -> Result<Self, Vec<String>> {
//!         Ok(NoSpam(settings))
//!     }
//!
//!     fn message(&self, _: &Transaction, message: &dyn Message, _: &dyn Facts, decision: &mut Decision) -> Verdict {
//!         let subject = message.header("Subject").unwrap_or_default();
//!         if !self.0.forbidden.is_empty() && subject.contains(&self.0.forbidden) {
//!             decision.reason("the subject holds forbidden words");
//!             return Verdict::reject(550, "5.7.1", "not here, please");
//!         }
//!         Verdict::Pass
//!     }
//! }
//!
//! gatepost_sdk::export!(NoSpam: message);
//! ```
//!
//! The same struct runs natively in a test: nothing in [`Policy`] knows about WebAssembly.

#![deny(unsafe_code)]

// The bindings name this crate by its name, even from within it.
extern crate self as gatepost_sdk;

mod account;
mod address;
pub mod bounds;
pub mod classification;
mod decision;
mod duties;
mod export;
pub mod header;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
mod plan;
mod policy;
mod weights;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod glue;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[allow(unsafe_code, missing_docs, clippy::all)]
pub mod bindings;

#[doc(hidden)]
pub use wit_bindgen::rt as __rt;

pub use account::settings_of_account;
pub use address::{Address, NoAddress};
pub use decision::{Action, Decision};
pub use duties::Duties;
#[doc(inline)]
pub use gatepost_contract::authentication::{
    self, ArcDkim, ArcResult, ArcSet, Arrival, Authentication, Author, DkimResult, DmarcPolicy,
    DmarcResult, FromClarity, FromResult, IprevResult, Outcome, SpfResult, arrival, authentication,
};
#[doc(inline)]
pub use gatepost_contract::directory::{
    self, Credential, CredentialScope, DomainKind, DomainState, Machine, Partner, PartnerSource,
    canonical, credential, domain_kind, domain_state, forwarder_domains, forwarder_networks,
    forwarder_sealers, is_support_address, knows_addresses, machine, own_domain, partner, product,
    receiving_domain,
};
#[doc(inline)]
pub use gatepost_contract::identity::{self, *};
#[doc(inline)]
pub use gatepost_contract::queued;
#[doc(inline)]
pub use gatepost_contract::types::{
    Attempt, AttemptResult, ClientAddress, Ending, Flow, Level, MessageClass, NextHop, Protocol,
    RecipientVerdict, Reply, Session, Stage, TlsMode, Transaction, Transport, Verdict,
};
pub use plan::{GoOn, Plan, Routing, Step, Way};
pub use policy::{Facts, Message, Policy};
pub use weights::choose_by_weight;
