//! The story as a page for people.

use std::fmt::Write as _;

use gatepost_model::Verdict;
use gatepost_policy::observation::{HostCall, HostValue};
use gatepost_terminal::escape;

use super::{CallStory, Story};
use crate::check::report::ReportedRoute;
use crate::check::report::people::may_reply;
use crate::commands::output;

impl Story {
    pub(super) fn for_people(&self) -> String {
        let mut text = format!("{}\n", self.envelope);
        for call in &self.calls {
            text.push('\n');
            text.push_str(&call.for_people());
        }
        if !self.header_diff.is_empty() {
            text.push_str("\nheader section\n");
            for line in self.header_diff.lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
        text.push_str("\nresult\n");
        text.push_str(&self.report.summary());
        text
    }
}

impl CallStory {
    fn for_people(&self) -> String {
        let digest = output::digest(&self.digest);
        let mut text = format!("{} {digest} {}: {}", self.policy, self.hook, self.decided());
        // Writing to a String cannot fail.
        let _ = write!(text, "   {} µs", self.micros);
        if self.memory > 0 {
            let _ = write!(text, ", {}", output::size(self.memory as u64));
        }
        text.push('\n');
        for call in &self.host_calls {
            let _ = writeln!(text, "  {}", host_call(&call.0));
        }
        if self.more_host_calls > 0 {
            let _ = writeln!(
                text,
                "  and {} more calls of the host",
                self.more_host_calls
            );
        }
        let mut line = |name: &str, of: &str| {
            let _ = writeln!(text, "  * {name}: {}", escape::line(of));
        };
        for reason in &self.reasons {
            line("reason", reason);
        }
        if !self.tags.is_empty() {
            line("tags", &self.tags.join(", "));
        }
        if let Some((class, allowed)) = self.class.zip(self.reply_allowed) {
            line("class", &format!("{class}, {}", may_reply(allowed)));
        }
        for edit in &self.edits {
            line("edit", &edit.to_string());
        }
        for name in &self.protected {
            line("protects", &name.to_string());
        }
        for (address, verdict) in &self.recipients {
            line(&format!("for <{address}>"), verdict);
        }
        for effect in &self.effects {
            line("effect", &effect.to_string());
        }
        if self.report_suppressed {
            line("notice", "the submitter is told of suppressed recipients");
        }
        for dropped in &self.dropped {
            line("dropped", dropped);
        }
        if let Some(error) = &self.error {
            line("FAULT", error);
        }
        text
    }

    /// Returns the verdict or routing with what belongs to it.
    fn decided(&self) -> String {
        match (&self.routing, &self.with) {
            (Some(ReportedRoute::Default(_)), _) | (None, None) => self.verdict.to_owned(),
            (Some(route), _) => route.to_string(),
            (None, Some(with)) => format!("{} {}", self.verdict, escape::line(with)),
        }
    }
}

/// Returns the reply of a verdict that refuses, or the reason of a quarantine.
pub(super) fn with(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Reject(reply) | Verdict::Tempfail(reply) => Some(reply.to_string()),
        Verdict::Quarantine(reason) => Some(reason.clone()),
        Verdict::Pass | Verdict::Accept | Verdict::Discard => None,
    }
}

/// Returns a call of the host in one line: `directory.partner("ann@x.example") -> none   3 µs`.
fn host_call(call: &HostCall) -> String {
    let arguments: Vec<_> = call
        .arguments
        .iter()
        .map(|(_, of)| of.to_string())
        .collect();
    let mut line = format!(
        "{}.{}({})",
        call.interface,
        call.function,
        arguments.join(", ")
    );
    if call.answer != HostValue::Nothing {
        // Writing to a String cannot fail.
        let _ = write!(line, " -> {}", call.answer);
    }
    format!("{}   {}", escape::line(&line), time(call.nanos))
}

/// Returns a short time in microseconds.
fn time(nanos: u64) -> String {
    match nanos {
        0..10_000 => format!("{}.{} µs", nanos / 1_000, nanos % 1_000 / 100),
        _ => format!("{} µs", nanos / 1_000),
    }
}
