//! `gatepost policy`.

mod activate;
mod bench;
mod diff;
mod from_record;
mod history;
mod new;
mod rollout_options;
mod run;
mod status;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytes::Bytes;
use clap::{Args, Subcommand};
use gatepost_policy::{Inspection, Limits, ModuleKind, OnError, read_module};
use miette::{IntoDiagnostic, WrapErr, miette};
use serde_json::json;

use super::answer::{Row, print_rows};
use super::operate::Ask;
use super::{exit, output, report};
use gatepost_builtin as builtin;
use gatepost_operations::policies::{ListPolicies, PolicyStatus, RollBack};
use gatepost_operations::policy_history::ShowHistory;
use gatepost_operations::rollouts::{ContinueRollout, HoldRollout, PromoteCandidate};
use gatepost_policy_set::loading;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the policies of the running relay.
    List(Ask<ListPolicies>),
    /// List the last versions of a policy, with who activated each, when and from where.
    History(Ask<ShowHistory>),
    Activate(activate::Activate),
    /// Drop the version under trial. Without one, activate an earlier version again: the last with
    /// another module, or one of the history.
    Rollback(Ask<RollBack>),
    Diff(diff::Diff),
    Status(status::ShowStatus),
    /// Make no more steps of a rollout; its thresholds are watched on.
    Hold(Ask<HoldRollout>),
    /// Go on with the steps of a rollout.
    GoOn(Ask<ContinueRollout>),
    /// Activate the version under trial.
    Promote(Ask<PromoteCandidate>),
    Inspect(Inspect),
    Export(Export),
    New(new::New),
    Test(test::Test),
    Run(Box<run::RunArgs>),
    Bench(bench::BenchArgs),
}

/// Describe a module: hooks, imports, duties and the schema of its settings.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// Module: a `.wasm` file, or the name of a built-in policy.
    #[arg(value_name = "FILE|NAME")]
    module: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Write the module of a built-in policy to a file.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// Name of the built-in policy.
    #[arg(value_parser = builtin::NAMES)]
    name: String,
    /// File to write.
    file: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Command) -> miette::Result<ExitCode> {
    match command {
        Command::List(ask) => list(ask).await,
        Command::History(ask) => history::run(ask).await,
        Command::Activate(args) => activate::run(args).await,
        Command::Rollback(ask) => activate::swap(&ask.target, ask.request).await,
        Command::Diff(args) => diff::run(&args).await,
        Command::Status(args) => status::run(args).await,
        Command::Hold(ask) => status::rollout(ask).await,
        Command::GoOn(ask) => status::rollout(ask).await,
        Command::Promote(ask) => activate::swap(&ask.target, ask.request).await,
        Command::Inspect(args) => inspect(&args).await,
        Command::Export(args) => export(&args),
        Command::New(args) => new::run(&args),
        Command::Test(args) => test::run(&args).await,
        Command::Run(args) => run::run(&args).await,
        Command::Bench(args) => bench::run(&args).await,
    }
}

fn read(file: &Path) -> miette::Result<Vec<u8>> {
    read_module(file, Limits::default().module_bytes)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read the module {}", file.display()))
}

async fn list(Ask { target, request }: Ask<ListPolicies>) -> miette::Result<ExitCode> {
    let policies = target.call_relay(request).await?;
    print_rows(&policies, "the relay has no policies", target.json)
}

impl Row for PolicyStatus {
    const HEADER: &[&str] = &[
        "POLICY",
        "DIGEST",
        "BEFORE",
        "HOOKS",
        "ON ERROR",
        "ACTIVE SINCE",
        "REMARKS",
    ];

    fn cells(&self) -> Vec<String> {
        let on_error = match self.on_error {
            OnError::Tempfail => "tempfail",
            OnError::Skip => "skip",
        };
        vec![
            self.policy.clone(),
            output::digest(&self.digest).to_owned(),
            output::digest(self.previous.as_deref().unwrap_or("-")).to_owned(),
            self.hooks.join(" "),
            on_error.to_owned(),
            self.active_since.to_string(),
            remarks(self),
        ]
    }
}

/// Returns remarks on problems of a policy; empty if it has none.
fn remarks(policy: &PolicyStatus) -> String {
    let mut remarks = Vec::new();
    if !policy.called {
        remarks.push("KEEPS FAILING, NOT CALLED".to_owned());
    }
    if policy.accounts_not_called > 0 {
        remarks.push(match policy.accounts_not_called {
            1 => "KEEPS FAILING FOR 1 ACCOUNT, NOT CALLED FOR ITS MAIL".to_owned(),
            n => format!("KEEPS FAILING FOR {n} ACCOUNTS, NOT CALLED FOR THEIR MAIL"),
        });
    }
    if let Some(configured) = &policy.configured {
        let configured = output::digest(configured);
        remarks.push(format!(
            "ACTIVATED BY HAND; the configuration names {configured}"
        ));
    }
    if let Some(candidate) = &policy.candidate {
        let candidate = output::digest(candidate);
        remarks.push(format!("{candidate} under trial"));
    }
    if let Some(reason) = &policy.refused {
        let reason = output::shorten(reason);
        remarks.push(format!("NEW MODULE NOT IN USE: {reason}"));
    }
    remarks.join("; ")
}

async fn inspect(args: &Inspect) -> miette::Result<ExitCode> {
    let builtin = args.module.to_str().and_then(builtin::module);
    let module = match builtin {
        Some(module) if !args.module.exists() => Bytes::from_static(module),
        _ => read(&args.module)?.into(),
    };
    let engine = loading::engine_of_command().map_err(report)?;
    let inspection = engine.inspect(module).await.map_err(report)?;
    if args.json {
        output::print_json([in_json(&inspection)])?;
    } else {
        output::print(in_words(&inspection))?;
    }
    Ok(exit(true))
}

fn kind(kind: ModuleKind) -> &'static str {
    match kind {
        ModuleKind::CoreModule => "core module",
        ModuleKind::Component => "component",
    }
}

fn in_json(inspection: &Inspection) -> serde_json::Value {
    json!({
        "digest": inspection.digest,
        "size": inspection.size,
        "kind": kind(inspection.kind),
        "contract": inspection.contract,
        "hooks": inspection.hooks.iter().map(|hook| hook.word()).collect::<Vec<_>>(),
        "imports": inspection.imports,
        "authenticates": inspection.duties.authenticates,
        "suppresses": inspection.duties.suppresses,
        "routes": inspection.duties.routes,
        "schema": schema(inspection),
    })
}

fn in_words(inspection: &Inspection) -> String {
    let hooks: Vec<_> = inspection.hooks.iter().map(|hook| hook.word()).collect();
    let known = inspection.duties;
    let duties = [
        (known.authenticates, "authenticates"),
        (known.suppresses, "suppresses"),
        (known.routes, "routes"),
    ];
    let duties: Vec<_> = (duties.into_iter())
        .filter_map(|(has, duty)| has.then_some(duty))
        .collect();
    let duties = match duties.is_empty() {
        true => "none".to_owned(),
        false => duties.join(", "),
    };
    format!(
        "Digest    {}\nSize      {}\nKind      {}\nContract  gatepost:policy@{}\nHooks     {}\nImports   {}\nDuties    {duties}\nSettings  {:#}",
        inspection.digest,
        output::size(inspection.size as u64),
        kind(inspection.kind),
        inspection.contract,
        hooks.join(", "),
        inspection.imports.join(", "),
        schema(inspection),
    )
}

/// Returns the schema as JSON, or as a string if it is not JSON.
fn schema(inspection: &Inspection) -> serde_json::Value {
    serde_json::from_str(&inspection.schema)
        .unwrap_or_else(|_| serde_json::Value::String(inspection.schema.clone()))
}

fn export(args: &Export) -> miette::Result<ExitCode> {
    let Some(module) = builtin::module(&args.name) else {
        return Err(miette!("there is no built-in policy \"{}\"", args.name));
    };
    std::fs::write(&args.file, module)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", args.file.display()))?;
    if args.json {
        output::print_json([json!({
            "policy": args.name,
            "file": args.file.display().to_string(),
            "size": module.len(),
        })])?;
    } else {
        output::print(format!("{} written to {}", args.name, args.file.display()))?;
    }
    Ok(exit(true))
}
