//! The engine of each command that runs policies: it loads modules in a process of its own, which
//! is this binary with the hidden command [`COMMAND`].
//!
//! The relay's own policies take the same way as everybody's: what that costs, a start pays once,
//! and finds the code in its cache from then on.

use std::path::PathBuf;
use std::sync::Arc;

use gatepost_policy::{Engine, EngineError, EngineSettings, Loading, Program};

/// The hidden command.
pub const COMMAND: &str = "load-policy";

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
