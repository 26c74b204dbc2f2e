//! `gatepost connector verify`.

use std::process::ExitCode;

use clap::Args;
use gatepost_directory::{LastCheck, Verification};
use gatepost_operations::verification::{
    AddressVerification, AwaitVerification, DirectionVerification, VerifyAddress,
};
use gatepost_terminal::escape;

use super::operate::Target;
use super::{exit, output};

/// Arguments of the command.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    request: VerifyAddress,
    /// Wait until the probes have ended.
    #[arg(long)]
    wait: bool,
}

pub(super) async fn run(arguments: Arguments) -> miette::Result<ExitCode> {
    let Arguments {
        target,
        request,
        wait,
    } = arguments;
    let mut found = target.call_relay(request).await?;
    while wait && !found.waiting.is_empty() {
        let asked = AwaitVerification {
            account: found.account,
            address: found.address.clone(),
        };
        found = target.call_relay(asked).await?;
    }
    match target.json {
        true => output::print_json([&found])?,
        false => output::print(text(&found))?,
    }
    let failed = |of: &DirectionVerification| matches!(of.state, Verification::Failed { .. });
    Ok(exit(!failed(&found.inbound) && !failed(&found.outbound)))
}

fn text(of: &AddressVerification) -> String {
    let mut lines = vec![format!("{} of {}", of.address, of.account)];
    for (direction, found) in [("inbound", &of.inbound), ("outbound", &of.outbound)] {
        lines.push(format!("{direction}: {}", state(&found.state)));
        lines.extend(found.check.iter().flat_map(check));
    }
    if !of.waiting.is_empty() {
        let directions = [("inbound", &of.inbound), ("outbound", &of.outbound)];
        let pending = directions
            .into_iter()
            .filter(|(_, of)| matches!(of.state, Verification::Pending { .. }));
        let pending: Vec<_> = pending.map(|(direction, _)| direction).collect();
        lines.push(format!(
            "probes on their way: {} ({})",
            of.waiting.len(),
            pending.join(" and ")
        ));
    }
    lines.join("\n")
}

/// Returns the state of a direction in words.
pub(super) fn state(of: &Verification) -> String {
    match of {
        Verification::Unverified => "unverified".to_owned(),
        Verification::Pending { since } => format!("pending since {since}"),
        Verification::Verified { at } => format!("verified at {at}"),
        Verification::Failed { at, reason, .. } => format!("failed ({reason}) at {at}"),
    }
}

/// Returns the lines about the last probe.
fn check(of: &LastCheck) -> Vec<String> {
    let mut lines = vec![format!(
        "  {} probe at {}: {}",
        of.kind,
        of.at,
        escape::line(&of.words)
    )];
    if !of.advice.is_empty() {
        lines.push(format!("  what to do: {}", of.advice));
    }
    if let Some(results) = &of.results {
        lines.push(format!(
            "  spf={} dkim={} dmarc={}",
            results.spf, results.dkim, results.dmarc
        ));
    }
    let remarks = of.remarks.iter();
    lines.extend(remarks.map(|remark| format!("  note: {}", escape::line(remark))));
    lines
}
