//! Cost of the chain of three policies for each message, in the sandbox and natively: measured in
//! one process, without a relay around it, by an example of the policy crate.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::report::{Number, Report, progress};
use crate::setup;

/// Runs the example, which measures.
pub fn run(report: &mut Report) -> Result<()> {
    let example = setup::build_example("gatepost-policy", "chain_cost")?;
    progress("the chain of policies by itself");
    let costs = measured_by(&example)?;
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

/// Returns what an example prints as JSON.
///
/// # Errors
/// It failed.
pub fn measured_by(example: &Path) -> Result<Value> {
    let output = Command::new(example).output();
    let output = output.with_context(|| example.display().to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {said}", example.display());
    Ok(serde_json::from_slice(&output.stdout)?)
}
