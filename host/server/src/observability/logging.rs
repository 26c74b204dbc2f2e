//! Logs: one line for each event on standard error, for people or for machines.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::{Log, LogFormat};

/// What is to be logged cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{directives}` in {from} does not say what to log: {source}; write a level (error, warn, info, debug, trace) or pairs such as \"info,gatepost_policy=debug\""
)]
pub struct LoggingError {
    directives: String,
    from: &'static str,
    source: ParseError,
}

/// Logs to standard error from now on. `RUST_LOG`, where set, goes before the configured level.
/// If the process logs already, as in tests, nothing changes.
///
/// # Errors
/// The level cannot be understood.
pub fn start_logging(log: &Log) -> Result<(), LoggingError> {
    let (directives, from) = match std::env::var("RUST_LOG") {
        Ok(directives) if !directives.is_empty() => (directives, "RUST_LOG"),
        _ => (log.level.clone(), "log.level"),
    };
    let filter = filter(directives, from)?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    let _already_logging = match log.format {
        LogFormat::Text => logs
            .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
            .try_init(),
        LogFormat::Json => logs
            .json()
            .flatten_event(true)
            // The list of spans has it too.
            .with_current_span(false)
            .try_init(),
    };
    Ok(())
}

/// Whether a configured level can be understood.
///
/// # Errors
/// It cannot.
pub fn check_level(level: &str) -> Result<(), LoggingError> {
    filter(level.to_owned(), "log.level").map(drop)
}

fn filter(directives: String, from: &'static str) -> Result<EnvFilter, LoggingError> {
    EnvFilter::builder()
        .parse(&directives)
        .map_err(|source| LoggingError {
            directives,
            from,
            source,
        })
}
