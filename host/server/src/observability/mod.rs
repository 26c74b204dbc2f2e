//! What people and monitors see of a running relay: logs, metrics, spans, health.

pub(crate) mod escape;
mod fields;
mod health;
mod http;
mod logging;
mod metrics;
mod places;
pub mod spans;

pub use health::Health;
pub use http::Monitor;
pub use logging::{LoggingError, check_level, level, put_level_in_use, start_logging};
pub use metrics::{Metrics, MetricsError};
pub use spans::Spans;
