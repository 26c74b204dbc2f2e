//! The engine of each command that runs policies: it loads modules in a process of its own, which
//! is this binary with the hidden command [`COMMAND`].
//!
//! The relay's own policies take the same way as everybody's: what that costs, a start pays once,
//! and finds the code in its cache from then on.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use gatepost_policy::{Engine, EngineError, EngineSettings, Loading, LoadingLimits, Program};

/// The hidden command.
pub const COMMAND: &str = "load-policy";

/// Load the policy module that comes over standard input, within limits: for the relay itself.
#[derive(Debug, Clone, Args)]
pub struct LoadPolicy {
    /// Octets of memory.
    #[arg(long, value_name = "OCTETS")]
    memory: u64,
    /// Time of the processor.
    #[arg(long, value_name = "SECONDS")]
    processor: u64,
}

impl LoadPolicy {
    /// Loads it.
    pub fn run(&self) -> ExitCode {
        gatepost_policy::serve(LoadingLimits {
            memory: self.memory,
            processor: Duration::from_secs(self.processor),
            ..LoadingLimits::default()
        })
    }
}

/// Starts an engine. Compiled code is kept in the directory, if one is given.
///
/// # Errors
/// The machine cannot run it, or the directory cannot be trusted.
pub fn engine(cache: Option<PathBuf>) -> Result<Arc<Engine>, EngineError> {
    Engine::new(EngineSettings {
        cache,
        loading: Loading::InChild(Program::this([COMMAND])),
        ..EngineSettings::default()
    })
}
