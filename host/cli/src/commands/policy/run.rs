//! `gatepost policy run`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use gatepost_config::{Config, Policy};
use gatepost_intake::pipeline::judge::Disposition;
use gatepost_policy::observation::observe;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use serde_json::json;

use crate::check;
use crate::check::judge::MessageJudge;
use crate::commands::{JudgeArgs, exit};
use crate::story::{self, Story};

/// Tell the story of one decision: every call of each policy, what it looked up with the answers and
/// times, what it said, and what becomes of the message.
///
/// The message is judged as by `gatepost check`: nothing is sent or stored.
#[derive(Debug, Args)]
pub(in crate::commands) struct RunArgs {
    #[command(flatten)]
    judge: JudgeArgs,
    /// Tell of this policy only; the others are called all the same.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    /// Run this `.wasm` file in the place of the policy of `--policy`; without `--policy`, alone.
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    /// Settings of the policy, as JSON or TOML, in place of the configured ones.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Message: an `.eml` file; `-` is standard input.
    #[arg(value_name = "FILE.eml")]
    file: PathBuf,
}

pub(in crate::commands) async fn run(args: &RunArgs) -> miette::Result<ExitCode> {
    let message = check::read(&args.file)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {}", args.file.display()))?;
    let settings = args.settings.as_deref().map(read_settings).transpose()?;
    let change = |config: &mut Config, listener: &str| change(config, listener, args, settings);
    let judge = MessageJudge::with(args.judge.clone(), change).await?;
    let submitted = judge.submit(message).await;
    let before = submitted.message.head().clone();
    let envelope = format!(
        "{}: from <{}> to {}, on the listener {}",
        args.file.display(),
        submitted.transaction.reverse_path,
        recipients(&submitted.recipients),
        judge.listener()
    );
    let (result, observed) = observe(judge.judge(submitted)).await;
    let mut calls = story::calls(&result.findings.judgements, observed);
    if let Some(policy) = &args.policy {
        calls.retain(|call| call.policy == *policy);
    }
    let was_called = args.policy.is_none() || !calls.is_empty();
    // What is not kept has no header section any more.
    let header_diff = match result.disposition {
        Disposition::Accepted { .. } => story::header_diff(&before, result.message.head()),
        _ => String::new(),
    };
    let story = Story {
        report: judge.report(&args.file, result),
        envelope,
        calls,
        header_diff,
    };
    story.print(args.json)?;
    if let Some(policy) = args.policy.as_ref().filter(|_| !was_called) {
        return Err(miette!(
            help =
                "it may not be in the chain of the listener, or an earlier policy ended the chain",
            "the policy {policy} was not called"
        ));
    }
    Ok(exit(true))
}

fn recipients(addresses: &[gatepost_message::Address]) -> String {
    let addresses: Vec<_> = addresses.iter().map(|to| format!("<{to}>")).collect();
    addresses.join(", ")
}

/// Puts the module and the settings of the command line into a configuration.
fn change(
    config: &mut Config,
    listener: &str,
    args: &RunArgs,
    settings: Option<serde_json::Value>,
) -> miette::Result<()> {
    let Some(name) = &args.policy else {
        return match &args.module {
            Some(module) => alone(config, listener, module, settings),
            None if settings.is_some() => Err(miette!(
                help = "name the policy with --policy",
                "--settings does not say which policy it is for"
            )),
            None => Ok(()),
        };
    };
    let known: Vec<_> = config.policies.iter().map(|of| of.name.clone()).collect();
    let mut policies = config.policies.iter_mut();
    let Some(policy) = policies.find(|policy| policy.name == *name) else {
        return Err(miette!(
            help = format!("it has {}", known.join(", ")),
            "the configuration has no policy \"{name}\""
        ));
    };
    if let Some(module) = &args.module {
        policy.file = Some(module.clone());
        policy.builtin = None;
    }
    if let Some(settings) = settings {
        policy.settings = settings;
    }
    if args.module.is_some() || args.settings.is_some() {
        // They tell what the configured version does.
        policy.self_tests.clear();
    }
    Ok(())
}

/// Makes a module the only policy.
fn alone(
    config: &mut Config,
    listener: &str,
    module: &Path,
    settings: Option<serde_json::Value>,
) -> miette::Result<()> {
    let name = super::activate::stem(module)?;
    let policy = json!({
        "name": name,
        "file": module,
        "settings": settings.unwrap_or_else(|| json!({})),
    });
    let policy: Policy = serde_json::from_value(policy).into_diagnostic()?;
    config.policies = vec![policy];
    for of in &mut config.listeners {
        of.chain = match of.name == listener {
            true => vec![name.clone()],
            false => Vec::new(),
        };
    }
    Ok(())
}

/// Reads settings from a file: JSON, or TOML if its name ends so.
///
/// # Errors
/// It cannot be read or parsed, or is too long.
pub(super) fn read_settings(file: &Path) -> miette::Result<serde_json::Value> {
    /// Bytes of the longest settings.
    const LONGEST: u64 = 4 << 20;
    let cannot = || format!("cannot read the settings {}", file.display());
    let octets = gatepost_files::read(file, LONGEST);
    let octets = octets.into_diagnostic().wrap_err_with(cannot)?;
    let text = String::from_utf8(octets)
        .into_diagnostic()
        .wrap_err_with(cannot)?;
    match file.extension().is_some_and(|of| of == "toml") {
        true => toml::from_str(&text)
            .into_diagnostic()
            .wrap_err_with(cannot),
        false => serde_json::from_str(&text)
            .into_diagnostic()
            .wrap_err_with(cannot),
    }
}
