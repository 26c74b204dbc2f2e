//! What the chain of three policies costs for each message, in the sandbox and natively: measured
//! in one process, without a relay around it, by an example of the policy crate.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::report::{Number, Report, progress};
use crate::setup;

/// Builds and runs the example.
pub fn run(report: &mut Report) -> Result<()> {
    progress("building the chain of policies by itself");
    let mut cargo = setup::cargo();
    cargo.current_dir(test_support::workspace());
    cargo.args([
        "run",
        "--release",
        "--package",
        "gatepost-policy",
        "--example",
        "chain_cost",
    ]);
    let output = cargo
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cargo does not run")?;
    ensure!(
        output.status.success(),
        "the example failed: {}",
        output.status
    );
    let costs: Value = serde_json::from_slice(&output.stdout)?;
    let number = |name: &str| {
        let samples = costs[name].as_array().into_iter().flatten();
        Number::of(samples.filter_map(Value::as_f64), 1)
    };
    let (sandboxed, native) = (number("sandboxed"), number("native"));
    let row = vec![sandboxed, native, sandboxed.times(&native)];
    let columns = ["sandboxed µs", "native µs", "ratio"];
    report.table(
        "The chain for one message",
        &columns,
        &[("10 KiB".to_owned(), row)],
    );
    Ok(())
}
