//! Contenders measured by the same load, in turns, and the load generator straight into the sink,
//! which no relay can exceed.

use anyhow::Result;

use super::contender::{Contender, Measured};
use super::load::Load;
use super::report::{Number, progress};
use super::sink::Sink;

/// Columns of [`compare`].
pub const COLUMNS: [&str; 4] = [
    "accepted/s",
    "relayed/s",
    "CPU µs/message",
    "peak memory MiB",
];

/// Results of all runs of one relay in one case.
#[derive(Default)]
struct Runs {
    measured: Vec<Measured>,
    /// Peak memory in octets, of the first run, which does not count otherwise: reading it costs
    /// time.
    peak_memory: Option<u64>,
}

/// Measures the contenders by the same load, in turns. Returns a row for each, one with the ratio
/// of the first to the second, and one for the load without a relay.
///
/// # Errors
/// A message was refused or lost, or came twice.
pub fn compare(
    contenders: &[Contender],
    name: &str,
    load: Load,
    runs: usize,
) -> Result<Vec<(String, Vec<Number>)>> {
    progress(&format!("{name}: {} messages, {runs} runs", load.messages));
    let mut results: Vec<Runs> = contenders.iter().map(|_| Runs::default()).collect();
    for (contender, result) in contenders.iter().zip(&mut results) {
        let (warm, peak) = contender.tree().peak_memory(|| contender.measure(load));
        warm?;
        result.peak_memory = Some(peak);
    }
    let mut ceiling = Vec::new();
    for run in 1..=runs {
        for (contender, result) in contenders.iter().zip(&mut results) {
            let measured = contender.measure(load)?;
            let Measured {
                accepted,
                relayed,
                cpu,
            } = measured;
            let who = contender.name();
            progress(&format!(
                "{name}, run {run}, {who}: {accepted:.0} accepted/s, {relayed:.0} relayed/s, {cpu:.0} µs CPU each"
            ));
            result.measured.push(measured);
        }
        ceiling.push(without_relay(load)?);
    }
    let mut rows: Vec<(String, Vec<Number>)> = Vec::new();
    for (contender, result) in contenders.iter().zip(&results) {
        rows.push((format!("{name}: {}", contender.name()), result.numbers()));
    }
    if let [(_, gatepost), (_, postfix)] = &rows[..] {
        let ratios = gatepost
            .iter()
            .zip(postfix)
            .map(|(own, other)| own.times(other))
            .collect();
        rows.push((format!("{name}: ratio"), ratios));
    }
    let nothing = Number::of([], 0);
    let straight = vec![nothing, Number::of(ceiling, 0), nothing, nothing];
    rows.push((format!("{name}: no relay"), straight));
    Ok(rows)
}

impl Runs {
    fn numbers(&self) -> Vec<Number> {
        let of = |what: fn(&Measured) -> f64| Number::of(self.measured.iter().map(what), 0);
        let memory = self
            .peak_memory
            .map(|octets| octets as f64 / f64::from(1 << 20));
        vec![
            of(|m| m.accepted),
            of(|m| m.relayed),
            of(|m| m.cpu),
            Number::of(memory, 0),
        ]
    }
}

/// Returns the messages a second from the load generator straight into a sink.
fn without_relay(load: Load) -> Result<f64> {
    let sink = Sink::start()?;
    let time = load.send(sink.address())?;
    sink.wait_for(load.messages)?;
    Ok(load.messages as f64 / time.as_secs_f64())
}
