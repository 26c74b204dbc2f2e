//! Figures of a bench: times, memory, calls of the host and faults of each hook.

use gatepost_model::Judgement;
use gatepost_policy::Hook;
use gatepost_policy::observation::ObservedCall;
use serde::Serialize;

/// Samples of all hooks.
pub(crate) struct Figures(Vec<Samples>);

/// Samples of one hook.
struct Samples {
    hook: &'static str,
    micros: Vec<u32>,
    host_calls: Vec<u32>,
    memory: usize,
    faults: u64,
    first_fault: Option<String>,
}

/// Figures of one hook.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct HookFigures {
    pub(crate) hook: &'static str,
    pub(crate) calls: usize,
    /// Times of a call in microseconds, those of faults included.
    pub(crate) p50_micros: u32,
    pub(crate) p99_micros: u32,
    pub(crate) max_micros: u32,
    /// Largest linear memory of a call in bytes.
    pub(crate) peak_memory: usize,
    /// Calls of the host in one call: half of the calls have no more.
    pub(crate) median_host_calls: u32,
    pub(crate) max_host_calls: u32,
    pub(crate) faults: u64,
    pub(crate) first_fault: Option<String>,
}

impl Figures {
    pub(super) fn new(hooks: &[Hook]) -> Self {
        let samples = hooks.iter().map(|hook| Samples {
            hook: hook.word(),
            micros: Vec::new(),
            host_calls: Vec::new(),
            memory: 0,
            faults: 0,
            first_fault: None,
        });
        Self(samples.collect())
    }

    fn of(&mut self, hook: &str) -> Option<&mut Samples> {
        self.0.iter_mut().find(|of| of.hook == hook)
    }

    pub(super) fn add_observed(&mut self, call: &ObservedCall) {
        if let Some(of) = self.of(&call.hook) {
            let calls = call.more_host_calls + call.host_calls.len() as u64;
            of.host_calls.push(u32::try_from(calls).unwrap_or(u32::MAX));
            of.memory = of.memory.max(call.memory);
        }
    }

    pub(super) fn add_timed(&mut self, judgement: &Judgement) {
        if let Some(of) = self.of(&judgement.hook) {
            of.micros
                .push(u32::try_from(judgement.micros).unwrap_or(u32::MAX));
            if let Some(fault) = &judgement.error {
                of.faults += 1;
                of.first_fault.get_or_insert_with(|| fault.to_string());
            }
        }
    }

    /// Returns the figures of each hook, in the order in which a message meets them.
    pub(crate) fn by_hook(self) -> Vec<HookFigures> {
        let figures = self.0.into_iter().map(|mut of| {
            of.micros.sort_unstable();
            of.host_calls.sort_unstable();
            HookFigures {
                hook: of.hook,
                calls: of.micros.len(),
                p50_micros: at(&of.micros, 50),
                p99_micros: at(&of.micros, 99),
                max_micros: at(&of.micros, 100),
                peak_memory: of.memory,
                median_host_calls: at(&of.host_calls, 50),
                max_host_calls: at(&of.host_calls, 100),
                faults: of.faults,
                first_fault: of.first_fault,
            }
        });
        figures.collect()
    }
}

/// Returns the smallest sample that this percentage of the sorted samples does not exceed; 0 if
/// there are none.
fn at(sorted: &[u32], percent: usize) -> u32 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_by_rank() {
        let hundred: Vec<u32> = (1..=100).collect();
        assert_eq!(
            [50, 99, 100].map(|percent| at(&hundred, percent)),
            [50, 99, 100]
        );
        assert_eq!([50, 99, 100].map(|percent| at(&[7], percent)), [7; 3]);
        assert_eq!([50, 99].map(|percent| at(&[1, 9], percent)), [1, 9]);
        assert_eq!(at(&[], 50), 0);
    }
}
