//! `gatepost policy bench`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use gatepost_policy_set::{eml, loading};
use gatepost_terminal::Progress;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use serde_json::json;

use crate::bench::{HookFigures, PolicyBench, corpus};
use crate::commands::{exit, output, report};
use crate::fixtures::Module;

/// Measure a policy on a folder of messages: time, memory and calls of the host, for each hook.
///
/// The module runs alone, one call after another, with the same circumstances for every message. It
/// has every grant, and finds no counts and no marks.
#[derive(Debug, Args)]
pub(in crate::commands) struct BenchArgs {
    /// Module: a `.wasm` file, or the name of a built-in policy.
    #[arg(value_name = "FILE|NAME")]
    module: PathBuf,
    /// Folder of messages: its `.eml` files.
    #[arg(long, value_name = "DIR")]
    corpus: PathBuf,
    /// Settings of the policy, as JSON, or as TOML in a file of that ending.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Print one JSON object a line: for each hook one.
    #[arg(long)]
    json: bool,
}

pub(in crate::commands) async fn run(args: &BenchArgs) -> miette::Result<ExitCode> {
    let settings = match &args.settings {
        Some(file) => super::run::read_settings(file)?,
        None => json!({}),
    };
    let module = Module::named(&args.module)?;
    let files = corpus(&args.corpus)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {}", args.corpus.display()))?;
    if files.is_empty() {
        return Err(miette!(
            help = "a message is a file whose name ends in .eml",
            "{} has no messages",
            args.corpus.display()
        ));
    }
    let engine = loading::engine_of_command().map_err(report)?;
    let bench = PolicyBench::new(&engine, &module.name, module.bytes, settings);
    let mut bench = bench.await.map_err(report)?;
    let mut progress = Progress::new(false);
    let mut unreadable = 0;
    for (done, file) in files.iter().enumerate() {
        match eml::read(file).await {
            Ok(message) => bench.measure(&message).await,
            Err(error) => {
                unreadable += 1;
                progress.clear();
                output::complain(format!("gatepost: cannot read {}: {error}", file.display()));
            }
        }
        progress.show(done + 1, files.len(), "messages");
    }
    drop(progress);
    let figures = bench.into_figures().by_hook();
    if args.json {
        output::print_json(&figures)?;
    } else {
        let messages = files.len() - unreadable;
        let s = if messages == 1 { "" } else { "s" };
        output::print(format!(
            "{} ({}) on {messages} message{s}, one call after another\n",
            module.name, module.origin
        ))?;
        print_table(&figures)?;
    }
    Ok(exit(unreadable == 0))
}

fn print_table(figures: &[HookFigures]) -> miette::Result<()> {
    let mut table = output::table([
        "HOOK",
        "CALLS",
        "P50 µs",
        "P99 µs",
        "MAX µs",
        "MEMORY",
        "HOST CALLS",
        "MAX",
        "FAULTS",
        "",
    ]);
    for of in figures {
        table.add_row([
            of.hook.to_owned(),
            of.calls.to_string(),
            of.p50_micros.to_string(),
            of.p99_micros.to_string(),
            of.max_micros.to_string(),
            output::size(of.peak_memory as u64),
            of.median_host_calls.to_string(),
            of.max_host_calls.to_string(),
            of.faults.to_string(),
            of.first_fault.clone().unwrap_or_default(),
        ]);
    }
    output::print_table(table, "the policy has no hooks")
}
