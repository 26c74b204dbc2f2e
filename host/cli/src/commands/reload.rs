//! `gatepost reload`.

use std::process::ExitCode;

use clap::Args;
use gatepost_operations::reload::{Refusal, Reload, Reloaded};

use super::operate::Ask;
use super::{exit, output};

/// Have the running relay read its configuration again and activate it, as a whole or not at all.
///
/// Shows the changes. No session is closed: each keeps the configuration that it began with. A
/// change that needs a restart is refused, and then nothing changes. SIGHUP does the same.
#[derive(Debug, Args)]
pub(super) struct ReloadArgs {
    #[command(flatten)]
    ask: Ask<Reload>,
}

pub(super) async fn run(ReloadArgs { ask }: ReloadArgs) -> miette::Result<ExitCode> {
    let Ask { target, request } = ask;
    let dry_run = request.dry_run;
    let reloaded = target.call_relay(request).await?;
    let good = reloaded.problems.is_empty();
    if target.json {
        output::print_json([&reloaded])?;
    } else if good {
        output::print(in_words(&reloaded, dry_run))?;
    } else {
        return Err(refused(&reloaded));
    }
    Ok(exit(good))
}

fn in_words(reloaded: &Reloaded, dry_run: bool) -> String {
    let mut lines: Vec<_> = reloaded.changes.iter().map(ToString::to_string).collect();
    let file = &reloaded.file;
    lines.push(match (lines.len(), dry_run) {
        (0, _) => format!("{file} is active already, nothing has changed in it"),
        (n, true) => format!("{} in {file}, not activated", changes(n)),
        (n, false) => {
            let mut line = format!("{} in {file}, active now\nlistening", changes(n));
            for (name, address) in &reloaded.listening {
                line += &format!(" {name}={address}");
            }
            line
        }
    });
    lines.join("\n")
}

fn changes(number: usize) -> String {
    match number {
        1 => "1 change".to_owned(),
        n => format!("{n} changes"),
    }
}

fn refused(reloaded: &Reloaded) -> miette::Report {
    let mut text = format!(
        "{} is not activated, everything stays as it is",
        reloaded.file
    );
    for Refusal {
        line,
        message,
        help,
    } in &reloaded.problems
    {
        let line = line.map_or_else(String::new, |line| format!("line {line}: "));
        text += &format!("\n{line}{message}");
        if let Some(help) = help {
            text += &format!("\n  help: {help}");
        }
    }
    miette::Report::msg(text)
}
