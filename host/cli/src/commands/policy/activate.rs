//! `gatepost policy activate`, and the output of everything that swaps a version.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use gatepost_operations::policies::{ActivateConfigured, ActivateModule};
use gatepost_operations::rollouts::RollOut;
use gatepost_operations::{Code, Operation};
use gatepost_policy_set::{Swap, SwapOutcome};
use miette::miette;
use serde_json::json;

use super::rollout_options::RolloutOptions;
use super::{read, status};
use crate::commands::operate::Target;
use crate::commands::{exit, output};

/// Activate a module while mail flows.
///
/// With `--shadow`, `--canary` or `--steps` it is tried beside the active version first.
///
/// The settings and limits of the policy stay. The module stays, too, after a reload or a restart,
/// until the configuration names another module than it does now.
#[derive(Debug, Args)]
pub(in crate::commands) struct Activate {
    #[command(flatten)]
    target: Target,
    /// Module: a `.wasm` file.
    #[arg(required_unless_present = "configured")]
    file: Option<PathBuf>,
    /// Name of the policy. When not given, the file's name without its extension, with `-` for `_`:
    /// `loop_guard.wasm`, as cargo names it, is for loop-guard.
    #[arg(long)]
    name: Option<String>,
    /// Activate the module that the configuration names for this policy, in the place of one that
    /// was activated by hand.
    #[arg(long, value_name = "NAME", conflicts_with_all = [
        "file", "name", "trial", "budget", "every", "at_least", "max_changed", "max_faults", "max_slow",
        "slower_than", "max_flood",
    ])]
    configured: Option<String>,
    #[command(flatten)]
    rollout: RolloutOptions,
}

/// Runs the command.
pub(super) async fn run(args: Activate) -> miette::Result<ExitCode> {
    let Some(file) = &args.file else {
        let policy = args.configured.unwrap_or_default();
        return swap(&args.target, ActivateConfigured { policy }).await;
    };
    let is_named = args.name.is_some();
    let advice = |code| {
        let is_unknown = code == Code::UnknownPolicy && !is_named;
        is_unknown.then_some("the policy is named after the file; give another name with --name")
    };
    let policy = match args.name {
        Some(name) => name,
        None => stem(file)?,
    };
    let (module, source) = (read(file)?, Some(file.display().to_string()));
    if let Some(mode) = args.rollout.mode() {
        let thresholds = args.rollout.thresholds();
        let order = RollOut {
            policy,
            module,
            source,
            mode,
            thresholds,
        };
        let state = args.target.call_relay_advised(order, advice).await?;
        return status::print(&args.target, &state);
    }
    let module = ActivateModule {
        policy,
        module,
        source,
    };
    let swap = args.target.call_relay_advised(module, advice).await?;
    print(&args.target, &swap)
}

pub(super) fn stem(file: &Path) -> miette::Result<String> {
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    stem.map(|stem| stem.replace('_', "-")).ok_or_else(|| {
        miette!(
            help = "give its name with --name",
            "the file name does not say which policy this is"
        )
    })
}

/// Executes an operation that swaps a version, and prints what it did.
pub(super) async fn swap<O>(target: &Target, request: O) -> miette::Result<ExitCode>
where
    O: Operation<Answer = Swap>,
{
    print(target, &target.call_relay(request).await?)
}

fn print(target: &Target, swap: &Swap) -> miette::Result<ExitCode> {
    let note = target.pasted(&note(swap));
    if target.json {
        let mut printed = serde_json::to_value(swap).unwrap_or_default();
        if let Some(fields) = printed.as_object_mut() {
            fields.insert("note".to_owned(), json!(note));
        }
        output::print_json([printed])?;
    } else {
        output::print(format!("{}\n{note}", in_words(swap)))?;
    }
    Ok(exit(true))
}

/// Tells of the change.
fn in_words(swap: &Swap) -> String {
    let Swap {
        policy, old, new, ..
    } = swap;
    let since = swap.active_since;
    match (swap.outcome, swap.rolled_back_before) {
        (SwapOutcome::CandidateDropped, _) => {
            format!("{policy}: candidate {old} is dropped, {new} stays active (since {since})")
        }
        (SwapOutcome::ActiveAlready, _) => {
            format!("{policy}: {new} is active already, since {since}; nothing is changed")
        }
        (SwapOutcome::Activated, None) => format!("{policy}: {old} is replaced by {new}"),
        (SwapOutcome::Activated, Some(before)) => {
            format!("{policy}: {old} is replaced by {new}, which was rolled back at {before}")
        }
    }
}

/// Tells how long the active version stays, and what else may judge beside it.
fn note(swap: &Swap) -> String {
    let policy = &swap.policy;
    let mut note = match swap.configured {
        true => "it is the configuration's".to_owned(),
        false => format!(
            "it stays until the configuration names another module than it does now; \
             `gatepost policy activate --configured {policy}` ends it"
        ),
    };
    if let Some(candidate) = &swap.candidate {
        let candidate = output::digest(candidate);
        note += &format!(
            "\nversion {candidate} is still under trial; `gatepost policy rollback {policy}` drops it"
        );
    }
    note
}

#[cfg(test)]
mod tests {
    use gatepost_message::Millis;

    use super::*;

    fn swapped(outcome: SwapOutcome) -> Swap {
        Swap {
            policy: "guest".to_owned(),
            outcome,
            old: "aaaa".to_owned(),
            new: "bbbb".to_owned(),
            active_since: Millis(0),
            configured: false,
            rolled_back_before: None,
            candidate: None,
        }
    }

    #[test]
    fn each_outcome_is_told_as_it_is() {
        let dropped = in_words(&swapped(SwapOutcome::CandidateDropped));
        assert!(
            dropped.starts_with("guest: candidate aaaa is dropped, bbbb stays active"),
            "{dropped}"
        );
        let already = in_words(&swapped(SwapOutcome::ActiveAlready));
        assert!(
            already.contains("bbbb is active already, since 1970"),
            "{already}"
        );
        let again = in_words(&Swap {
            rolled_back_before: Some(Millis(1000)),
            ..swapped(SwapOutcome::Activated)
        });
        let words = "aaaa is replaced by bbbb, which was rolled back at 1970-01-01T00:00:01";
        assert!(again.contains(words), "{again}");
    }

    #[test]
    fn commands_of_the_note_name_the_policy() {
        let note = note(&Swap {
            candidate: Some("cccc".to_owned()),
            ..swapped(SwapOutcome::ActiveAlready)
        });
        assert!(
            note.contains("`gatepost policy activate --configured guest`"),
            "{note}"
        );
        assert!(
            note.contains("`gatepost policy rollback guest` drops it"),
            "{note}"
        );
    }
}
