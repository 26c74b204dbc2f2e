//! What an operator can do to a relay: look into queue, quarantine and trace, and swap policies.
//!
//! A running relay answers on the socket `control.sock` in its store: one JSON [`Request`] a line,
//! one JSON [`Response`] a line. Who may open the socket may do everything, so it has mode 0600.
//! It is there before anything else is: while the relay starts, each answer says so ([`Counter`]).
//! When no relay runs, the command line [opens the store itself](Runtime::open) and
//! [executes](execute()) the same requests; only policies can be swapped in nothing but a relay.

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
pub use reload::{Ask, Refusal, Reloaded};
pub use runtime::{OpenError, Runtime, fatal};
pub use socket::{ControlSocket, SocketError, path};
pub use stage::Counter;
