//! `gatepost policy activate`, and the output of everything that swaps a version.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use gatepost_operations::Operation;
use gatepost_operations::policies::{ActivateConfigured, ActivateModule};
use gatepost_operations::rollouts::RollOut;
use gatepost_policy_set::Swap;
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
    #[arg(long, value_name = "NAME", conflicts_with_all = ["file", "name"])]
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
        let state = args.target.call_relay(order).await?;
        return status::print(&args.target, &state);
    }
    let module = ActivateModule {
        policy,
        module,
        source,
    };
    swap(&args.target, module).await
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
    let Swap {
        policy,
        old,
        new,
        configured,
    } = target.call_relay(request).await?;
    let note = match configured {
        true => "it is the configuration's",
        false => {
            "it stays until the configuration names another module than it does now; \
             `gatepost policy activate --configured` ends it"
        }
    };
    if target.json {
        output::print_json([json!({
            "policy": policy, "old": old, "new": new, "configured": configured, "note": note
        })])?;
    } else {
        output::print(format!("{policy}: {old} is replaced by {new}\n{note}"))?;
    }
    Ok(exit(true))
}
