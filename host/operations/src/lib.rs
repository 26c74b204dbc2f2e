//! Operations on a relay: queue, quarantine, trace, directory, policies and reload.
//!
//! An operation is a function with a request and an answer ([`Operation`]). A running relay
//! executes those that come over the socket `control.sock` in its store: one JSON request a line,
//! one JSON answer or [`OperationError`] a line. Whoever can open the socket can do everything, so
//! it has mode 0600. The relay makes it before anything else: while it starts, each answer says so
//! ([`RequestHandler`]). If no relay runs, the command line [opens the store itself](Runtime::open)
//! and executes the same functions on it, except those that need a running relay, such as swaps of
//! policies.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod accounts;
pub mod addresses;
pub mod administrators;
mod asker;
pub mod audit;
pub mod authorizations;
pub mod backups;
pub mod belonging;
mod blocking;
mod caused;
mod client;
mod clock;
mod code;
pub mod connections;
pub mod connectors;
pub mod credentials;
pub mod diagnosis;
mod directory;
pub mod disconnections;
pub mod dkim;
pub mod doctor;
pub mod domains;
pub mod endpoints;
pub mod erasures;
mod error;
pub mod events;
pub mod feeds;
pub mod handovers;
mod holdings;
pub mod holds;
pub mod imports;
pub mod instructions;
pub mod machines;
mod message;
pub mod messages;
mod named_connector;
mod operation;
pub mod partners;
mod picked;
pub mod policies;
pub mod policy_history;
pub mod progress;
pub mod quarantine;
pub mod queue;
pub mod recipients;
pub mod reload;
pub mod restrictions;
pub mod return_paths;
pub mod rollouts;
mod runtime;
pub mod sandboxes;
pub mod sharing;
mod shown_once;
mod site_facts;
mod socket;
mod stage;
pub mod submission;
pub mod suppression;
pub mod switching;
pub mod tokens;
pub mod trace;
pub mod verification;
pub mod webhooks;
mod wire;

pub use asker::Asker;
pub use client::{ClientError, call};
pub use clock::clock;
pub use code::{Code, ErrorKind};
pub use directory::expecting;
pub use error::OperationError;
pub use message::MessageDetails;
pub use named_connector::{NamedConnector, NamedConnectorError};
pub use operation::{NAMES, Operation, READING};
pub use runtime::{ClosingReply, OpenError, Reopen, Runtime, fatal};
pub use shown_once::ShownOnce;
pub use site_facts::SiteFacts;
pub use socket::{ControlSocket, SocketError, path};
pub use stage::RequestHandler;
