//! `gatepost policy status`, `hold` and `go-on`: what a rollout is doing.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use gatepost_message::{Millis, Period};
use gatepost_operations::Operation;
use gatepost_operations::policies::ListPolicies;
use gatepost_operations::rollouts::{PolicyDetails, ShowPolicy};
use gatepost_policy_set::rollouts::{FiguresBegin, RolloutMode, RolloutState};
use gatepost_rollout::{Ppm, StepPlan, Thresholds};
use tokio::time::sleep;

use crate::commands::operate::{Ask, Target};
use crate::commands::{exit, output};
use crate::diff::{counted, number};

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
            false => (details.iter())
                .map(|of| args.target.pasted(&in_words(of)))
                .collect(),
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
        false => output::print(target.pasted(&rollout_in_words(state, Millis::now())))?,
    }
    Ok(exit(true))
}

fn in_words(details: &PolicyDetails) -> String {
    let status = &details.status;
    let mut words = format!(
        "{}: version {} is active since {}",
        status.policy,
        output::digest(&status.digest),
        status.active_since
    );
    if let Some(configured) = &status.configured {
        let configured = output::digest(configured);
        let _ = write!(
            words,
            ", activated by hand; the configuration names {configured}"
        );
    }
    if let Some(state) = &details.rollout {
        let _ = write!(words, "\n{}", rollout_in_words(state, Millis::now()));
    }
    for ended in &details.ended {
        let told = ended.in_words(&status.policy);
        let _ = write!(words, "\n  {} {told}", ended.ended);
    }
    words
}

/// Tells of a rollout, line by line.
fn rollout_in_words(state: &RolloutState, now: Millis) -> String {
    let mut lines = vec![candidate(state)];
    lines.extend(replaced(state));
    if let RolloutMode::Canary { plan } = &state.rollout.mode {
        if plan.steps.len() > 1 {
            let steps: Vec<_> = plan.steps.iter().map(ToString::to_string).collect();
            lines.push(format!(
                "steps {}, each {} and {} at least",
                steps.join(", "),
                Period(Duration::from_millis(plan.every)),
                counted(plan.at_least, "call", "calls")
            ));
        }
        lines.push(next_step(state, plan, now));
        lines.push(thresholds(&state.rollout.thresholds));
    }
    lines.extend(figures(state));
    let lines: Vec<_> = lines.iter().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

/// Tells who the candidate is, and what it does since when.
fn candidate(state: &RolloutState) -> String {
    let rollout = &state.rollout;
    let (digest, does) = (output::digest(&rollout.digest), rollout.in_words());
    let step = match &rollout.mode {
        RolloutMode::Canary { plan } if plan.steps.len() > 1 => format!(
            ", in step {} of {} since {}",
            rollout.step + 1,
            plan.steps.len(),
            rollout.step_begun
        ),
        _ => String::new(),
    };
    let (begun, by) = (rollout.begun, &rollout.by);
    format!("version {digest} {does}{step}; begun at {begun} {by}")
}

/// Tells of the rollout that this one has ended.
fn replaced(state: &RolloutState) -> Option<String> {
    let former = state.replaced.as_ref()?;
    Some(match *former == state.rollout.digest {
        true => "the rollout of this version that ran so far has ended for it".to_owned(),
        false => format!(
            "candidate {}, which was under trial, is dropped for it",
            output::digest(former)
        ),
    })
}

/// Tells what a canary waits for.
fn next_step(state: &RolloutState, plan: &StepPlan, now: Millis) -> String {
    let (policy, rollout) = (&state.policy, &state.rollout);
    if rollout.held {
        return format!("held: `gatepost policy go-on {policy}` has it make its steps again");
    }
    let Some(next) = plan.steps.get(rollout.step + 1) else {
        let last = match plan.steps.len() {
            1 => "it stays so",
            _ => "the last step",
        };
        return format!("{last}; `gatepost policy promote {policy}` makes it active");
    };
    let next = match *next {
        Ppm::ALL => "it becomes the active version".to_owned(),
        share => share.to_string(),
    };
    let mut waits = Vec::new();
    let due = rollout.step_begun + Duration::from_millis(plan.every);
    if due > now {
        waits.push(format!("at {due}"));
    }
    let missing = plan.at_least.saturating_sub(state.compared_in_step);
    if missing > 0 {
        waits.push(format!(
            "after {}",
            counted(missing, "more call", "more calls")
        ));
    }
    if state.in_doubt {
        waits.push("once no rate is near its threshold".to_owned());
    }
    match waits.is_empty() {
        true => format!("next: {next}, in a moment"),
        false => format!("next: {next} {}", waits.join(", ")),
    }
}

/// Tells when the candidate is rolled back.
fn thresholds(of: &Thresholds) -> String {
    let rate = |rate: Option<Ppm>| rate.map_or_else(|| "any".to_owned(), |rate| rate.to_string());
    format!(
        "thresholds: changed verdicts {}, faults {}, slow (longer than {}) {}, flooding the log {}",
        rate(of.max_changed),
        rate(of.max_faults),
        Period(Duration::from_micros(of.slower_than)),
        rate(of.max_slow),
        rate(of.max_flood)
    )
}

/// Tells what was found so far.
fn figures(state: &RolloutState) -> Vec<String> {
    let counts = &state.counts;
    let mut lines = Vec::new();
    lines.extend(match state.counted_from {
        FiguresBegin::Rollout => None,
        FiguresBegin::Start(at) => Some(format!("counted since the relay's start at {at}:")),
        FiguresBegin::Reload(at) => Some(format!("counted since the reload at {at}:")),
    });
    let compared = counted(counts.compared, "call compared", "calls compared");
    let apart = match &state.rollout.mode {
        RolloutMode::Shadow { .. } => format!(", {} skipped", number(state.skipped)),
        RolloutMode::Canary { plan } if plan.steps.len() > 1 => {
            format!(" ({} in this step)", number(state.compared_in_step))
        }
        RolloutMode::Canary { .. } => String::new(),
    };
    lines.push(format!(
        "{compared}{apart}: {}, {}, {} slow, {} flooding the log",
        counted(counts.changed, "verdict changed", "verdicts changed"),
        counted(counts.faults, "fault", "faults"),
        number(counts.slow),
        number(counts.flooding)
    ));
    for (kind, count) in &state.differences.counts {
        let word = kind.word();
        lines.push(counted(
            *count,
            &format!("differs in {word}"),
            &format!("differ in {word}"),
        ));
        let all = state.differences.samples.iter();
        let samples: Vec<_> = all.filter(|of| of.kind == *kind).rev().collect();
        for sample in samples.iter().take(SHOWN) {
            let id = sample.transaction.map(|id| id.to_string());
            lines.push(format!(
                "  {} {}: {} -> {}",
                id.unwrap_or_default(),
                sample.hook,
                sample.active,
                sample.candidate
            ));
        }
        if samples.len() > SHOWN {
            let (kept, rest) = (samples.len(), samples.len() - SHOWN);
            lines.push(format!(
                "  … {rest} more of the last {kept}: --json shows all"
            ));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use gatepost_policy_set::history::ActivatedBy;
    use gatepost_policy_set::rollouts::{DifferenceSample, ObservedDifferences, StoredRollout};
    use gatepost_rollout::{DifferenceKind, ObservationCounts};

    use super::*;

    const BEGUN: Millis = Millis(3_600_000);

    fn state(steps: &[u32]) -> RolloutState {
        RolloutState {
            policy: "guest".to_owned(),
            rollout: StoredRollout {
                module: "cd".repeat(32),
                digest: "ab".repeat(32),
                by: ActivatedBy::new("root", "socket", "new.wasm"),
                mode: RolloutMode::Canary {
                    plan: StepPlan {
                        steps: steps.iter().map(|of| Ppm::percent(*of)).collect(),
                        every: 900_000,
                        at_least: 30,
                    },
                },
                thresholds: Thresholds {
                    max_changed: Some(Ppm::percent(20)),
                    max_flood: None,
                    ..Thresholds::default()
                },
                begun: BEGUN,
                step: 0,
                step_begun: BEGUN,
                held: false,
                salt: 0,
            },
            share: Some(Ppm::percent(5)),
            counted_from: FiguresBegin::Rollout,
            counts: ObservationCounts::default(),
            in_doubt: false,
            replaced: None,
            compared_in_step: 0,
            skipped: 0,
            differences: ObservedDifferences::default(),
        }
    }

    fn told(state: &RolloutState, after: Duration) -> String {
        rollout_in_words(state, BEGUN + after)
    }

    #[test]
    fn a_step_tells_what_the_next_waits_for() {
        let mut state = state(&[5, 60, 100]);
        let minute = Duration::from_mins(1);
        let words = told(&state, minute);
        for line in [
            "  steps 5%, 60%, 100%, each 15m and 30 calls at least",
            "  next: 60% at 1970-01-01T01:15:00.000Z, after 30 more calls",
            "in step 1 of 3 since 1970-01-01T01:00:00.000Z; begun at 1970-01-01T01:00:00.000Z by root (socket) from new.wasm",
            "  thresholds: changed verdicts 20%, faults 0.1%, slow (longer than 10ms) 1%, flooding the log any",
            "  0 calls compared (0 in this step): 0 verdicts changed, 0 faults, 0 slow, 0 flooding the log",
        ] {
            assert!(words.contains(line), "{line}\n{words}");
        }
        state.compared_in_step = 29;
        let words = told(&state, minute * 16);
        assert!(words.contains("next: 60% after 1 more call\n"), "{words}");
        state.compared_in_step = 30;
        state.in_doubt = true;
        let words = told(&state, minute * 16);
        assert!(
            words.contains("next: 60% once no rate is near its threshold"),
            "{words}"
        );
        state.in_doubt = false;
        state.rollout.step = 1;
        let words = told(&state, minute);
        assert!(
            words.contains("next: it becomes the active version at 1970"),
            "{words}"
        );
        state.rollout.held = true;
        let words = told(&state, minute);
        assert!(
            words.contains("  held: `gatepost policy go-on guest`"),
            "{words}"
        );
        assert!(!words.contains("next:"), "{words}");
    }

    #[test]
    fn the_last_step_below_all_of_the_mail_waits_for_a_person() {
        let mut stepped = state(&[5, 50]);
        stepped.rollout.step = 1;
        let words = told(&stepped, Duration::ZERO);
        let promotes = "`gatepost policy promote guest` makes it active";
        assert!(
            words.contains(&format!("the last step; {promotes}")),
            "{words}"
        );
        let words = told(&state(&[5]), Duration::ZERO);
        assert!(
            words.contains(&format!("it stays so; {promotes}")),
            "{words}"
        );
        assert!(!words.contains("steps "), "{words}");
    }

    #[test]
    fn figures_that_began_later_than_the_rollout_say_since_when_they_are_counted() {
        let mut state = state(&[5]);
        assert!(!told(&state, Duration::ZERO).contains("counted since"));
        state.counted_from = FiguresBegin::Start(BEGUN);
        state.counts.compared = 1;
        state.counts.changed = 1;
        let words = told(&state, Duration::ZERO);
        let start = "counted since the relay's start at 1970-01-01T01:00:00.000Z:\n  1 call compared: 1 verdict changed,";
        assert!(words.contains(start), "{words}");
    }

    #[test]
    fn samples_that_are_not_shown_are_counted() {
        let mut state = state(&[5]);
        let sample = DifferenceSample {
            kind: DifferenceKind::Verdict,
            hook: "message".to_owned(),
            transaction: None,
            active: "pass".to_owned(),
            candidate: "reject".to_owned(),
        };
        state.differences.samples = vec![sample; 20];
        (state.differences.counts).insert(DifferenceKind::Verdict, 400);
        let words = told(&state, Duration::ZERO);
        assert_eq!(words.matches("pass -> reject").count(), SHOWN, "{words}");
        assert!(
            words.contains("… 17 more of the last 20: --json shows all"),
            "{words}"
        );
    }

    #[test]
    fn the_rollout_that_ended_for_this_one_is_named() {
        let mut state = state(&[5]);
        state.replaced = Some("cd".repeat(32));
        let words = told(&state, Duration::ZERO);
        assert!(words.contains("candidate cdcdcdcdcdcd, which was under trial, is dropped for it"));
        state.replaced = Some(state.rollout.digest.clone());
        let words = told(&state, Duration::ZERO);
        assert!(
            words.contains("the rollout of this version that ran so far has ended"),
            "{words}"
        );
    }
}
