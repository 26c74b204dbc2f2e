//! Lines that a module logs while it is loaded, sent to the relay, which has a log.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Lines of one load.
const LINES: usize = 100;

/// Characters of one.
const LONGEST: usize = 1_000;

/// Hands each event's level and message on.
pub(super) struct Logged<F> {
    pub(super) send: Arc<F>,
    pub(super) lines: AtomicUsize,
}

impl<F: Fn(&str) + Send + Sync + 'static> Subscriber for Logged<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Of the relay's own, not of what it is built on.
        metadata.target().starts_with("gatepost") && *metadata.level() <= Level::DEBUG
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        if self.lines.fetch_add(1, Ordering::Relaxed) >= LINES {
            return;
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        let text: String = message.0.chars().take(LONGEST).collect();
        (self.send)(&format!("{} {text}", event.metadata().level()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a string does not fail.
            let _ = write!(self.0, "{value:?}");
        }
    }
}

/// Logs in the relay what a module has logged in the process that loads it.
pub(super) fn log(policy: &str, line: &str) {
    let (level, text) = line.split_once(' ').unwrap_or(("INFO", line));
    match level {
        "ERROR" => tracing::error!(policy, "{text}"),
        "WARN" => tracing::warn!(policy, "{text}"),
        "INFO" => tracing::info!(policy, "{text}"),
        _ => tracing::debug!(policy, "{text}"),
    }
}
