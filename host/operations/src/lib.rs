//! Operations on a relay: queue, quarantine, trace, directory, policies and reload.
//!
//! A running relay answers on the socket `control.sock` in its store: one JSON [`Request`] a line,
//! one JSON [`Response`] a line. Whoever can open the socket can do everything, so it has mode
//! 0600. The relay makes it before anything else: while it starts, each response says so
//! ([`RequestHandler`]). If no relay runs, the command line [opens the store itself](Runtime::open)
//! and [executes](execute()) the same requests, except those that need a running relay, such as
//! swaps of policies.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod client;
mod directory;
pub mod doctor;
mod execute;
mod http;
mod partners;
mod protocol;
mod reload;
mod runtime;
mod socket;
mod stage;

pub use client::{ClientError, ask};
pub use directory::{ConnectorAsk, DirectoryRequest, DirectoryResponse};
pub use execute::execute;
pub use http::partner_routes;
pub use partners::{LookedUp, PartnerRequest, PartnerResponse, Shared};
pub use protocol::{Action, Choice, Listing, PolicyStatus, Request, Response, Shown};
pub use reload::{Refusal, ReloadRequest, Reloaded};
pub use runtime::{OpenError, Runtime, fatal};
pub use socket::{ControlSocket, SocketError, path};
pub use stage::RequestHandler;
