//! The project's own tasks: `cargo xtask demo | test | torture | bench | fuzz | prose`.
//!
//! The launcher beside this package starts them and builds what they need, with rustup's Rust and a
//! C compiler. Only `cargo xtask test` builds by itself.

#![forbid(unsafe_code)]

mod bench;
mod demo;
mod fuzz;
mod prose;
mod setup;
mod tests;
mod torture;

use anyhow::Result;
use clap::Parser;

/// The project's own tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
enum Task {
    /// Send the fixture messages through a real relay and show what becomes of each.
    Demo,
    /// Build everything, then run every test.
    Test {
        /// Arguments for `cargo test`, which then runs what they select.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Kill the relay at random moments under load, and count what was lost.
    Torture(torture::Torture),
    /// Measure the relay beside Postfix, and what its policies cost.
    Bench(bench::Bench),
    /// Send hostile mail through the built-in policies: no fault, and no call over 20 ms.
    Fuzz(fuzz::Fuzz),
    /// Check the words: documentation of items, names of types, subjects of commits.
    Prose,
}

fn main() -> Result<()> {
    match Task::parse() {
        Task::Demo => demo::run(),
        Task::Test { arguments } => {
            setup::build()?;
            tests::test(&arguments)
        }
        Task::Torture(torture) => torture.run(),
        Task::Bench(bench) => bench.run(),
        Task::Fuzz(fuzz) => fuzz.run(),
        Task::Prose => prose::run(),
    }
}
