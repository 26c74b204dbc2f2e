//! Cost of the chain of three policies for each message, in the sandbox and natively: measured in
//! one process, without a relay around it, by an example of the policy crate.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::report::{Number, Report, progress};

/// Runs the example, which measures.
pub fn run(example: &Path, report: &mut Report) -> Result<()> {
    progress("the chain of policies by itself");
    let output = Command::new(example).output();
    let output = output.with_context(|| example.display().to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {said}", example.display());
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
