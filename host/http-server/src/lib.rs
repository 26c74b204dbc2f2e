//! HTTP server for strangers and applications.
//!
//! Everything about a connection is bounded: the number of connections, the life of each, the time
//! and the size of a request's header. What answers is an [`HttpService`], which may refuse a
//! connection before anything is read of it. A connection over a bound is closed at once and counted.
//!
//! Metric: `gatepost_connections_refused_total{listener}`.

#![forbid(unsafe_code)]

mod connection;
mod serve;
mod socket;

pub use connection::HttpClientFacts;
pub use serve::{HttpServer, HttpService, ServerBounds};
pub use socket::HttpSocket;
