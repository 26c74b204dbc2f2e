//! What people and monitors see of a running relay: logs, metrics, health.

mod health;

pub use health::Health;
