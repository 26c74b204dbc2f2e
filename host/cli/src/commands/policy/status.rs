//! `gatepost policy status`, `hold` and `go-on`: what a rollout is doing.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use gatepost_operations::Operation;
use gatepost_operations::policies::ListPolicies;
use gatepost_operations::rollouts::{PolicyDetails, ShowPolicy};
use gatepost_policy_set::rollouts::{RolloutMode, RolloutState};
use tokio::time::sleep;

use crate::commands::operate::{Ask, Target};
use crate::commands::{exit, output};

/// Time between two looks of `--follow`.
const INTERVAL: Duration = Duration::from_secs(1);

/// Differences that are shown of each kind.
const SHOWN: usize = 3;

/// Show policies with their rollouts: figures, differences, and how earlier ones ended.
#[derive(Debug, Args)]
pub(in crate::commands) struct ShowStatus {
    #[command(flatten)]
    target: Target,
    /// Name of one policy.
    name: Option<String>,
    /// Show it again whenever it changes, until it is broken off.
    #[arg(long)]
    follow: bool,
}

/// Runs `gatepost policy status`.
pub(super) async fn run(args: ShowStatus) -> miette::Result<ExitCode> {
    let mut shown = String::new();
    loop {
        let mut details = Vec::new();
        for policy in names(&args).await? {
            details.push(args.target.call_relay(ShowPolicy { policy }).await?);
        }
        let text: Vec<String> = match args.target.json {
            true => (details.iter())
                .map(|of| serde_json::to_string(of).unwrap_or_default())
                .collect(),
            false => details.iter().map(in_words).collect(),
        };
        let text = text.join("\n");
        if text != shown {
            output::print(&text)?;
            shown = text;
        }
        if !args.follow {
            return Ok(exit(true));
        }
        sleep(INTERVAL).await;
    }
}

async fn names(args: &ShowStatus) -> miette::Result<Vec<String>> {
    if let Some(name) = &args.name {
        return Ok(vec![name.clone()]);
    }
    let listed = args.target.call_relay(ListPolicies {}).await?;
    Ok(listed.into_iter().map(|of| of.policy).collect())
}

/// Executes an operation on a rollout, and prints its state.
pub(super) async fn rollout<R>(ask: Ask<R>) -> miette::Result<ExitCode>
where
    R: Args + Operation<Answer = RolloutState>,
{
    let Ask { target, request } = ask;
    print(&target, &target.call_relay(request).await?)
}

/// Prints the state of a rollout.
pub(super) fn print(target: &Target, state: &RolloutState) -> miette::Result<ExitCode> {
    match target.json {
        true => output::print_json([state])?,
        false => output::print(rollout_in_words(state))?,
    }
    Ok(exit(true))
}

fn in_words(details: &PolicyDetails) -> String {
    let status = &details.status;
    let mut words = format!(
        "{}: version {} is active since {}",
        status.policy,
        output::digest(&status.digest),
        status.loaded_at
    );
    if let Some(configured) = &status.configured {
        let configured = output::digest(configured);
        let _ = write!(
            words,
            ", activated by hand; the configuration names {configured}"
        );
    }
    if let Some(state) = &details.rollout {
        let _ = write!(words, "\n{}", rollout_in_words(state));
    }
    for ended in &details.ended {
        let told = ended.in_words(&status.policy);
        let _ = write!(words, "\n  {} {told}", ended.ended);
    }
    words
}

fn rollout_in_words(state: &RolloutState) -> String {
    let rollout = &state.rollout;
    let mut words = format!(
        "  version {} {}, since {}, {}",
        output::digest(&rollout.digest),
        rollout.in_words(),
        rollout.step_begun,
        rollout.by
    );
    if let RolloutMode::Canary { plan } = &rollout.mode
        && plan.steps.len() > 1
    {
        let steps: Vec<_> = plan.steps.iter().map(ToString::to_string).collect();
        let every = Duration::from_millis(plan.every);
        let _ = write!(
            words,
            "\n  steps {}, each {every:?} and {} calls at least{}",
            steps.join(", "),
            plan.at_least,
            if rollout.held { "; HELD" } else { "" }
        );
    } else if rollout.held {
        words.push_str("; HELD");
    }
    let counts = &state.counts;
    let _ = write!(
        words,
        "\n  {} calls compared ({} in this step), {} skipped: {} verdicts changed, {} faults, {} slow, {} flooding the log",
        counts.compared,
        state.compared_in_step,
        state.skipped,
        counts.changed,
        counts.faults,
        counts.slow,
        counts.flooding
    );
    for (kind, count) in &state.differences.counts {
        let _ = write!(words, "\n  {count} differ in {}", kind.word());
        let samples = state.differences.samples.iter().rev();
        for sample in samples.filter(|of| of.kind == *kind).take(SHOWN) {
            let id = sample.transaction.map(|id| id.to_string());
            let _ = write!(
                words,
                "\n    {} {}: {} -> {}",
                id.unwrap_or_default(),
                sample.hook,
                sample.active,
                sample.candidate
            );
        }
    }
    words
}
