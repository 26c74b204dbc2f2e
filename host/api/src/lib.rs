//! HTTP API by which applications operate a relay.
//!
//! It has the [operations](gatepost_operations) of the command line, each at a path of the
//! [table of routes](table). A request presents a token; one that is bound to an account finds
//! nothing of another. The members of a request come from its path, its query and its body, and
//! make the same typed request that the control socket takes. Every refusal is a problem of RFC 9457
//! with the stable code of its error.
//!
//! Everything is bounded: connections, requests at a time, the size and the time of a body, and the
//! requests of a token in a minute.
//!
//! Metrics: `gatepost_api_requests_total{answer}`, `gatepost_connections_refused_total{listener="api"}`.

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod answer;
mod bearer;
mod body;
mod call;
mod condition;
mod cursor;
mod description;
mod fields;
mod messages;
mod openapi;
mod problem;
mod rate;
mod reach;
mod repetition;
mod route;
mod serve;
mod stream;
pub mod table;
mod text_value;

pub use openapi::document;
pub use route::{AnswerForm, ApiRoute, HttpMethod, RouteReach};
pub use serve::ApiServer;

/// Path in front of all routes.
pub const BASE: &str = "/api/v1";
