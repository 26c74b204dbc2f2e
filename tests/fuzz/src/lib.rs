//! Targets for fuzzing without libFuzzer: they run on stable Rust.
//!
//! A [`Target`] has a rule that holds for every input, and panics on an input that breaks it. A
//! [`Mutator`] makes the inputs from its seeds and its words, each from a number alone, so that the
//! number that a failure prints repeats it.
//!
//! `cargo test -p gatepost-fuzz` runs a fixed number of inputs; `cargo xtask fuzz --target NAME`
//! runs as many as asked for.

#![forbid(unsafe_code)]

mod mutator;
mod targets;

pub use mutator::Mutator;
pub use targets::TARGETS;

/// A rule that has to hold for every input.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Name on the command line.
    pub name: &'static str,
    /// Rule that holds, in one sentence.
    pub rule: &'static str,
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of its language, which are put anywhere.
    pub words: &'static [&'static [u8]],
    /// Inputs that the suite runs.
    pub suite: u64,
    /// Check of one input; it panics where the rule does not hold.
    pub check: fn(&[u8]),
}

impl Target {
    /// Returns the target of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Checks the inputs with the numbers from `first` on, as long as `more` is true. A failure
    /// prints the number and the input.
    pub fn run(&self, first: u64, mut more: impl FnMut(u64) -> bool) -> u64 {
        let mutator = Mutator::new((self.seeds)(), self.words);
        let mut number = first;
        while more(number - first) {
            let input = mutator.input(number);
            let report = FailureReport {
                target: self.name,
                number,
                input: &input,
            };
            (self.check)(&input);
            std::mem::forget(report);
            number += 1;
        }
        number - first
    }
}

/// Report of a failing input, which is printed when a panic drops it.
struct FailureReport<'a> {
    target: &'static str,
    number: u64,
    input: &'a [u8],
}

impl Drop for FailureReport<'_> {
    #[allow(clippy::print_stderr, reason = "a failing test says how to repeat it")]
    fn drop(&mut self) {
        eprintln!(
            "FAILED: cargo xtask fuzz --target {} --seed {} --cases 1\n{}",
            self.target,
            self.number,
            self.input.escape_ascii()
        );
    }
}
