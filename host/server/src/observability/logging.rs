//! Logs: one line for each event on standard error, for people or for machines. What strangers have
//! written is [escaped](super::escape) in both.

use std::io;
use std::sync::OnceLock;

use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, reload};

use super::escape;
use super::fields::Fields;
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
    let (filter, reload) = reload::Layer::new(level(log)?);
    let lines = tracing_subscriber::fmt::layer();
    let lines = match log.format {
        LogFormat::Text => lines
            .with_writer(io::stderr)
            .fmt_fields(Fields)
            .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
            .boxed(),
        LogFormat::Json => lines
            .with_writer(|| JsonLines)
            .json()
            .flatten_event(true)
            // The list of spans has it too.
            .with_current_span(false)
            .boxed(),
    };
    let logs = tracing_subscriber::registry().with(filter).with(lines);
    if logs.try_init().is_ok() {
        let _first = FILTER.set(reload);
    }
    Ok(())
}

/// Standard error for lines of JSON, each of which is written whole.
struct JsonLines;

impl io::Write for JsonLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let escaped = escape::json(&String::from_utf8_lossy(line));
        io::stderr().write_all(escaped.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The filter in use, once the process logs.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// A level that can be [put in use](put_level_in_use).
///
/// # Errors
/// It cannot be understood.
pub fn level(log: &Log) -> Result<EnvFilter, LoggingError> {
    match std::env::var("RUST_LOG") {
        Ok(directives) if !directives.is_empty() => filter(directives, "RUST_LOG"),
        _ => filter(log.level.clone(), "log.level"),
    }
}

/// Logs by this from now on.
pub fn put_level_in_use(level: EnvFilter) {
    if let Some(Err(error)) = FILTER.get().map(|filter| filter.reload(level)) {
        tracing::error!(%error, "the level of the log stays as it is");
    }
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
