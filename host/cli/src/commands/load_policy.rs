//! Hidden command that loads one policy module in a process of its own.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use gatepost_policy::LoadingLimits;

/// Load the policy module that comes over standard input, within limits: for the relay itself.
#[derive(Debug, Clone, Args)]
pub struct LoadPolicy {
    /// Maximum memory in bytes.
    #[arg(long, value_name = "OCTETS")]
    memory: u64,
    /// Maximum processor time.
    #[arg(long, value_name = "SECONDS")]
    processor: u64,
}

impl LoadPolicy {
    /// Loads the module and returns the exit code.
    pub fn run(&self) -> ExitCode {
        gatepost_policy::serve(LoadingLimits {
            memory: self.memory,
            processor: Duration::from_secs(self.processor),
            ..LoadingLimits::default()
        })
    }
}
