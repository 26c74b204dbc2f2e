//! Report in a few lines for people.

use std::fmt::{self, Display, Write as _};

use crate::commands::trace::authentication_line;

use super::{EditReport, EffectKind, EffectReport, RecipientReport, Report, ReportedRoute};

impl Report {
    pub(super) fn for_people(&self) -> String {
        let mut text = format!("{}\n  {}: {}\n", self.file, self.verdict, self.reply);
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
        let may = if self.reply_allowed {
            "may"
        } else {
            "must not"
        };
        let _ = write!(text, "  class {}, a machine {may} reply", self.class);
        if !self.tags.is_empty() {
            let _ = write!(text, "; tags {}", self.tags.join(", "));
        }
        text.push('\n');
        if let Some(report) = &self.report {
            text.push_str(&report.for_people());
        }
        if let Some(authentication) = &self.authentication {
            let _ = writeln!(text, "  {}", authentication_line(authentication));
        }
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
        for EditReport {
            policy,
            action,
            name,
            body,
        } in &self.edits
        {
            let _ = write!(text, "  {policy} {action} {name}");
            match body {
                Some(body) => {
                    let _ = writeln!(text, ": {body}");
                }
                None => text.push('\n'),
            }
        }
        for EffectReport { policy, effect, .. } in &self.effects {
            let _ = match effect {
                EffectKind::Count { key, amount } => {
                    writeln!(text, "  {policy} counts {amount} for {key}")
                }
                EffectKind::MarkSeen { key, seconds } => {
                    writeln!(text, "  {policy} remembers {key} for {seconds} s")
                }
                EffectKind::ForgetCount { key } => {
                    writeln!(text, "  {policy} counts {key} from nothing again")
                }
                EffectKind::RememberMachine {
                    address,
                    evidence,
                    seconds,
                } => writeln!(
                    text,
                    "  {policy} knows {address} as a machine's for {seconds} s: {evidence}"
                ),
                EffectKind::ForgetMachine { address } => {
                    writeln!(text, "  {policy} knows {address} as a machine's no more")
                }
            };
        }
        text
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
