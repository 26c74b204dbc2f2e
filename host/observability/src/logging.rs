//! Logs: one line for each event on standard error, for people or for machines. Strangers' text is
//! [escaped](gatepost_terminal::escape) in both.

use std::io;
use std::sync::OnceLock;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, reload};

use super::fields::Fields;
use super::hidden::{AddressNames, shown};
use gatepost_config::{Log, LogFormat, LogLevelError};
use gatepost_terminal::escape;

/// Logs to standard error from now on. `RUST_LOG`, if set, overrides the configured level. If the
/// process logs already, as in tests, nothing changes. With `names`, addresses are logged by these.
///
/// # Errors
/// The level cannot be parsed.
pub fn start_logging(log: &Log, names: Option<AddressNames>) -> Result<(), LogLevelError> {
    if let Some(names) = names {
        let _first = NAMES.set(names);
    }
    let (filter, reload) = reload::Layer::new(log.filter()?);
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
        let text = String::from_utf8_lossy(line);
        let escaped = escape::json(&shown(&text, names()));
        io::stderr().write_all(escaped.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Names of addresses, where the log has them.
static NAMES: OnceLock<AddressNames> = OnceLock::new();

/// Returns the names of addresses, where the log has them.
pub(super) fn names() -> Option<&'static AddressNames> {
    NAMES.get()
}

/// Active filter, once the process logs.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Activates another filter.
pub fn set_log_level(level: EnvFilter) {
    if let Some(Err(error)) = FILTER.get().map(|filter| filter.reload(level)) {
        tracing::error!(%error, "log level unchanged");
    }
}
