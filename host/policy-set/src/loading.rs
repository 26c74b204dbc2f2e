//! The engine of every command that runs policies. It loads modules in a process of its own, which
//! is this binary with the hidden command [`COMMAND`].
//!
//! The built-in policies are loaded in the same way: a start pays for that once, and later starts
//! find the code in the cache.

use std::path::PathBuf;
use std::sync::Arc;

use gatepost_policy::{Engine, EngineError, EngineSettings, Loading, Program};

/// Name of the hidden command.
pub const COMMAND: &str = "load-policy";

/// Starts an engine. Compiled code is kept in the directory `cache`, if one is given.
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
