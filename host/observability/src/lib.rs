//! Observability of a running relay: logs, metrics, spans, health.
//!
//! Each crate counts its work where it is done; [`Metrics`] describes all names and renders them.
//! [`Monitor`] answers `/metrics`, `/healthz` and `/readyz`, and the routes that it is given.

#![forbid(unsafe_code)]

mod bounded;
mod fields;
mod health;
mod hidden;
mod http;
mod logging;
mod metrics;
pub mod spans;

pub use health::Health;
pub use hidden::{AddressNames, LOG_KEY};
pub use http::{Monitor, PolicyState, PolicyStates};
pub use logging::{set_log_level, start_logging};
pub use metrics::{Metrics, MetricsError};
pub use spans::Spans;
