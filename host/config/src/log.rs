//! Logging: the form of log lines, and which of them are written.

use gatepost_policy::observation::HOST_CALL_TARGET;
use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{Directive, ParseError};

/// Form and level of the log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Log {
    /// Form of a line.
    pub format: LogFormat,
    /// Level, or directives such as `info,gatepost_policy=debug`. The environment variable
    /// `RUST_LOG` precedes it.
    pub level: String,
    /// Form of addresses.
    pub addresses: LoggedAddresses,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".to_owned(),
            addresses: LoggedAddresses::Plain,
        }
    }
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Text for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Form of addresses in log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoggedAddresses {
    /// As they are.
    #[default]
    Plain,
    /// Each as a name that only the key in the store leads to.
    Hashed,
}

impl Log {
    /// Returns the filter of log lines, from `RUST_LOG` if that is set, else from the configured
    /// level.
    ///
    /// # Errors
    /// The directives cannot be parsed.
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

/// Directives that cannot be parsed.
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
    let off = format!("{HOST_CALL_TARGET}=off").parse::<Directive>();
    EnvFilter::builder()
        .parse(&directives)
        // Arguments and answers of host calls are mail, which no log may hold at any level.
        .and_then(|filter| Ok(filter.add_directive(off?)))
        .map_err(|source| LogLevelError {
            directives,
            from,
            source,
        })
}
