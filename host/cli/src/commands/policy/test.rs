//! `gatepost policy test`.

mod junit;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use gatepost_fixture::{Decided, Difference, Fixture, Found, Unreadable, read_folder};
use gatepost_policy::Engine;
use gatepost_policy_set::loading;
use miette::{IntoDiagnostic as _, LabeledSpan, NamedSource, Report, WrapErr as _, miette};
use serde_json::json;

use self::watch::TestWatch;
use super::from_record::FromRecord;
use crate::commands::{exit, output, report};
use crate::fixtures::{Bench, TestTarget, bless};

/// Run a policy on its fixtures: messages (`.eml`), each with a `.toml` file beside it that gives
/// the expected decision.
///
/// The policy runs in the sandbox, as in the relay; look-ups are answered from the fixture. Nothing
/// is sent.
#[derive(Debug, Args)]
pub(in crate::commands) struct Test {
    /// Folder of the policy's crate, or a folder of fixtures in it.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Only fixtures whose name contains this text.
    #[arg(value_name = "NAME")]
    filter: Option<String>,
    /// Module: a `.wasm` file, or the name of a built-in policy. When not given, the release build
    /// of the crate, else the built-in policy of the crate's name.
    #[arg(long, value_name = "FILE|NAME")]
    module: Option<PathBuf>,
    /// Write the actual decisions into the fixtures as the expected ones. Comments and order stay,
    /// and so do patterns that match.
    #[arg(long)]
    bless: bool,
    /// Run again each time the module or a fixture changes, until Ctrl-C.
    #[arg(long, conflicts_with = "bless")]
    watch: bool,
    /// Write the results as JUnit XML, too.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    recorded: FromRecord,
}

/// Result of one fixture.
enum Outcome {
    Ok,
    Blessed(Difference),
    Differs(Difference),
    Broken(Report),
}

/// A fixture that was run.
struct Tested {
    found: Found,
    outcome: Outcome,
    time: Duration,
}

pub(in crate::commands) async fn run(args: &Test) -> miette::Result<ExitCode> {
    let engine = loading::engine_of_command().map_err(report)?;
    if let Some(id) = args.recorded.from_record {
        let target = TestTarget::of(&args.folder)?;
        let module = target.module(args.module.as_deref())?;
        return super::from_record::run(&args.recorded, id, &target, (engine, module)).await;
    }
    if !args.watch {
        return Ok(exit(run_once(args, &engine).await?));
    }
    let target = TestTarget::of(&args.folder)?;
    let module = target.module(args.module.as_deref())?;
    let mut watch = TestWatch::new(&target.fixtures, module.file.as_deref())?;
    drop(module);
    loop {
        let change = async {
            if let Err(error) = run_once(args, &engine).await {
                // The next build or edit may mend it.
                output::complain(output::error(&error));
            }
            output::complain("gatepost: waiting for a change; Ctrl-C ends");
            watch.change().await
        };
        tokio::select! {
            changed = change => output::complain(format!("gatepost: changed: {changed}")),
            ended = tokio::signal::ctrl_c() => {
                ended.into_diagnostic()?;
                return Ok(exit(true));
            }
        }
    }
}

/// Runs the fixtures once; returns true if none has failed.
async fn run_once(args: &Test, engine: &Arc<Engine>) -> miette::Result<bool> {
    let began = Instant::now();
    let target = TestTarget::of(&args.folder)?;
    let module = target.module(args.module.as_deref())?;
    if let Some(newer) = &module.newer {
        output::complain(format!(
            "gatepost: {} is newer than {}: build the policy again",
            newer.display(),
            module.origin
        ));
    }
    let mut fixtures = read_folder(&target.fixtures)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read fixtures in {}", target.fixtures.display()))?;
    let all = fixtures.len();
    if let Some(filter) = &args.filter {
        fixtures.retain(|fixture| fixture.name.contains(filter));
    }
    if fixtures.is_empty() {
        return Err(miette!(
            help = "a fixture is a message, NAME.eml, and beside it NAME.toml",
            "{} has no fixtures{}",
            target.fixtures.display(),
            if all == 0 { "" } else { " of that name" }
        ));
    }
    if !args.json {
        let (count, name, origin) = (fixtures.len(), &module.name, &module.origin);
        let s = if count == 1 { "" } else { "s" };
        output::print(format!(
            "running {count} fixture{s} with {name} ({origin})\n"
        ))?;
    }
    let mut bench = Bench::new(Arc::clone(engine), &module.name, module.bytes.clone());
    let mut results = Vec::new();
    for found in fixtures {
        let began = Instant::now();
        let outcome = test(&mut bench, &found, args.bless).await?;
        let time = began.elapsed();
        let tested = Tested {
            found,
            outcome,
            time,
        };
        if args.json {
            output::print_json([in_json(&tested)])?;
        } else {
            output::print(format!(
                "test {} ... {}",
                tested.found.name,
                word(&tested.outcome)
            ))?;
        }
        results.push(tested);
    }
    let failed = results.iter().filter(|tested| is_failure(&tested.outcome));
    let failed = failed.count();
    if let Some(file) = &args.junit {
        junit::write(file, &module.name, &results, began.elapsed())?;
    }
    if !args.json {
        output::print(summary(&results, all, began))?;
    }
    Ok(failed == 0)
}

async fn test(bench: &mut Bench, found: &Found, accept: bool) -> miette::Result<Outcome> {
    let (fixture, message) = match &found.read {
        Ok(read) => read,
        Err(error) => return Ok(Outcome::Broken(broken(found, error))),
    };
    let came = match bench.run(fixture, message.clone()).await {
        Ok(came) => came,
        Err(error) => return Ok(Outcome::Broken(report(error))),
    };
    let Some(difference) = fixture.compare(&came) else {
        return Ok(Outcome::Ok);
    };
    if !accept {
        return Ok(Outcome::Differs(difference));
    }
    let Some(blessed) = bless(&found.text, &difference) else {
        let path = found.path.display();
        let error = miette!("{path}: what is expected stands in no table [expect] of its own");
        return Ok(Outcome::Broken(error));
    };
    std::fs::write(&found.path, blessed)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", found.path.display()))?;
    Ok(Outcome::Blessed(difference))
}

/// Makes the report on an invalid fixture, with its line.
fn broken(found: &Found, error: &Unreadable) -> Report {
    let path = found.path.display().to_string();
    let Unreadable::Wrong(mistake) = error else {
        return miette!("{error}");
    };
    let labels = mistake.span.clone().map(LabeledSpan::underline);
    if labels.is_none() {
        return miette!("{path}: {mistake}");
    }
    miette!(labels = Vec::from_iter(labels), "{mistake}")
        .with_source_code(NamedSource::new(path, found.text.clone()))
}

fn is_failure(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Differs(_) | Outcome::Broken(_))
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Blessed(_) => "blessed",
        Outcome::Differs(_) | Outcome::Broken(_) => "FAILED",
    }
}

fn in_json(tested: &Tested) -> serde_json::Value {
    let Tested {
        found,
        outcome,
        time,
    } = tested;
    let shows = found.read.as_ref().ok().map(|(fixture, _)| &fixture.shows);
    let result = match outcome {
        Outcome::Ok => "ok",
        Outcome::Blessed(_) => "blessed",
        Outcome::Differs(_) => "differs",
        Outcome::Broken(_) => "broken",
    };
    let difference = match outcome {
        Outcome::Differs(difference) | Outcome::Blessed(difference) => Some(difference),
        Outcome::Ok | Outcome::Broken(_) => None,
    };
    let error = match outcome {
        Outcome::Broken(error) => Some(error.to_string()),
        _ => None,
    };
    json!({
        "fixture": found.name,
        "file": found.path,
        "shows": shows,
        "result": result,
        "differs": difference.map(|difference| &difference.names),
        "diff": difference.map(|difference| &difference.diff),
        "error": error,
        "micros": u64::try_from(time.as_micros()).unwrap_or(u64::MAX),
    })
}

/// Returns the failures in full, their names and their number, as `cargo test` prints them.
fn summary(tested: &[Tested], all: usize, began: Instant) -> String {
    let mut text = String::new();
    let failures: Vec<_> = tested
        .iter()
        .filter(|tested| is_failure(&tested.outcome))
        .collect();
    if !failures.is_empty() {
        text.push_str("\nfailures:\n");
        for tested in &failures {
            text.push_str(&failure(&tested.found, &tested.outcome));
        }
        text.push_str("\nfailures:\n");
        for tested in &failures {
            text.push_str(&format!("    {}\n", tested.found.name));
        }
    }
    let blessed = tested
        .iter()
        .filter(|tested| matches!(tested.outcome, Outcome::Blessed(_)));
    let blessed = blessed.count();
    let failed = failures.len();
    let passed = tested.len() - failed - blessed;
    let result = if failed == 0 { "ok" } else { "FAILED" };
    let blessed = match blessed {
        0 => String::new(),
        count => format!("{count} blessed; "),
    };
    text.push_str(&format!(
        "\ntest result: {result}. {passed} passed; {failed} failed; {blessed}{} filtered out; finished in {:.2}s",
        all - tested.len(),
        began.elapsed().as_secs_f64()
    ));
    text
}

/// Returns true if a fixture does not say what it expects, so that nothing fits it.
fn expects_nothing(fixture: &Fixture) -> bool {
    let expect = fixture.expect.as_ref();
    expect.is_none_or(|expect| *expect == Decided::default())
}

fn failure(found: &Found, outcome: &Outcome) -> String {
    let mut text = format!("\n---- {} ----\n", found.name);
    match outcome {
        Outcome::Differs(difference) => {
            if let Ok((fixture, _)) = &found.read
                && !fixture.shows.is_empty()
            {
                text.push_str(&format!("{}\n", fixture.shows));
            }
            text.push_str(&format!(
                "{}: - is expected, + is what came\n{}",
                found.path.display(),
                difference.diff
            ));
            if let Ok((fixture, _)) = &found.read
                && expects_nothing(fixture)
            {
                text.push_str(
                    "it has no [expect]: `gatepost policy test --bless` writes what came into it\n",
                );
            }
        }
        Outcome::Broken(error) => text.push_str(&format!("{error:?}\n")),
        Outcome::Ok | Outcome::Blessed(_) => {}
    }
    text
}
