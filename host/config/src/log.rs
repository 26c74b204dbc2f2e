//! Logging: the form of log lines, and which of them are written.

use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Form and level of the log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Log {
    /// Form of a line.
    pub format: LogFormat,
    /// A level, or directives such as `info,gatepost_policy=debug`; the environment's `RUST_LOG`
    /// goes before it.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".to_owned(),
        }
    }
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

impl Log {
    /// Returns the filter of log lines: of `RUST_LOG` where that is set, else of the configured level.
    ///
    /// # Errors
    /// If the directives cannot be understood.
    pub fn filter(&self) -> Result<EnvFilter, LogLevelError> {
        match std::env::var("RUST_LOG") {
            Ok(directives) if !directives.is_empty() => filter(directives, "RUST_LOG"),
            _ => self.own_filter(),
        }
    }

    /// Returns the filter of the configured level, whatever `RUST_LOG` says.
    pub(crate) fn own_filter(&self) -> Result<EnvFilter, LogLevelError> {
        filter(self.level.clone(), "log.level")
    }
}

/// Directives that do not say what to log.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{directives}` in {from} does not say what to log: {source}; write a level (error, warn, info, debug, trace) or pairs such as \"info,gatepost_policy=debug\""
)]
pub struct LogLevelError {
    directives: String,
    from: &'static str,
    source: ParseError,
}

fn filter(directives: String, from: &'static str) -> Result<EnvFilter, LogLevelError> {
    EnvFilter::builder()
        .parse(&directives)
        .map_err(|source| LogLevelError {
            directives,
            from,
            source,
        })
}
