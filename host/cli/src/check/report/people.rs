//! Report in a few lines for people.

use std::fmt::{self, Display, Write as _};

use crate::commands::trace::authentication_line;

use super::{EditReport, EffectKind, EffectReport, RecipientReport, Report, ReportedRoute};

impl Report {
    pub(super) fn for_people(&self) -> String {
        let mut text = format!("{}\n{}", self.file, self.summary());
        // Writing to a String cannot fail.
        for call in &self.policies {
            let digest = call.digest.get(..12).unwrap_or(&call.digest);
            let _ = write!(text, "  {} {digest} {}: ", call.name, call.hook);
            let _ = match &call.routing {
                None | Some(ReportedRoute::Default(_)) => write!(text, "{}", call.verdict),
                Some(route) => write!(text, "{route}"),
            };
            let _ = write!(text, " in {} µs", call.micros);
            if let Some(error) = &call.error {
                let _ = write!(text, ", FAULT {error}");
            }
            text.push('\n');
            for reason in call.reasons.iter().chain(&call.dropped) {
                let _ = writeln!(text, "    {reason}");
            }
        }
        for edit in &self.edits {
            let _ = writeln!(text, "  {} {edit}", edit.policy);
        }
        for EffectReport { policy, effect, .. } in &self.effects {
            let _ = writeln!(text, "  {policy} {effect}");
        }
        text
    }

    /// Returns the lines about the message as a whole: verdict, recipients, class.
    pub(crate) fn summary(&self) -> String {
        let mut text = format!("  {}: {}\n", self.verdict, self.reply);
        // Writing to a String cannot fail.
        for RecipientReport {
            address,
            verdict,
            reason,
            route,
        } in &self.recipients
        {
            let _ = write!(text, "  to <{address}>: {verdict}");
            if let Some(reason) = reason {
                let _ = write!(text, " ({reason})");
            }
            if let Some(route) = route {
                let _ = write!(text, ", {route}");
            }
            text.push('\n');
        }
        let may = may_reply(self.reply_allowed);
        let _ = write!(text, "  class {}, {may}", self.class);
        if !self.tags.is_empty() {
            let _ = write!(text, "; tags {}", self.tags.join(", "));
        }
        text.push('\n');
        if self.effects_dropped {
            text.push_str("  no counts or marks are kept: the message is refused\n");
        }
        if let Some(report) = &self.report {
            text.push_str(&report.for_people());
        }
        if let Some(authentication) = &self.authentication {
            let _ = writeln!(text, "  {}", authentication_line(authentication));
        }
        text
    }
}

/// Returns the leave of a machine to reply, in words.
pub(crate) fn may_reply(allowed: bool) -> &'static str {
    match allowed {
        true => "a machine may reply",
        false => "a machine must not reply",
    }
}

impl Display for EditReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action, self.name)?;
        match &self.body {
            Some(body) => write!(f, ": {body}"),
            None => Ok(()),
        }
    }
}

impl Display for EffectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { key, amount } => write!(f, "counts {amount} for {key}"),
            Self::MarkSeen { key, seconds } => write!(f, "remembers {key} for {seconds} s"),
            Self::ForgetCount { key } => write!(f, "counts {key} from nothing again"),
            Self::RememberMachine {
                address,
                evidence,
                seconds,
            } => write!(
                f,
                "knows {address} as a machine's for {seconds} s: {evidence}"
            ),
            Self::ForgetMachine { address } => {
                write!(f, "knows {address} as a machine's no more")
            }
        }
    }
}

impl Display for ReportedRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(plan) => {
                for (at, step) in plan.steps.iter().enumerate() {
                    let then = if at == 0 { "by " } else { ", then by " };
                    write!(f, "{then}{}", step.way)?;
                }
                Ok(())
            }
            Self::Hold { hold } => write!(f, "would be held: {hold}"),
            Self::Discard { discard } => write!(f, "would be dropped: {discard}"),
            Self::Default(_) => f.write_str("by the default route"),
            Self::Defer { defer } => write!(f, "would wait: {} {}", defer.code, defer.text),
            Self::Fail { fail } => write!(f, "would fail: {} {}", fail.code, fail.text),
        }
    }
}
