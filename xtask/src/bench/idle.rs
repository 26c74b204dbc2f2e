//! Cost of idle sessions.

use std::path::Path;

use anyhow::Result;

use super::contender::Contender;
use super::load::Session;
use super::report::{Number, Report, progress};

const SESSIONS: usize = 1000;

/// Measures the memory of Gatepost without and with a thousand sessions that have said hello.
pub fn run(binary: &Path, report: &mut Report) -> Result<()> {
    progress(&format!("{SESSIONS} idle sessions"));
    let relay = Contender::gatepost(binary)?;
    let before = relay.tree().memory();
    let open = |_| Session::open(relay.address());
    let sessions = (0..SESSIONS).map(open).collect::<Result<Vec<_>>>()?;
    let with = relay.tree().memory();
    drop(sessions);
    let mib = |octets: u64| Number::of([octets as f64 / f64::from(1 << 20)], 1);
    let row = vec![mib(before), mib(with), mib(with.saturating_sub(before))];
    let columns = ["without MiB", "with MiB", "more MiB"];
    report.table(
        "Idle sessions",
        &columns,
        &[(format!("{SESSIONS} sessions"), row)],
    );
    Ok(())
}
