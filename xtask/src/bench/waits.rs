//! Clients' waits for a reply, summed up in percentiles.

use std::time::Duration;

use super::report::Number;

/// Percentiles of each run.
#[derive(Debug, Default)]
pub struct Waits {
    p50: Vec<f64>,
    p99: Vec<f64>,
    most: Vec<f64>,
}

impl Waits {
    /// Columns of [`Waits::numbers`].
    pub const COLUMNS: [&str; 2] = ["p50 ms", "p99 ms"];

    /// Adds a run.
    pub fn add(&mut self, mut waits: Vec<Duration>) {
        waits.sort_unstable();
        self.p50.push(milliseconds(percentile(&waits, 50)));
        self.p99.push(milliseconds(percentile(&waits, 99)));
        self.most.push(milliseconds(percentile(&waits, 100)));
    }

    /// Returns the percentiles of all runs.
    pub fn numbers(self) -> Vec<Number> {
        vec![Number::of(self.p50, 2), Number::of(self.p99, 2)]
    }

    /// Returns the percentiles of all runs, and the longest wait.
    pub fn numbers_with_most(self) -> Vec<Number> {
        let all = [self.p50, self.p99, self.most];
        all.map(|of| Number::of(of, 1)).to_vec()
    }
}

/// Returns the time within which so many of a hundred were done; zero for none.
fn percentile(sorted: &[Duration], hundredth: usize) -> Duration {
    let index = (sorted.len() * hundredth / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_99th_percentile_leaves_out_one_of_a_hundred() {
        let times: Vec<Duration> = (0..100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Duration::from_millis(50));
        assert_eq!(percentile(&times, 99), Duration::from_millis(99));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
