//! Log lines of a module while it is loaded: the loading process sends them to the relay's log.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Number of lines of one load.
const MAX_LINES: usize = 100;

/// Length limit of one line, in characters.
const MAX_LINE: usize = 1_000;

/// Subscriber that sends each event's level and message to the relay.
pub(super) struct LogSender<F> {
    pub(super) send: Arc<F>,
    pub(super) lines: AtomicUsize,
}

impl<F: Fn(&str) + Send + Sync + 'static> Subscriber for LogSender<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Only events of the relay's own crates are sent, not those of libraries.
        metadata.target().starts_with("gatepost") && *metadata.level() <= Level::DEBUG
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        if self.lines.fetch_add(1, Ordering::Relaxed) >= MAX_LINES {
            return;
        }
        let mut message = EventMessage(String::new());
        event.record(&mut message);
        let text: String = message.0.chars().take(MAX_LINE).collect();
        (self.send)(&format!("{} {text}", event.metadata().level()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Message of an event, collected from its fields.
struct EventMessage(String);

impl Visit for EventMessage {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a string does not fail.
            let _ = write!(self.0, "{value:?}");
        }
    }
}

/// Logs in the relay a line that a module logged in the loading process.
pub(super) fn log(policy: &str, line: &str) {
    let (level, text) = line.split_once(' ').unwrap_or(("INFO", line));
    match level {
        "ERROR" => tracing::error!(policy, "{text}"),
        "WARN" => tracing::warn!(policy, "{text}"),
        "INFO" => tracing::info!(policy, "{text}"),
        _ => tracing::debug!(policy, "{text}"),
    }
}
