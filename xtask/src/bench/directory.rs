//! Cost of changes of a large directory: measured in one process, without a relay around it, by an
//! example of the directory crate.

use anyhow::Result;
use serde_json::Value;

use super::chain::measured_by;
use super::report::{Number, Report, progress};
use crate::setup;

/// Runs the example, which measures.
pub fn run(report: &mut Report) -> Result<()> {
    let example = setup::build_example("gatepost-directory", "change_cost")?;
    progress("changes of a large directory");
    let costs = measured_by(&example)?;
    let rows = costs.as_array().into_iter().flatten().map(|cost| {
        let samples = cost["ms"].as_array().into_iter().flatten();
        let number = Number::of(samples.filter_map(Value::as_f64), 2);
        let name = cost["name"].as_str().unwrap_or_default();
        (name.to_owned(), vec![number])
    });
    let rows: Vec<_> = rows.collect();
    report.table("A change of 100,000 addresses", &["ms"], &rows);
    Ok(())
}
